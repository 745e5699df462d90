"""How loud one voice of a call is now, and was since it began."""

import logging
import threading

import msgspec

from blink_cli.audio.loudness.loudness_feed import LoudnessFeed
from blink_cli.audio.loudness.meter import RunningLoudness
from blink_cli.core.audio_format import SAMPLE_RATE_HZ


class LoudnessReading(msgspec.Struct, frozen=True):
    """Of a voice. None in silence, and before enough was heard."""

    momentary_lufs: float | None = None
    """Of the last 0.4 s."""

    short_term_lufs: float | None = None
    """Of the last 3 s."""

    integrated_lufs: float | None = None
    """Since it began, without its pauses."""


_log = logging.getLogger(__name__)


class LiveLoudness:
    """Of one voice. `feed` is for the thread that has its sound, the rest for any."""

    def __init__(self) -> None:
        self.feed = LoudnessFeed()
        self.reading = LoudnessReading()
        """As it was measured last; `now` is at most 0.2 s old."""

        self._meter = RunningLoudness(SAMPLE_RATE_HZ)
        self._measuring = threading.Lock()
        self._failed = False

    def now(self) -> LoudnessReading:
        """Return how loud it is now: what waits is measured, 0.1 ms of work for a tenth of a second."""
        self.keep_up()
        return self.reading

    def keep_up(self) -> None:
        """Measure what waits. A meter that fails is logged, once, and measures no more."""
        with self._measuring:
            if self._failed:
                return
            try:
                self.measure()
            except Exception:  # noqa: BLE001 - whatever it is, the voice and the other meters go on
                _log.exception("a loudness meter failed, and measures no more")
                self._failed, self.reading = True, LoudnessReading()

    def measure(self) -> None:
        """Take what waits, and renew the reading if there was something. By one thread at a time."""
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
