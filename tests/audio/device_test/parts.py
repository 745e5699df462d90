"""Time that passes as fast as it is waited for, and microphones with something wrong."""

import numpy as np

from blink_cli.audio.samples import Samples


class EagerClock:
    """A `Clock` for one thread: waiting is jumping."""

    def __init__(self, now_s: float = 1000.0) -> None:
        self._now_s = now_s

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, when_s: float) -> None:
        self._now_s = max(self._now_s, when_s)


class ArraySound:
    """A `Sound` of given samples, zeros behind them."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._next = 0

    def rewind(self) -> None:
        self._next = 0

    def next(self, count: int) -> Samples:
        part = self._samples[self._next : self._next + count]
        self._next += count
        return np.concatenate((part, np.zeros(count - len(part), np.float32)))

    def skip(self, count: int) -> None:
        self._next += count

    def close(self) -> None:
        pass

    def channels(self) -> None:
        return None


def words(seconds: float, *, loud: float = 0.1, soft: float = 0.0005, seed: int = 1) -> Samples:
    """Noise in words of 0.3 s with pauses of 0.2 s; amplitudes are RMS."""
    random = np.random.default_rng(seed)
    count = round(seconds * 48_000)
    noise = random.standard_normal(count).astype(np.float32)
    speaking = (np.arange(count) / 48_000 % 0.5) < 0.3
    return (noise * np.where(speaking, loud, soft)).astype(np.float32)
