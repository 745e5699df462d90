"""What is read of a running call's media once a second, for those who watch it: the quality watch and the RTP log."""

from dataclasses import dataclass
from typing import Protocol

from blink_cli.core.names import Did
from blink_cli.core.rtp import ReceptionReport


@dataclass(frozen=True, slots=True)
class PeerReading:
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


@dataclass(frozen=True, slots=True)
class SourceReading:
    """Our own microphone. Counts run on."""

    frames: int
    clipped_frames: int


class MediaWatcher(Protocol):
    """Looks at the media of a call. Belongs to the event loop; must be quick."""

    def look(self, peers: tuple[PeerReading, ...], source: SourceReading | None, now_s: float) -> None:
        """Take a reading, about once a second while media run."""
