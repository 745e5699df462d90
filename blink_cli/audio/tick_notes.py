"""What the playout thread notes of one tick, while somebody listens to ticks."""

from collections.abc import Sequence

from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import checksum
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.core.media.mix_tick import MixTick, Speaker


class TickNotes:
    """Made before the tracks are mixed, and closed by `tick`. Playout thread."""

    __slots__ = (
        "_at_s",
        "_gain_before",
        "_is_silence",
        "_late_s",
        "_speaker",
        "_tracks",
        "fades_in",
        "fades_out",
        "heard_at",
    )

    def __init__(
        self,
        tracks: Sequence[SinkTrack],
        gain_before: float,
        speaker: Speaker,
        at_s: float,
        *,
        late_s: float = 0.0,
        is_silence: bool = False,
    ) -> None:
        """Have the tracks note what they do. The arguments are those of `MixTick`."""
        self._tracks = tracks
        self._gain_before = gain_before
        self._speaker = speaker
        self._at_s = at_s
        self._late_s = late_s
        self._is_silence = is_silence
        self.heard_at: float | None = None
        self.fades_in = False
        self.fades_out = False
        for track in tracks:
            track.begin_notes()

    def tick(self, block: Samples, gain: float, written: int, frames: int) -> MixTick:
        """Return what was done: `block` was offered to the speaker, as so many frames, of which it took `written`."""
        noted = (track.end_notes() for track in self._tracks)
        return MixTick(
            at_s=self._at_s,
            late_s=self._late_s,
            speaker=self._speaker,
            heard_at=self.heard_at,
            is_silence=self._is_silence,
            gain_before=self._gain_before,
            gain=gain,
            fades_in=self.fades_in,
            fades_out=self.fades_out,
            frames=frames,
            written=written,
            checksum=checksum(block),
            tracks=tuple(track for track in noted if track is not None),
        )
