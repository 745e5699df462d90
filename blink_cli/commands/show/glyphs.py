"""What bars and sparklines are made of, for the terminal that shows them. Pure.

Braille patterns where Unicode is drawn: they are one cell wide everywhere, where block elements are ambiguous (UAX #11) and take two on terminals set up
for East Asian text. Two columns of dots fit into a cell, so that eight cells have sixteen steps. ASCII elsewhere.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

_BRAILLE: Final = 0x2800
_LEFT: Final = (0x00, 0x40, 0x44, 0x46, 0x47)
_RIGHT: Final = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
"""Dots of a column, from below: none to four."""

STEPS: Final = 4
"""Of a sparkline; a value that is known is 1 at least."""


class Glyphs(msgspec.Struct, frozen=True):
    """The letters of one kind of terminal."""

    braille: bool

    @property
    def values_per_cell(self) -> int:
        """How many values of a sparkline stand in one cell."""
        return 2 if self.braille else 1

    def bar(self, filled: float, mark: float, columns: int) -> str:
        """Return a bar.

        Args:
            filled: How much of it is filled, 0 to 1.
            mark: Where a mark stands, 0 to 1; nowhere if it is not above `filled`.
            columns: Its cells.

        """
        halves = 2 * columns if self.braille else columns
        full, at = round(min(max(filled, 0.0), 1.0) * halves), round(min(max(mark, 0.0), 1.0) * halves)
        if not self.braille:
            cells = ["#" if cell < full else "." for cell in range(columns)]
            if at > full:
                cells[at - 1] = "|"
            return "".join(cells)
        dots = [_bar_cell(2 * cell, full) for cell in range(columns)]
        if at > full:
            dots[(at - 1) // 2] |= 0x47 if at % 2 else 0xB8
        return "".join(chr(_BRAILLE | cell) for cell in dots)

    def sparkline(self, heights: Sequence[int]) -> str:
        """Return values as a line of columns, each 1 to `STEPS` high; 0: not known, which is drawn as nothing."""
        if not self.braille:
            return "".join(" _.:#"[height] for height in heights)
        pairs = zip(heights[::2], [*heights[1::2], 0], strict=False)
        dots = (_LEFT[left] | _RIGHT[right] for left, right in pairs)
        return "".join(chr(_BRAILLE | dot) if dot else " " for dot in dots)


def _bar_cell(first: int, full: int) -> int:
    """Dots of one cell of a bar: four high where it is filled, one elsewhere."""
    left, right = first < full, first + 1 < full
    return (_LEFT[3] | 0x01 if left else _LEFT[1]) | (_RIGHT[3] | 0x08 if right else _RIGHT[1])


BRAILLE: Final = Glyphs(braille=True)
ASCII: Final = Glyphs(braille=False)

_WITHOUT_BRAILLE: Final = ("linux", "dumb", "vt", "ansi", "cons")
"""Consoles whose fonts have some hundred letters."""


def glyphs_for(environment: Mapping[str, str]) -> Glyphs:
    """Return those of a terminal, by what the environment says of it (TERM, and the locale of POSIX)."""
    locale = next((found for name in ("LC_ALL", "LC_CTYPE", "LANG") if (found := environment.get(name))), "")
    unicode_is_drawn = "utf-8" in locale.lower() or "utf8" in locale.lower()
    console = environment.get("TERM", "").startswith(_WITHOUT_BRAILLE)
    return BRAILLE if unicode_is_drawn and not console else ASCII
