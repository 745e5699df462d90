"""PESQ-WB of what was heard against what was said (ITU-T P.862.2)."""

import numpy as np
import soxr

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.voice_metrics import RATE_HZ, pesq_wideband


def aligned(said: Samples, heard: Samples, *, max_delay_s: float = 0.5) -> tuple[Samples, Samples, float]:
    """Cut two recordings to their common part by the waveforms' cross-correlation.

    Args:
        said: What was said during some seconds.
        heard: What was heard during the same seconds, so some of it later.
        max_delay_s: The longest delay looked for.

    Returns:
        Both of the same length, and how many seconds later it was heard.

    """
    size = 1 << (len(said) + len(heard) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size))
    agreement = np.fft.irfft(spectrum, size)[: round(max_delay_s * SAMPLE_RATE_HZ)]
    delay = int(np.argmax(agreement))
    count = min(len(said), len(heard) - delay)
    return said[:count], heard[delay : delay + count], delay / SAMPLE_RATE_HZ


def pesq_wb(said: Samples, heard: Samples) -> float:
    """Return the score, 1.0 to 4.64, of two aligned recordings at 48 kHz."""

    def resampled(samples: Samples) -> Samples:
        return np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ, RATE_HZ), np.float32)

    return pesq_wideband(resampled(said), resampled(heard))
