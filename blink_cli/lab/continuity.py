"""Gaps and clicks in what should be an unbroken tone."""

from dataclasses import dataclass

import numpy as np

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples

_BLOCK_SAMPLES = SAMPLE_RATE_HZ // 500


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which the tone is not there."""

    start_s: float
    duration_s: float


def gaps(tone: Samples, *, floor: float = 0.1, shortest_s: float = 0.004) -> list[Gap]:
    """Return where the level falls under a share of the tone's own, in blocks of 2 ms.

    Args:
        tone: A steady tone with whatever happened to it.
        floor: Share of the median level below which there is no tone.
        shortest_s: Shorter gaps are not told.

    """
    count = len(tone) // _BLOCK_SAMPLES
    level = np.sqrt(
        np.mean(tone[: count * _BLOCK_SAMPLES].reshape(count, -1).astype(np.float64) ** 2, axis=1)
    )
    quiet = np.concatenate(([False], level < floor * np.median(level), [False]))
    edges = np.flatnonzero(np.diff(quiet.astype(np.int8)))
    block_s = _BLOCK_SAMPLES / SAMPLE_RATE_HZ
    found = [
        Gap(float(a) * block_s, float(b - a) * block_s) for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]
    return [gap for gap in found if gap.duration_s >= shortest_s]


def clicks(tone: Samples, frequency_hz: float, *, factor: float = 4.0) -> list[float]:
    """Return the seconds at which the waveform bends sharper than a tone of this frequency can.

    A sine of amplitude A bends by at most A (2 pi f / rate)^2 from sample to sample (its second difference); a step of
    a few per cent of A bends more at low frequencies.

    Args:
        tone: The tone, with its usual amplitude most of the time.
        frequency_hz: Its frequency; below 1 kHz, or steps hide in its own bend.
        factor: How much sharper is a click.

    """
    amplitude = float(np.percentile(np.abs(tone), 99))
    limit = factor * amplitude * (2 * np.pi * frequency_hz / SAMPLE_RATE_HZ) ** 2
    sharp = np.flatnonzero(np.abs(np.diff(tone.astype(np.float64), 2)) > limit) / SAMPLE_RATE_HZ
    # One click bends several samples, more after a codec: those within 5 ms are one.
    return [float(at) for n, at in enumerate(sharp) if n == 0 or at - sharp[n - 1] > 0.005]
