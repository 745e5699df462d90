"""What `testsrc` and `blank` see."""

from typing import Final

import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.coded_clock import clock_top, draw_clock
from blink_cli.video.picture import Picture, Plane, black, timestamp_at

USUAL_SIZE: Final = PictureSize(640, 360)
USUAL_FPS: Final = 15.0
"""What a slow link and a terminal take."""

_BARS: Final = (
    (180, 128, 128),
    (162, 44, 142),
    (131, 156, 44),
    (112, 72, 58),
    (84, 184, 198),
    (65, 100, 212),
    (35, 212, 114),
)
"""White, yellow, cyan, green, magenta, red, blue at three quarters (ITU-R BT.601), as Y, Cb, Cr."""

_TURN_S: Final = 4.0
"""In which the moving square crosses the picture once."""


class TestScene:
    """Colour bars, a square that moves over them, and the coded clock of the moment."""

    __test__ = False  # pytest would take it for a test

    def __init__(self, size: PictureSize) -> None:
        """Draw what stays the same."""
        self.size = size
        self.fps = USUAL_FPS
        bar = np.arange(size.width) * len(_BARS) // size.width
        values = np.array(_BARS, np.uint8)
        self._y = np.tile(values[bar, 0], (size.height, 1))
        half = np.array([values[bar[::2], 1], values[bar[::2], 2]])
        self._u, self._v = (np.tile(row, (size.height // 2, 1)) for row in half)
        below = (clock_top(size.height) + 1) // 2
        self._u[below:] = self._v[below:] = 128
        self._side = max(4, size.height // 6) & ~1
        self._row = max(0, (clock_top(size.height) - self._side) // 2) & ~1

    def rewind(self) -> None:
        """It has no beginning."""

    def at(self, position_s: float, captured_at: float) -> Picture:
        """Return the bars with the square where it is by then."""
        y = self._y.copy()
        draw_clock(y, captured_at)
        left = int((self.size.width - self._side) * _there_and_back(position_s / _TURN_S)) & ~1
        y[self._row : self._row + self._side, left : left + self._side] = 235
        return Picture(
            y,
            self._square(self._u, left),
            self._square(self._v, left),
            timestamp_at(captured_at),
            captured_at,
        )

    def close(self) -> None:
        """Nothing is open."""

    def _square(self, colour: Plane, left: int) -> Plane:
        drawn = colour.copy()
        rows = slice(self._row // 2, (self._row + self._side) // 2)
        drawn[rows, left // 2 : (left + self._side) // 2] = 128
        return drawn


class BlankScene:
    """Black."""

    def __init__(self, size: PictureSize) -> None:
        self.size = size
        self.fps = USUAL_FPS

    def rewind(self) -> None:
        """It has no beginning."""

    def at(self, position_s: float, captured_at: float) -> Picture:  # noqa: ARG002 - it is the same everywhere
        """Return a black picture."""
        return black(self.size, captured_at)

    def close(self) -> None:
        """Nothing is open."""


def _there_and_back(turns: float) -> float:
    part = turns % 2
    return part if part <= 1 else 2 - part
