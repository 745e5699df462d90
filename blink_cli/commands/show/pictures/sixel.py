"""Pictures as sixels (DEC VT330/VT340 Programmer Reference, chapter 14): bands of six rows, drawn once for each colour in them.

The colours are a fixed cube of 6 x 6 x 6, told with each picture, since a terminal may forget them. A picture of 320 by 180 takes some 20 to 40 ms:
on a worker thread.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.commands.show.pictures.pixels import Moves, Pixels, Place

_STEPS: Final = 6
_SHORTEST_RUN: Final = 4
"""`!4~` is as long as `~~~~` less one."""


def _colours() -> bytes:
    percents = [step * 100 // (_STEPS - 1) for step in range(_STEPS)]
    cube = [(red, green, blue) for red in percents for green in percents for blue in percents]
    return b"".join(b"#%d;2;%d;%d;%d" % (number, *colour) for number, colour in enumerate(cube))


_TABLE: Final = _colours()
_WEIGHTS: Final = np.array([1, 2, 4, 8, 16, 32], np.uint8)[:, np.newaxis]


def sixels(pixels: Pixels, at: Place, move: Moves) -> bytes:
    """Return what draws pixels from the upper left corner of a place on; the cursor is somewhere afterwards."""
    height, width, _ = pixels.shape
    steps = (pixels.astype(np.uint16) * (_STEPS - 1) + 127) // 255
    numbers = (steps @ np.array([_STEPS * _STEPS, _STEPS, 1], np.uint16)).astype(np.int16)
    written = [
        move(at.row, at.column),
        b'\x1bP0;1q"1;1;%d;%d' % (width, height),
        _TABLE,
    ]
    for top in range(0, height, 6):
        band = numbers[top : top + 6]
        weights = _WEIGHTS[: len(band)]
        for colour in np.unique(band):
            columns = ((band == colour) * weights).sum(axis=0).astype(np.uint8) + np.uint8(63)
            written.append(b"#%d%s$" % (colour, _shortened(columns)))
        written.append(b"-")
    written.append(b"\x1b\\")
    return b"".join(written)


def _shortened(columns: npt.NDArray[np.uint8]) -> bytes:
    """Runs of the same six pixels as a count; nothing at the end where there is nothing."""
    last = np.flatnonzero(columns != 63)[-1] + 1
    columns = columns[:last]
    begins = np.concatenate(([0], np.flatnonzero(np.diff(columns)) + 1, [last]))
    return b"".join(
        b"!%d%c" % (length, columns[begin]) if length >= _SHORTEST_RUN else bytes([columns[begin]]) * length
        for begin, length in zip(begins[:-1].tolist(), np.diff(begins).tolist(), strict=True)
    )
