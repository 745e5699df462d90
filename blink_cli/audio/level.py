"""How loud sound is."""

import math

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SILENCE_DBOV


def level_dbov(samples: Samples) -> int:
    """Return the loudness of `samples`, from 0 (full scale) down to -127 (silence).

    The overload point is the RMS of a full-scale square wave, so that a full-scale sine is -3.

    Args:
        samples: float32, one-dimensional, not empty, finite.

    Source: RFC 6464, section 3; RFC 6465, appendix A. Pure.

    """
    power = float(np.dot(samples, samples)) / len(samples)
    if power <= 0.0:
        return SILENCE_DBOV
    return max(SILENCE_DBOV, min(0, round(10.0 * math.log10(power))))
