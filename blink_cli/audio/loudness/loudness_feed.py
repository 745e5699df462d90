"""The way of sound from a voice thread to whoever measures its loudness: through a bounded queue.

    [voice thread] add, add_silence ──> blocks, or lengths of silence ──> [loudness thread, or who asks] take: all sound up to the next silence

A block costs the voice thread a place in a queue, and one of silence an addition.
"""

from collections import deque
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

STEP_SAMPLES: Final = SAMPLE_RATE_HZ // 10

WAITING_BLOCKS: Final = 1_000
"""Ten seconds of ticks that nobody took; 2.5 s of the shortest frames. After that the oldest go: what they held is not measured."""

TOLD_SILENCE_SAMPLES: Final = 32 * STEP_SAMPLES
"""Behind 3 s of silence, in the meter's own steps, no reading changes any more: the rest is not told until it ends."""


class LoudnessFeed:
    """Of one voice. `add` and `add_silence` are one thread's, `take` another's; neither waits."""

    def __init__(self) -> None:
        self._silent = 0
        """Silence that was not told yet."""

        self._told_silent = 0
        """Of the run of silence that lasts, what was told."""

        self._waiting: deque[Samples | int] = deque(maxlen=WAITING_BLOCKS)

    def add(self, samples: Samples) -> None:
        """Take what comes next, shape `(n,)`, at 48 kHz; it must not be changed afterwards. `SILENT_BLOCK` itself is known as silence."""
        if samples is SILENT_BLOCK:
            self.add_silence(len(samples))
            return
        if self._told_silent or self._silent:
            self._end_silence()
        self._waiting.append(samples)

    def add_silence(self, samples: int) -> None:
        """Take so many samples of silence."""
        self._silent += samples
        if self._silent >= STEP_SAMPLES and self._told_silent < TOLD_SILENCE_SAMPLES:
            self._told_silent += self._silent
            self._waiting.append(self._silent)
            self._silent = 0

    def take(self) -> Samples | int | None:
        """Return all sound up to the next silence, shape `(n,)`, or a length of silence in samples; None when there is no more. By one thread at a time."""
        sound: list[Samples] = []
        while self._waiting:
            taken = self._waiting.popleft()
            if not isinstance(taken, int):
                sound.append(taken)
            elif sound:
                self._waiting.appendleft(taken)
                break
            else:
                return taken
        return np.concatenate(sound) if sound else None

    def _end_silence(self) -> None:
        if self._silent:
            self._waiting.append(self._silent)
        self._silent = self._told_silent = 0
