"""Text with a look, before it is known where it is shown. Pure."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from blink_cli.commands.show.cells import cells, folded, wrapped

PLAIN: Final = ""


class Span(NamedTuple):
    """A piece of a line."""

    text: str
    style: str = PLAIN
    """Words of `painting.LOOKS` with spaces between: `bold green`."""


class Room(NamedTuple):
    """How much of a terminal a view has."""

    columns: int
    rows: int
    scrolled: int = 0
    """By how many rows its lists begin later."""


Line = tuple[Span, ...]
"""One row of a terminal. It holds no control characters."""


def line(text: str, style: str = PLAIN) -> Line:
    """A line of one look."""
    return (Span(text, style),)


def plain(one: Line) -> str:
    """Its text."""
    return "".join(span.text for span in one)


def width_of(one: Line) -> int:
    """How many cells it takes."""
    return sum(cells(span.text) for span in one)


def wrapped_lines(text: str, columns: int, style: str = PLAIN, *, hang: int = 0) -> list[Line]:
    """A text between whose words lines are broken."""
    return [line(part, style) for part in wrapped(text, columns, hang=hang)]


def flowed(parts: Iterable[Span], columns: int, *, gap: str = "  ") -> list[Line]:
    """Put whole parts beside each other, and the next ones below where they do not fit any more."""
    lines: list[Line] = []
    row: list[Span] = []
    room = columns
    for part in (Span(text, long.style) for long in parts for text in folded(long.text, columns)):
        width = cells(part.text)
        if row and len(gap) + width <= room:
            row += (Span(gap), part)
            room -= len(gap) + width
            continue
        if row:
            lines.append(tuple(row))
        row, room = [part], columns - width
    if row:
        lines.append(tuple(row))
    return lines
