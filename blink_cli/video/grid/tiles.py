"""Paints the pictures of all participants into one, as many as there are, each in a tile of 16 by 9 with its name above on the left.

┌────────┬────────┐
│1 ANN   │2 BERT  │     as many columns as rows, or one more; at most 1280 wide;
├────────┼────────┤     who has no picture has a dark tile
│3 CAROL │        │
└────────┴────────┘
"""

import math
from collections.abc import Sequence
from typing import Final

import av
import numpy as np

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.grid.letters import lettered
from blink_cli.video.picture import BLACK_LUMA, NO_COLOUR, Picture, Plane

_WIDEST: Final = 1280
_LARGEST_TILE: Final = 640
_EMPTY_LUMA: Final = 40
_LETTER_LUMA: Final = 235


class Tiles:
    """One grid. Belongs to one thread."""

    def __init__(self, names: Sequence[str]) -> None:
        """Begin with dark tiles.

        Args:
            names: Of the participants, in their order, at least one.

        """
        columns = math.ceil(math.sqrt(len(names)))
        width = min(_LARGEST_TILE, _WIDEST // columns) & ~1
        self.tile = PictureSize(width, width * 9 // 16 & ~1)
        rows = math.ceil(len(names) / columns)
        self.size = PictureSize(columns * self.tile.width, rows * self.tile.height)
        self._columns = columns
        self._fitter = Fitter(self.tile)
        shape = (self.size.height, self.size.width)
        half = (shape[0] // 2, shape[1] // 2)
        self._y = np.full(shape, BLACK_LUMA, np.uint8)
        self._u, self._v = np.full(half, NO_COLOUR, np.uint8), np.full(half, NO_COLOUR, np.uint8)
        self._signs = [self._sign(f"{number} {name}") for number, name in enumerate(names, 1)]
        for number in range(len(names)):
            left, top = self.place(number)
            self._y[top : top + self.tile.height - 2, left : left + self.tile.width - 2] = _EMPTY_LUMA
            self._write(number)

    def place(self, number: int) -> tuple[int, int]:
        """Return the left and the top of a participant's tile, counted from 0."""
        row, column = divmod(number, self._columns)
        return column * self.tile.width, row * self.tile.height

    def show(self, number: int, frame: av.VideoFrame) -> None:
        """Put a picture of any size into a participant's tile."""
        picture = self._fitter.fit(frame, 0, None)
        left, top = self.place(number)
        for plane, content, part in (
            (self._y, picture.y, 1),
            (self._u, picture.u, 2),
            (self._v, picture.v, 2),
        ):
            height, width = content.shape
            plane[top // part : top // part + height, left // part : left // part + width] = content
        self._write(number)

    def frame(self) -> av.VideoFrame:
        """Return the whole as it is now: a copy."""
        return frame_of(Picture(self._y, self._u, self._v, 0, None))

    def _sign(self, text: str) -> Plane:
        scale = max(1, self.tile.height // 100)
        dots = np.kron(np.pad(lettered(text), 2), np.ones((scale, scale), np.uint8))
        return np.where(dots > 0, _LETTER_LUMA, BLACK_LUMA).astype(np.uint8)[:, : self.tile.width & ~1]

    def _write(self, number: int) -> None:
        left, top = self.place(number)
        sign = self._signs[number]
        height, width = sign.shape
        self._y[top : top + height, left : left + width] = sign
        for plane in (self._u, self._v):
            plane[top // 2 : (top + height) // 2, left // 2 : (left + width) // 2] = NO_COLOUR
