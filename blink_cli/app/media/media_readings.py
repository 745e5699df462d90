"""What is read of a running call's media once a second, for those who watch it: the quality watch and the RTP log."""

import msgspec

from blink_cli.core.analysis.e_model import FRAME_MS
from blink_cli.core.analysis.voip_metrics import BufferState
from blink_cli.core.api.replies.processing import ProcessingState
from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import MediaTap
from blink_cli.core.media.rtp import ReceptionReport
from blink_cli.core.media.side_health import WELL, SideHealth


class PeerReading(msgspec.Struct, frozen=True):
    """One peer whose link stands. Counts run on; gauges are of now."""

    peer: Did
    packets_sent: int
    concealed_samples: int
    silent_concealed_samples: int
    total_samples: int
    delay_ms: float | None
    """None while nothing is played."""

    remote: ReceptionReport | None
    rtt_s: float | None
    own_health: SideHealth = WELL
    """How this side did in the last seconds."""

    health: SideHealth = WELL
    """How the peer's side did, by its last word."""

    packet_ms: float = FRAME_MS
    """Of this side's packets."""

    buffer: BufferState | None = None
    """None while nothing is played."""


class SourceReading(msgspec.Struct, frozen=True):
    """Our own microphone. Counts run on."""

    frames: int
    clipped_frames: int
    processing: ProcessingState | None = None
    """What is done to its sound."""


class MediaWatcher(MediaTap):
    """A tap that takes readings as well, on the event loop."""

    def look(self, peers: tuple[PeerReading, ...], source: SourceReading | None, now_s: float) -> None:
        """Take a reading, about once a second while media run."""
