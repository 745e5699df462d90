"""How wide text is on a terminal: the one authority for tables, panels and prompts. Pure.

What a reader takes for one letter is a cluster of code points (UAX #29): a flag is two of them, a thumb with a skin tone too, a letter with an
accent may be. A cluster takes 0 to 2 cells. Terminals and libraries do not agree on all clusters; `is_settled` tells on which they do, and
`painting` draws the others so that what follows them stands right in any case.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

import wcwidth

ELLIPSIS: Final = "…"

_SETTLED_ONE: Final = (
    (0x20, 0x7E),
    (0xA1, 0xAC),
    (0xAE, 0x2FF),
    (0x370, 0x482),
    (0x48A, 0x52F),
    (0x2010, 0x2026),
    (0x2800, 0x28FF),
)
"""Latin, Greek, Cyrillic, dashes, quotes and Braille: one cell wherever Unicode is drawn."""

_SETTLED_TWO: Final = ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3))
"""Kana, ideographs, Hangul syllables: two cells."""

_ACCENTS: Final = (0x300, 0x36F)
_MOST_ACCENTS: Final = 2
"""On one letter; tmux keeps 21 bytes for a cluster."""

_UNIT: Final = r"(?:ms|s|min|h|%|dB|dBov|Hz|kHz|kb/s|b/s|kB|MB|ppm|channels?|packets|events)"
_WORD: Final = re.compile(rf"[(\[]?[+-]?\d[\d.,]*[ ]{_UNIT}(?![\w/])[,;.)]*|\S+")
"""A figure and its unit are one word: neither says anything without the other."""


def clusters(text: str) -> Iterator[str]:
    """The clusters of a text that holds no control characters, in order."""
    if text.isascii():
        yield from text
        return
    yield from wcwidth.iter_graphemes(text)


def cells(text: str) -> int:
    """How many cells a text takes."""
    return len(text) if text.isascii() else sum(map(cells_of_cluster, clusters(text)))


@lru_cache(maxsize=4096)
def cells_of_cluster(cluster: str) -> int:
    """How many cells one cluster takes."""
    return max(wcwidth.wcswidth(cluster), 0)


@lru_cache(maxsize=4096)
def is_settled(cluster: str) -> bool:
    """Whether every terminal, and every library that we write through, gives this cluster the width that it has here."""
    first, accents = ord(cluster[0]), cluster[1:]
    return (
        _within(first, _SETTLED_ONE if cells_of_cluster(cluster) == 1 else _SETTLED_TWO)
        and len(accents) <= _MOST_ACCENTS
        and all(_within(ord(accent), (_ACCENTS,)) for accent in accents)
    )


def cut(text: str, columns: int) -> str:
    """Return a text, or as much of its beginning as fits with an ellipsis behind it.

    Args:
        text: Words only: a figure that is cut is another figure.
        columns: At least 0.

    """
    if cells(text) <= columns:
        return text
    kept, room = [], columns - 1
    for cluster in clusters(text):
        room -= cells_of_cluster(cluster)
        if room < 0:
            break
        kept.append(cluster)
    return "".join(kept).rstrip() + ELLIPSIS if columns > 0 else ""


def wrapped(text: str, columns: int, *, hang: int = 0) -> list[str]:
    """Break a line between words, and a figure never from its unit.

    Spaces at the beginning stay, and the lines that follow begin with as many, and `hang` more. A word that is wider than a line (a DID, a path)
    stands whole on a line of its own, which a terminal goes on with below, so that it can be copied.
    """
    if cells(text) <= columns:
        return [text]
    indent = len(text) - len(text.lstrip(" "))
    start = " " * min(indent + hang, columns // 3)
    lines, line, room = [], " " * indent, columns - indent
    is_empty = True
    end = indent
    for word in _WORD.finditer(text, indent):
        gap = " " * (word.start() - end)
        end = word.end()
        width = cells(word.group())
        if not is_empty and len(gap) + width > room:
            lines.append(line)
            line, room, is_empty, gap = start, columns - len(start), True, ""
        if is_empty:
            gap = ""
        line += gap + word.group()
        room -= len(gap) + width
        is_empty = False
    lines.append(line)
    return lines


def folded(text: str, columns: int) -> list[str]:
    """Break a text between words where it can be, else within them: every line fits, and nothing is lost."""
    lines = []
    for whole in wrapped(text, columns):
        line, room = "", columns
        for cluster in clusters(whole):
            width = cells_of_cluster(cluster)
            if width > room and line:
                lines.append(line)
                line, room = "", columns
            line += cluster
            room -= width
        lines.append(line)
    return lines


def _within(code_point: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code_point <= high for low, high in ranges)
