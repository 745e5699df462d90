"""What is kept of two long sounds so that they can be compared: some pieces of ten seconds, whatever the length of the whole."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

PIECE_S: Final = 10.0
MOST_PIECES: Final = 6
LONGEST_DELAY: Final = 16 * SAMPLE_RATE_HZ // 10
"""In samples: beyond it nothing is looked for."""

SHORTEST_S: Final = 0.5
"""Of what is judged: shorter ends are left out."""

_PIECE: Final = round(PIECE_S * SAMPLE_RATE_HZ)
_SHORTEST: Final = round(SHORTEST_S * SAMPLE_RATE_HZ)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The same time of both, mono at 48 kHz."""

    sent: Samples
    heard: Samples
    """As much, and `LONGEST_DELAY` more where there is more."""


class Excerpts:
    """Collects pieces while two sounds go by. What comes is mono at 48 kHz, shape (n,)."""

    def __init__(self, expected_samples: int | None) -> None:
        """Choose the pieces: one behind the other, or spread over a sound that is longer than all of them. None: its length is not known."""
        expected = MOST_PIECES * _PIECE if expected_samples is None else expected_samples
        count = min(max(-(-expected // _PIECE), 1), MOST_PIECES)
        step = _PIECE if count < MOST_PIECES else max((expected - _PIECE) // (count - 1), _PIECE)
        self._sent = [_Window(at * step, at * step + _PIECE) for at in range(count)]
        self._heard = [_Window(one.first, one.last + LONGEST_DELAY) for one in self._sent]

    def sent(self, block: Samples) -> None:
        """Take the next of what was sent."""
        for window in self._sent:
            window.take(block)

    def heard(self, block: Samples) -> None:
        """Take the next of what was heard, from the same moment on."""
        for window in self._heard:
            window.take(block)

    def pieces(self) -> list[Excerpt]:
        """Return those that hold enough."""
        pairs = [(one.whole(), other.whole()) for one, other in zip(self._sent, self._heard, strict=True)]
        return [Excerpt(sent, heard) for sent, heard in pairs if len(sent) >= _SHORTEST and len(heard)]


class _Window:
    """One stretch of a sound that goes by."""

    def __init__(self, first: int, last: int) -> None:
        self.first = first
        self.last = last
        self._place = 0
        self._kept: list[Samples] = []

    def take(self, block: Samples) -> None:
        begin, end = max(self.first - self._place, 0), min(self.last - self._place, len(block))
        self._place += len(block)
        if begin < end:
            self._kept.append(block[begin:end].copy())

    def whole(self) -> Samples:
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.float32)
