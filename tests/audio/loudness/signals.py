"""The test signals of EBU Tech 3341 and Tech 3342 that can be computed: sines of 1 kHz in both channels of a stereo sound."""

import numpy as np
import numpy.typing as npt

from blink_cli.audio.samples import Samples

RATE_HZ = 48_000

Floats = npt.NDArray[np.float64]


def tones(*levels_and_lengths: tuple[float, float], hz: float = 1000.0) -> Samples:
    """Sines of these peak levels in dBFS, for so many seconds each, without a jump of the phase; `(n, 2)`."""
    amplitude = np.concatenate(
        [
            np.full(round(length_s * RATE_HZ), 10.0 ** (level_dbfs / 20.0))
            for level_dbfs, length_s in levels_and_lengths
        ]
    )
    wave = amplitude * np.sin(2.0 * np.pi * hz / RATE_HZ * np.arange(len(amplitude)))
    return np.repeat(wave[:, None], 2, axis=1).astype(np.float32)
