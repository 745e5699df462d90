"""Pictures by kitty's graphics protocol: pixels, compressed, in pieces of 4,096 bytes; the terminal scales them to a place of cells.

Source: https://sw.kovidgoyal.net/kitty/graphics-protocol/ (kitty, Ghostty, WezTerm, Konsole). Two images take turns: the new one is placed before the old one
is deleted, so that nothing flickers.
"""

import base64
import zlib
from typing import Final

from blink_cli.commands.show.pictures.pixels import Moves, Pixels, Place

_PIECE: Final = 4096

QUERY: Final = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Answered by `ESC _ G i=31;OK ESC \\` where pictures can be shown."""

ANSWER: Final = b"\x1b_Gi=31;OK"


class KittyImages:
    """Draws into one place of a screen."""

    def __init__(self, first_id: int) -> None:
        """Use the image numbers `first_id` and the next one, which nobody else in this terminal should use."""
        self._ids = (first_id, first_id + 1)
        self._turn = 0
        self._placed = False

    def frame(self, pixels: Pixels, at: Place, move: Moves) -> bytes:
        """Return what shows pixels there, in place of what was shown before."""
        height, width, _ = pixels.shape
        new, old = self._ids[self._turn], self._ids[1 - self._turn]
        self._turn = 1 - self._turn
        data = base64.b64encode(zlib.compress(pixels.tobytes(), 1))
        pieces = [data[begin : begin + _PIECE] for begin in range(0, len(data), _PIECE)]
        head = f"a=T,f=24,o=z,q=2,C=1,i={new},s={width},v={height},c={at.columns},r={at.rows},"
        written = [move(at.row, at.column)]
        for number, piece in enumerate(pieces):
            more = number < len(pieces) - 1
            written.append(b"\x1b_G%sm=%d;%s\x1b\\" % (head.encode() if number == 0 else b"", more, piece))
        if self._placed:
            written.append(_deleting(old))
        self._placed = True
        return b"".join(written)

    def gone(self) -> bytes:
        """Return what takes the picture away again."""
        if not self._placed:
            return b""
        self._placed = False
        return _deleting(self._ids[1 - self._turn])


def _deleting(image: int) -> bytes:
    return b"\x1b_Ga=d,d=I,q=2,i=%d\x1b\\" % image
