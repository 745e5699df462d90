"""Pictures of coloured half blocks: U+2580 shows two pixels in a cell, the upper one in its colour, the lower one in its background.

    pixels ──> colours that the terminal has ──> cells that look otherwise than what stands there ──> runs ──> escapes

Only cells that changed are written, and no colour that differs by less than one sees. What does not fit into the bytes that a frame may have is
written with the next one, from the row on at which this one stopped: a slow line shows a picture that is renewed in bands, and nothing waits.
All cells of a kind take the same number of bytes (`ESC [ 38;2;007;…`: ECMA-48, 5.4.2, lets parameters begin with zeros), so that numpy
writes them all at once: 80 by 24 cells in about a millisecond.
"""

from enum import Enum
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.commands.show.pictures.pixels import Moves, Pixels, Place

UNSEEN: Final = 10
"""Steps of 255 in each colour that a cell may be off: noise of a camera stays below it, and a line that is slow has less to carry."""

_DIGITS: Final = np.array([[ord(digit) for digit in f"{number:03d}"] for number in range(256)], np.uint8)

_TRUE_COLOUR: Final = np.frombuffer("\x1b[38;2;000;000;000;48;2;000;000;000m▀".encode(), np.uint8)
_TRUE_COLOUR_AT: Final = (7, 11, 15, 24, 28, 32)
_PALETTE: Final = np.frombuffer("\x1b[38;5;000;48;5;000m▀".encode(), np.uint8)
_PALETTE_AT: Final = (7, 16)
_RAMP: Final = np.frombuffer(b" .:-=+*#%@", np.uint8)
"""From dark to light, where there are no colours."""

MOVE_BYTES: Final = 12
"""About what it takes to go to another cell."""


class Colours(Enum):
    """What a terminal can show."""

    TRUE = "true colour"
    PALETTE = "256 colours"
    NONE = "no colours"


class HalfBlocks:
    """Draws into one place of a screen, and remembers what stands there."""

    def __init__(self, colours: Colours) -> None:
        """Know nothing of the place yet."""
        self._colours = colours
        self._shown: npt.NDArray[np.int16] | None = None
        self._from_row = 0

    def forget(self) -> None:
        """What stood there is gone: everything is drawn next time."""
        self._shown = None

    @property
    def pixels_per_row(self) -> int:
        """Pixels that stand above each other in a cell."""
        return 1 if self._colours is Colours.NONE else 2

    def frame(self, pixels: Pixels, at: Place, move: Moves, most_bytes: int) -> tuple[bytes, bool]:
        """Return what makes a screen show these pixels, and whether that is all.

        Args:
            pixels: Shape (rows * `pixels_per_row`, columns, 3) of the place.
            at: Where.
            move: How the cursor gets there.
            most_bytes: Of this frame; more comes with the next call. At least a row is written in any case.

        """
        looks = self._looks(pixels)
        if self._shown is None or self._shown.shape != looks.shape:
            self._shown = np.full(looks.shape, -1000, np.int16)
            self._from_row = 0
        changed = (np.abs(looks - self._shown) >= self._noticed).any(axis=2)
        cells = self._cells(looks[changed])
        before = np.concatenate(([0], np.cumsum(changed.sum(axis=1))))
        rows = np.flatnonzero(changed.any(axis=1)).tolist()
        written: list[bytes] = []
        size = 0
        # From where the last frame ended, so that no part of the picture waits for ever.
        for row in sorted(rows, key=lambda row: (row < self._from_row, row)):
            if written and size >= most_bytes:
                self._from_row = row
                return b"".join((*written, b"\x1b[m")), False
            columns = np.flatnonzero(changed[row])
            first = int(before[row])
            breaks = [0, *(np.flatnonzero(np.diff(columns) != 1) + 1).tolist(), len(columns)]
            for begin, end in pairwise(breaks):
                run = cells[first + begin : first + end].tobytes()
                written += (move(at.row + row, at.column + int(columns[begin])), run)
                size += MOVE_BYTES + len(run)
            self._shown[row][columns] = looks[row][columns]
        self._from_row = 0
        return (b"".join((*written, b"\x1b[m")) if written else b""), True

    @property
    def _noticed(self) -> int:
        return UNSEEN if self._colours is Colours.TRUE else 1

    def _looks(self, pixels: Pixels) -> npt.NDArray[np.int16]:
        """What decides how a cell looks, shape (rows, columns, values)."""
        if self._colours is Colours.NONE:
            light: npt.NDArray[np.float64] = pixels @ np.array([0.299, 0.587, 0.114])
            return (light * len(_RAMP) / 256).astype(np.int16)[..., np.newaxis]
        values = pixels.astype(np.int16) if self._colours is Colours.TRUE else _palette(pixels)
        upper, lower = values[0::2], values[1::2]
        return np.concatenate((upper, lower), axis=2)

    def _cells(self, looks: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
        """Each cell as bytes, shape (cells, bytes of one)."""
        if self._colours is Colours.NONE:
            return _RAMP[looks]
        template, places = (
            (_TRUE_COLOUR, _TRUE_COLOUR_AT) if self._colours is Colours.TRUE else (_PALETTE, _PALETTE_AT)
        )
        cells = np.tile(template, (len(looks), 1))
        for value, place in enumerate(places):
            cells[:, place : place + 3] = _DIGITS[looks[:, value]]
        return cells


_LEVELS: Final = np.array([0, 95, 135, 175, 215, 255], np.int16)
_NEAREST: Final = np.abs(np.arange(256)[:, np.newaxis] - _LEVELS).argmin(axis=1).astype(np.int16)


def _palette(pixels: Pixels) -> npt.NDArray[np.int16]:
    """Colours of xterm's cube of 6 x 6 x 6, or of its 24 greys where that is nearer; shape (height, width, 1)."""
    steps = _NEAREST[pixels]
    cube = 16 + steps @ np.array([36, 6, 1], np.int16)
    wide = pixels.astype(np.int16)
    mean = wide.sum(axis=2) // 3
    grey = np.clip((mean - 3) // 10, 0, 23)
    off_grey = np.abs(wide - (8 + 10 * grey)[..., np.newaxis]).sum(axis=2)
    off_cube = np.abs(wide - _LEVELS[steps]).sum(axis=2)
    nearest: npt.NDArray[np.int16] = np.where(off_grey < off_cube, 232 + grey, cube).astype(np.int16)
    return nearest[..., np.newaxis]
