"""Figures that are made while sound and packets go by: levels, bit rates, how far it is."""

import math
from collections import deque

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ


class LevelMeter:
    """RMS and peak over all channels of everything that was taken."""

    def __init__(self) -> None:
        self.frames = 0
        self._samples = 0
        self._energy = 0.0
        self._peak = 0.0

    def take(self, block: Samples) -> None:
        """Take a block of shape (n, channels)."""
        if not block.size:
            return
        self.frames += len(block)
        self._samples += block.size
        flat = block.reshape(-1).astype(np.float64)
        self._energy += float(flat @ flat)
        self._peak = max(self._peak, float(np.max(np.abs(flat))))

    @property
    def level_dbfs(self) -> float | None:
        """RMS in dBFS, a full-scale sine being -3; None for digital silence."""
        return _db(self._energy / self._samples, 10) if self._samples else None

    @property
    def peak_dbfs(self) -> float | None:
        """The largest sample; None for digital silence."""
        return _db(self._peak, 20)


class BitrateMeter:
    """Bits a second of media time."""

    def __init__(self) -> None:
        self.frames = 0
        self.payload_bytes = 0
        self.largest_bytes = 0
        self.media_samples = 0
        self._second: deque[tuple[int, int]] = deque()
        self._second_bytes = 0
        self._peak_bytes = 0

    def take(self, payload_bytes: int, duration_samples: int) -> None:
        """Take a frame; 0 bytes if it was not sent."""
        self.frames += 1
        self.payload_bytes += payload_bytes
        self.largest_bytes = max(self.largest_bytes, payload_bytes)
        self.media_samples += duration_samples
        self._second.append((self.media_samples, payload_bytes))
        self._second_bytes += payload_bytes
        while self._second[0][0] <= self.media_samples - SAMPLE_RATE_HZ:
            self._second_bytes -= self._second.popleft()[1]
        self._peak_bytes = max(self._peak_bytes, self._second_bytes)

    @property
    def mean_bps(self) -> float:
        """Over everything."""
        return self.of(self.payload_bytes)

    @property
    def peak_bps(self) -> float:
        """Of the fullest second; of the whole where it is shorter."""
        return self.mean_bps if self.media_samples < SAMPLE_RATE_HZ else 8.0 * self._peak_bytes

    def of(self, octets: int) -> float:
        """So many bytes over everything, as bits a second."""
        return 8 * octets * SAMPLE_RATE_HZ / self.media_samples if self.media_samples else 0.0


def share_done(done: int, expected: int | None) -> float:
    """How far work is, 0 to 1; 0 as long as nobody knows: it is told all the same, since telling is where work can be given up."""
    return 0.0 if expected is None else min(done / expected, 1.0)


def _db(value: float, factor: int) -> float | None:
    return round(factor * math.log10(value), 2) if value > 0 else None
