"""All tracks in one channel, or two, at most at full scale.

The tracks are added as they are. Where the sum goes beyond -1 dBFS it is turned down at once and let up again within half a second: a
limiter, so one loud moment does not make the whole mix quiet. It looks at a block before it plays it, so nothing is ever clipped.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

CEILING: Final = 10 ** (-1 / 20)
STEP_SAMPLES: Final = SAMPLE_RATE_HZ // 200
"""5 ms: the gain moves from one value to the next in such steps."""

RELEASE_PER_STEP: Final = 0.01
"""Of the way back to 1: half a second."""


class Mixdown:
    """Belongs to one recording; takes its blocks in order, each a multiple of 5 ms but the last one."""

    def __init__(self) -> None:
        self._gain = 1.0

    def mix(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The sum of a block of shape (tracks, samples), or (tracks, samples, channels), limited."""
        total: npt.NDArray[np.float32] = block.sum(axis=0, dtype=np.float32)
        if self._gain == 1.0 and np.abs(total).max(initial=0.0) <= CEILING:
            return total
        for start in range(0, len(total), STEP_SAMPLES):
            piece = total[start : start + STEP_SAMPLES]
            coming = total[start + STEP_SAMPLES : start + 2 * STEP_SAMPLES]
            allowed = min(_allowed(piece), 1.0)
            # Already low enough at the end of this step for what comes in the next one.
            target = min(allowed, _allowed(coming), self._gain + (1.0 - self._gain) * RELEASE_PER_STEP)
            begin = min(self._gain, allowed)
            piece.T[...] *= np.linspace(begin, target, len(piece), dtype=np.float32)
            self._gain = 1.0 if target > 0.9999 else target
        return total


def _allowed(samples: npt.NDArray[np.float32]) -> float:
    peak = float(np.abs(samples).max(initial=0.0))
    return 1.0 if peak <= CEILING else CEILING / peak
