"""Pixels as a terminal gets them, and the place where they stand."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
"""Red, green, blue, shape (height, width, 3)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Cells of a screen, counted from its upper left corner at 0, 0."""

    row: int
    column: int
    rows: int
    columns: int


Moves = Callable[[int, int], bytes]
"""What puts the cursor at a row and column of the screen, each from 0."""


def absolute(row: int, column: int) -> bytes:
    """Move on a screen that is all ours."""
    return b"\x1b[%d;%dH" % (row + 1, column + 1)


def from_cursor(cursor_row: int) -> Moves:
    """Move from a cursor that was saved (`ESC 7`) in this row of what is drawn below scrolling text: where on the screen that is nobody knows."""

    def move(row: int, column: int) -> bytes:
        rows = row - cursor_row
        vertical = b"" if not rows else b"\x1b[%d%c" % (abs(rows), ord("B" if rows > 0 else "A"))
        return b"\x1b8%s\x1b[%dG" % (vertical, column + 1)

    return move


def centred(size: tuple[int, int], within: Place) -> Place:
    """Return where so many (rows, columns) of cells stand in the middle of a place."""
    rows, columns = min(size[0], within.rows), min(size[1], within.columns)
    return Place(
        within.row + (within.rows - rows) // 2,
        within.column + (within.columns - columns) // 2,
        rows,
        columns,
    )
