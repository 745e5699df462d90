"""Letters for names in pictures: capitals of five by seven dots, drawn as data, since FFmpeg's builds for Python draw no text.

Accents are left out (Zoë is ZOE); what has no letter here is a box. So a name in any script takes its place, and is told by the number before it.
"""

import unicodedata
from typing import Final

import numpy as np

from blink_cli.video.picture import Plane

GLYPH_WIDTH: Final = 5
GLYPH_HEIGHT: Final = 7

# Each glyph is seven rows from above, each row five dots, the leftmost dot being the highest bit.
_ROWS: Final = {
    " ": "00 00 00 00 00 00 00", "A": "0E 11 11 1F 11 11 11", "B": "1E 11 11 1E 11 11 1E", "C": "0E 11 10 10 10 11 0E",
    "D": "1E 11 11 11 11 11 1E", "E": "1F 10 10 1E 10 10 1F", "F": "1F 10 10 1E 10 10 10", "G": "0E 11 10 17 11 11 0E",
    "H": "11 11 11 1F 11 11 11", "I": "0E 04 04 04 04 04 0E", "J": "07 02 02 02 02 12 0C", "K": "11 12 14 18 14 12 11",
    "L": "10 10 10 10 10 10 1F", "M": "11 1B 15 15 11 11 11", "N": "11 19 15 13 11 11 11", "O": "0E 11 11 11 11 11 0E",
    "P": "1E 11 11 1E 10 10 10", "Q": "0E 11 11 11 15 12 0D", "R": "1E 11 11 1E 14 12 11", "S": "0F 10 10 0E 01 01 1E",
    "T": "1F 04 04 04 04 04 04", "U": "11 11 11 11 11 11 0E", "V": "11 11 11 11 11 0A 04", "W": "11 11 11 15 15 1B 11",
    "X": "11 11 0A 04 0A 11 11", "Y": "11 11 0A 04 04 04 04", "Z": "1F 01 02 04 08 10 1F", "0": "0E 11 13 15 19 11 0E",
    "1": "04 0C 04 04 04 04 0E", "2": "0E 11 01 06 08 10 1F", "3": "1F 02 04 02 01 11 0E", "4": "02 06 0A 12 1F 02 02",
    "5": "1F 10 1E 01 01 11 0E", "6": "06 08 10 1E 11 11 0E", "7": "1F 01 02 04 08 08 08", "8": "0E 11 11 0E 11 11 0E",
    "9": "0E 11 11 0F 01 02 0C", "-": "00 00 00 1F 00 00 00", "_": "00 00 00 00 00 00 1F", ".": "00 00 00 00 00 0C 0C",
    ",": "00 00 00 00 0C 04 08", ":": "00 0C 0C 00 0C 0C 00", "!": "04 04 04 04 04 00 04", "?": "0E 11 01 02 04 00 04",
    "'": "04 04 08 00 00 00 00", "(": "02 04 08 08 08 04 02", ")": "08 04 02 02 02 04 08", "/": "00 01 02 04 08 10 00",
    "+": "00 04 04 1F 04 04 00", "&": "0C 12 14 08 15 12 0D", "@": "0E 11 01 0D 15 15 0E", "#": "0A 0A 1F 0A 1F 0A 0A",
}  # fmt: skip
_BOX: Final = "1F 11 11 11 11 11 1F"


def _dots(rows: str) -> Plane:
    bits = [
        [int(row, 16) >> (GLYPH_WIDTH - 1 - column) & 1 for column in range(GLYPH_WIDTH)]
        for row in rows.split()
    ]
    return np.array(bits, np.uint8)


_GLYPHS: Final = {letter: _dots(rows) for letter, rows in _ROWS.items()}
_UNKNOWN: Final = _dots(_BOX)


def lettered(text: str) -> Plane:
    """Return a text as dots, 1 where there is one: shape (7, 6 times the letters that are seen)."""
    letters = [
        _GLYPHS.get(letter, _UNKNOWN)
        for letter in unicodedata.normalize("NFKD", text).upper()
        # Accents stand on letters; what formats or joins is not seen.
        if unicodedata.category(letter) not in {"Mn", "Me", "Cf", "Cc"}
    ]
    gap = np.zeros((GLYPH_HEIGHT, 1), np.uint8)
    return np.hstack([part for letter in letters for part in (letter, gap)] or [gap])
