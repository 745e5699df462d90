"""One interface for the ways in which a terminal shows pictures."""

from typing import Final, Protocol

import numpy as np

from blink_cli.commands.show.pictures.abilities import PictureAbilities
from blink_cli.commands.show.pictures.half_blocks import Colours, HalfBlocks
from blink_cli.commands.show.pictures.kitty import KittyImages
from blink_cli.commands.show.pictures.pixels import Moves, Pixels, Place, centred
from blink_cli.commands.show.pictures.sixel import sixels

MOST_ENLARGED: Final = 8
"""Of a pixel in sixels, which a terminal does not scale."""


class Drawing(Protocol):
    """Draws pictures into one place of a screen, which is blank at first, and remembers what stands there."""

    in_thread: bool
    """Whether `frame` takes so long that it belongs on a worker thread."""

    def wanted(self, place: Place) -> tuple[int, int]:
        """Return into how many pixels (width, height) a picture should fit for a place."""

    def frame(self, pixels: Pixels, place: Place, move: Moves, most_bytes: int) -> tuple[bytes, bool]:
        """Return what shows pixels in the middle of a place, and whether that is all of it.

        Args:
            pixels: A picture that fits.
            place: Where.
            move: How the cursor gets there.
            most_bytes: Of one frame, where it can be less than all.

        """

    @property
    def covers(self) -> Place | None:
        """Cells that hold letters of a picture now; None of what is no letters."""

    def forget(self) -> None:
        """What stood there is gone, as is all that surrounds it."""

    def gone(self) -> bytes:
        """Return what takes away what blanks would not cover."""


class CellDrawing:
    """Half blocks, or letters."""

    in_thread = False

    def __init__(self, colours: Colours) -> None:
        self._blocks = HalfBlocks(colours)
        self._colours = colours
        self._stood: Place | None = None

    def wanted(self, place: Place) -> tuple[int, int]:
        """See `Drawing.wanted`. A pixel is a cell wide and half a cell high, which is nearly square."""
        return place.columns, place.rows * 2

    def frame(self, pixels: Pixels, place: Place, move: Moves, most_bytes: int) -> tuple[bytes, bool]:
        """See `Drawing.frame`."""
        if len(pixels) % 2:
            pixels = np.concatenate((pixels, np.zeros_like(pixels[:1])))
        pixels = pixels[: place.rows * 2, : place.columns]
        if self._colours is Colours.NONE:
            pixels = pixels[::2]
        rows = len(pixels) // self._blocks.pixels_per_row
        at = centred((rows, pixels.shape[1]), place)
        before = b""
        if at != self._stood:
            # A picture of another shape: what stands beside it is of the old one.
            before = b"" if self._stood is None else blank(self._stood, move)
            self._blocks.forget()
            self._stood = at
        written, complete = self._blocks.frame(pixels, at, move, most_bytes)
        return before + written, complete

    @property
    def covers(self) -> Place | None:
        """See `Drawing.covers`."""
        return self._stood

    def forget(self) -> None:
        """See `Drawing.forget`."""
        self._blocks.forget()
        self._stood = None

    def gone(self) -> bytes:
        """Nothing: blanks cover cells."""
        return b""


class KittyDrawing:
    """Kitty's protocol."""

    in_thread = True

    def __init__(self, abilities: PictureAbilities, first_id: int) -> None:
        self._abilities = abilities
        self._images = KittyImages(first_id)

    def wanted(self, place: Place) -> tuple[int, int]:
        """See `Drawing.wanted`."""
        return place.columns * self._abilities.cell_width, place.rows * self._abilities.cell_height

    def frame(self, pixels: Pixels, place: Place, move: Moves, most_bytes: int) -> tuple[bytes, bool]:  # noqa: ARG002 - an image is whole or not at all
        """See `Drawing.frame`."""
        height, width, _ = pixels.shape
        cell_height, cell_width = self._abilities.cell_height, self._abilities.cell_width
        # The terminal scales: as large as the place, in the picture's shape.
        scale = min(place.columns * cell_width / width, place.rows * cell_height / height)
        rows = max(1, round(height * scale / cell_height))
        columns = max(1, round(width * scale / cell_width))
        return self._images.frame(pixels, centred((rows, columns), place), move), True

    @property
    def covers(self) -> Place | None:
        """None: no letters."""
        return None

    def forget(self) -> None:
        """An image that text replaced is there still, until the next one takes its place."""

    def gone(self) -> bytes:
        """See `Drawing.gone`."""
        return self._images.gone()


class SixelDrawing:
    """Sixels."""

    in_thread = True

    def __init__(self, abilities: PictureAbilities) -> None:
        self._abilities = abilities

    def wanted(self, place: Place) -> tuple[int, int]:
        """See `Drawing.wanted`. The last row is left out: sixels that reach it scroll some terminals."""
        rows = max(1, place.rows - 1)
        return place.columns * self._abilities.cell_width, rows * self._abilities.cell_height

    def frame(self, pixels: Pixels, place: Place, move: Moves, most_bytes: int) -> tuple[bytes, bool]:  # noqa: ARG002 - as above
        """See `Drawing.frame`."""
        width, height = self.wanted(place)
        times = max(1, min(MOST_ENLARGED, width // pixels.shape[1], height // pixels.shape[0]))
        enlarged = pixels.repeat(times, axis=0).repeat(times, axis=1)
        rows = -(-enlarged.shape[0] // self._abilities.cell_height)
        columns = -(-enlarged.shape[1] // self._abilities.cell_width)
        return sixels(enlarged, centred((rows, columns), place), move), True

    @property
    def covers(self) -> Place | None:
        """None: no letters."""
        return None

    def forget(self) -> None:
        """Each picture is drawn whole."""

    def gone(self) -> bytes:
        """Nothing: blanks cover sixels."""
        return b""


def drawing_for(abilities: PictureAbilities, number: int) -> Drawing:
    """Return the best way of a terminal. `number` tells the places of a screen apart."""
    if abilities.kitty:
        return KittyDrawing(abilities, 0x626C0000 + 2 * number)  # `bl`: few others use these numbers
    if abilities.sixel:
        return SixelDrawing(abilities)
    return CellDrawing(abilities.colours)


def blank(place: Place, move: Moves) -> bytes:
    """Return what makes a place blank."""
    rows = (
        move(place.row + row, place.column) + b"\x1b[m" + b" " * place.columns for row in range(place.rows)
    )
    return b"".join(rows)
