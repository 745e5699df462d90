"""K-weighting: how much each frequency counts for loudness, at any sample rate.

A shelf for the head's effect (+4 dB above 2 kHz), then a high-pass at 38 Hz. The recommendation has coefficients for 48 kHz alone; the analogue filters
behind them are known, and the bilinear transform gives them at another rate.

Source: ITU-R BS.1770-4, annex 1, tables 1 and 2; De Man, Evaluation of Implementations of the EBU R128 Loudness Measurement (AES 145, 2018), the
analogue parameters.
"""

import math
from typing import Final

from blink_cli.audio.loudness.linear_filter import Biquad, LinearFilter

LOWEST_RATE_HZ: Final = 4_000
"""Below 3.4 kHz the shelf lies beyond half the rate, and the transform has no meaning."""

_SHELF_HZ: Final = 1681.974450955533
_SHELF_Q: Final = 0.7071752369554196
_SHELF_DB: Final = 3.999843853973347
_SHELF_MIDDLE: Final = 0.4996667741545416
"""The gain at the shelf's middle is the whole gain to this power."""

_HIGH_PASS_HZ: Final = 38.13547087602444
_HIGH_PASS_Q: Final = 0.5003270373238773


def shelf(rate_hz: int) -> Biquad:
    """Stage 1."""
    k = math.tan(math.pi * _SHELF_HZ / rate_hz)
    whole = 10.0 ** (_SHELF_DB / 20.0)
    middle = whole**_SHELF_MIDDLE
    a0 = 1.0 + k / _SHELF_Q + k * k
    return Biquad(
        b0=(whole + middle * k / _SHELF_Q + k * k) / a0,
        b1=2.0 * (k * k - whole) / a0,
        b2=(whole - middle * k / _SHELF_Q + k * k) / a0,
        a1=2.0 * (k * k - 1.0) / a0,
        a2=(1.0 - k / _SHELF_Q + k * k) / a0,
    )


def high_pass(rate_hz: int) -> Biquad:
    """Stage 2. Its numerator is 1, -2, 1 at every rate, as in the recommendation, in libebur128 and in FFmpeg.

    So sound of a low rate is a little louder than the same sound at 48 kHz: speech 0.15 LU at 8 kHz, 0.07 at 16 kHz.
    """
    k = math.tan(math.pi * _HIGH_PASS_HZ / rate_hz)
    a0 = 1.0 + k / _HIGH_PASS_Q + k * k
    return Biquad(
        b0=1.0,
        b1=-2.0,
        b2=1.0,
        a1=2.0 * (k * k - 1.0) / a0,
        a2=(1.0 - k / _HIGH_PASS_Q + k * k) / a0,
    )


def k_weighting(rate_hz: int, channels: int) -> LinearFilter:
    """Return the filter for sound of this rate.

    Raises:
        ValueError: The rate is below `LOWEST_RATE_HZ`.

    """
    if rate_hz < LOWEST_RATE_HZ:
        raise ValueError(f"loudness is not defined at {rate_hz} Hz")
    return LinearFilter(shelf(rate_hz), high_pass(rate_hz), channels)
