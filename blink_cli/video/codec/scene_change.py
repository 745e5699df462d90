"""Whether a picture shows something new, by how much its brightness differs from the one before: a frame of it is larger than others. Pure."""

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.video.picture import Picture, Plane

EVERY: Final = 4
"""One of so many rows and columns is looked at."""

BLOCK: Final = 8
"""Of these, so many in a row and a column are taken together: what moves a little stays in its block. 45 us for 640x360."""

TIMES_USUAL: Final = 2.0
LEAST: Final = 2.0
"""Of the mean difference of blocks, in steps of brightness. What moves by itself makes 1 to 20, a cut 10 to 50."""

FADES: Final = 0.2
"""Share of one picture in what is usual."""

Blocks = npt.NDArray[np.float32]


class SceneChange:
    """Of one camera."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self._before: Blocks | None = None
        self._usual: float | None = None

    def is_new(self, picture: Picture) -> bool:
        """Whether it differs more from the one before than those before did; not of the first one."""
        seen = _blocks(picture.y)
        before, self._before = self._before, seen
        if before is None or before.shape != seen.shape:
            return False
        difference = float(np.abs(seen - before).mean())
        usual = difference if self._usual is None else self._usual
        most = max(TIMES_USUAL * usual, LEAST)
        self._usual = usual + FADES * (min(difference, most) - usual)
        return difference > most


def _blocks(y: Plane) -> Blocks:
    """Mean brightness of each block; what is left over at the right and at the bottom is not looked at."""
    some = y[::EVERY, ::EVERY]
    height, width = some.shape[0] - some.shape[0] % BLOCK, some.shape[1] - some.shape[1] % BLOCK
    blocks = some[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)
