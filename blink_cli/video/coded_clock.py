"""A clock in the picture that programs can read, however small and blurred the picture became.

┌──────────────────────────────────┐
│                                  │     48 cells in the lower third, 16 in a row, each black or white:
│        the rest of the picture   │     white, black, 30 bits of milliseconds, 16 bits of check
├──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬──┬─┤
│██│  │██│██│  │  │██│  │  │██│  │ │     A bit is the mean of the middle of its cell, held against the middle between the first two
├──┼──┼──┼──┼──┼──┼──┼──┼──┼──┼──┼─┤     cells. So it survives scaling, other ranges of brightness, and coarse quantization;
│  │██│  │██│██│  │  │██│  │  │██│ │     a picture that is half of one moment and half of another does not pass the check.
└──┴──┴──┴──┴──┴──┴──┴──┴──┴──┴──┴─┘
"""

import zlib
from typing import Final

import numpy as np

from blink_cli.video.picture import Picture, Plane

COLUMNS: Final = 16
ROWS: Final = 3
_TIME_BITS: Final = 30
_CHECK_BITS: Final = 16

PERIOD_MS: Final = 1 << _TIME_BITS
"""After 12.4 days the clock begins again."""

PERIOD_S: Final = PERIOD_MS / 1000

_BLACK: Final = 16
_WHITE: Final = 235

LEAST_CONTRAST: Final = 40.0
"""Between the white and the black cell: less is no clock."""


def clock_top(height: int) -> int:
    """Return the row of the picture at which the clock begins."""
    return height - height // 3


def draw_clock(y: Plane, moment_s: float) -> None:
    """Draw a moment of monotonic time, to the millisecond, into the lower third of a picture's brightness."""
    milliseconds = round(moment_s * 1000) % PERIOD_MS
    value = milliseconds << _CHECK_BITS | _check(milliseconds)
    bits = [True, False, *(bool(value >> place & 1) for place in range(_TIME_BITS + _CHECK_BITS - 1, -1, -1))]
    cells = np.where(np.array(bits).reshape(ROWS, COLUMNS), _WHITE, _BLACK).astype(np.uint8)
    height, width = y.shape
    top = clock_top(height)
    rows = np.arange(height - top) * ROWS // (height - top)
    columns = np.arange(width) * COLUMNS // width
    y[top:] = cells[np.ix_(rows, columns)]


def read_clock(picture: Picture) -> float | None:
    """Return the moment that a picture shows, in seconds modulo `PERIOD_S`; None where it shows none that can be read."""
    height, width = picture.y.shape
    top = clock_top(height)
    lines = np.linspace(top, height, ROWS + 1)
    rows = np.linspace(0, width, COLUMNS + 1)
    levels = np.array(
        [
            picture.y[_middle(lines[row], lines[row + 1]), _middle(rows[column], rows[column + 1])].mean()
            for row in range(ROWS)
            for column in range(COLUMNS)
        ]
    )
    if levels[0] - levels[1] < LEAST_CONTRAST:
        return None
    bits = levels[2:] > (levels[0] + levels[1]) / 2
    value = int("".join("1" if bit else "0" for bit in bits), 2)
    milliseconds, check = value >> _CHECK_BITS, value & ((1 << _CHECK_BITS) - 1)
    return milliseconds / 1000 if check == _check(milliseconds) else None


def age_s(picture: Picture, now_s: float) -> float | None:
    """Return how long before `now_s` the moment was that a picture shows: from glass to glass, if it is asked when the picture is shown."""
    shown_s = read_clock(picture)
    return None if shown_s is None else (now_s - shown_s + PERIOD_S / 2) % PERIOD_S - PERIOD_S / 2


def _check(milliseconds: int) -> int:
    return zlib.crc32(milliseconds.to_bytes(4, "big")) & ((1 << _CHECK_BITS) - 1)


def _middle(begin: float, end: float) -> slice:
    """The middle half of a cell, at least a pixel."""
    quarter = (end - begin) / 4
    first = int(begin + quarter)
    return slice(first, max(first + 1, int(end - quarter)))
