"""How loud each track of a recording is: measured while it is decoded for its export, or for its own sake."""

from collections.abc import Sequence

from blink_cli.audio.loudness.meter import LoudnessMeter
from blink_cli.core.api.replies.loudness import RecordedLoudness
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.ids import Did
from blink_cli.record.finished.track_decoder import Block


class RecordingLoudness:
    """A `TrackListener` of one recording."""

    def __init__(self) -> None:
        self._people: tuple[tuple[Did, str], ...] = ()
        self._meters: tuple[LoudnessMeter, ...] = ()

    def begin(self, people: Sequence[tuple[Did, str]]) -> None:
        """See `TrackListener`."""
        self._people = tuple(people)
        self._meters = tuple(LoudnessMeter(SAMPLE_RATE_HZ, true_peak=True) for _ in people)

    def hear(self, block: Block) -> None:
        """See `TrackListener`."""
        for meter, sound in zip(self._meters, block, strict=True):
            if sound.any():
                meter.add(sound)
            else:
                meter.add_silence(len(sound))

    def loudness(self) -> tuple[RecordedLoudness, ...]:
        """Of each participant; nothing if nothing was decoded."""
        return tuple(
            _recorded(did, nickname, meter)
            for (did, nickname), meter in zip(self._people, self._meters, strict=True)
        )


def _recorded(did: Did, nickname: str, meter: LoudnessMeter) -> RecordedLoudness:
    figures = meter.figures
    return RecordedLoudness(
        did=did,
        nickname=nickname,
        integrated_lufs=_rounded(figures.integrated_lufs),
        range_lu=_rounded(figures.range_lu),
        true_peak_dbtp=_rounded(figures.true_peak_dbtp),
    )


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)
