"""How loud one voice of a call is now, and was since it began."""

from dataclasses import dataclass

from blink_cli.audio.loudness.loudness_feed import LoudnessFeed
from blink_cli.audio.loudness.meter import LoudnessMeter
from blink_cli.core.audio_format import SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True)
class LoudnessReading:
    """Of a voice, at most 0.2 s old. None in silence, and before enough was heard."""

    momentary_lufs: float | None = None
    """Of the last 0.4 s."""

    short_term_lufs: float | None = None
    """Of the last 3 s."""

    integrated_lufs: float | None = None
    """Since it began, without its pauses."""


class LiveLoudness:
    """Of one voice. `feed` is for the thread that has its sound, `measure` for the loudness thread, `reading` for any."""

    def __init__(self) -> None:
        self.feed = LoudnessFeed()
        self.reading = LoudnessReading()
        self._meter = LoudnessMeter(SAMPLE_RATE_HZ)

    def measure(self) -> None:
        """Take what waits, and renew the reading if there was something."""
        heard = False
        while (sound := self.feed.take()) is not None:
            if isinstance(sound, int):
                self._meter.add_silence(sound)
            else:
                self._meter.add(sound)
            heard = True
        if heard:
            latest = self._meter.latest
            self.reading = LoudnessReading(
                momentary_lufs=latest.momentary_lufs,
                short_term_lufs=latest.short_term_lufs,
                integrated_lufs=self._meter.integrated_lufs,
            )
