"""The way of sound from a voice thread to whoever measures its loudness: steps of 0.1 s through a bounded queue.

    [voice thread] add, add_silence ──> steps of 0.1 s, or lengths of silence ──> [loudness thread] take

A tick costs the voice thread a copy of 2 kB, and one of silence an addition.
"""

from collections import deque
from typing import Final

import numpy as np

from blink_cli.audio.samples import SILENT_BLOCK, Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

STEP_SAMPLES: Final = SAMPLE_RATE_HZ // 10

WAITING_STEPS: Final = 50
"""Five seconds that the loudness thread did not come. After that the oldest go: what they held is not measured."""

TOLD_SILENCE_SAMPLES: Final = 32 * STEP_SAMPLES
"""Behind 3 s of silence, in the meter's own steps, no reading changes any more: the rest is not told until it ends."""


class LoudnessFeed:
    """Of one voice. `add` and `add_silence` are one thread's, `take` another's; neither waits."""

    def __init__(self) -> None:
        self._step: Samples = np.empty(STEP_SAMPLES, dtype=np.float32)
        self._filled = 0
        self._silent = 0
        """Silence that was not told yet."""

        self._told_silent = 0
        """Of the run of silence that lasts, what was told."""

        self._waiting: deque[Samples | int] = deque(maxlen=WAITING_STEPS)

    def add(self, samples: Samples) -> None:
        """Take what comes next, shape `(n,)`, at 48 kHz; copied. `SILENT_BLOCK` itself is known as silence."""
        if samples is SILENT_BLOCK:
            self.add_silence(len(samples))
            return
        if self._told_silent or self._silent:
            self._end_silence()
        filled, length = self._filled, len(samples)
        end = filled + length
        if end > STEP_SAMPLES:
            room = STEP_SAMPLES - filled
            self.add(samples[:room])
            self.add(samples[room:])
            return
        self._step[filled:end] = samples
        if end == STEP_SAMPLES:
            self._waiting.append(self._step)
            self._step = np.empty(STEP_SAMPLES, dtype=np.float32)
            end = 0
        self._filled = end

    def add_silence(self, samples: int) -> None:
        """Take so many samples of silence."""
        if self._filled:
            # Told with the step that has begun, so that its sound is measured now and not when somebody talks again.
            self._waiting.append(self._step[: self._filled])
            self._step = np.empty(STEP_SAMPLES, dtype=np.float32)
            self._filled = 0
        self._silent += samples
        if self._silent >= STEP_SAMPLES and self._told_silent < TOLD_SILENCE_SAMPLES:
            self._told_silent += self._silent
            self._waiting.append(self._silent)
            self._silent = 0

    def take(self) -> Samples | int | None:
        """Return the next sound, shape `(n,)`, or length of silence in samples; None when there is no more."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def _end_silence(self) -> None:
        if self._silent:
            self._waiting.append(self._silent)
        self._silent = self._told_silent = 0
