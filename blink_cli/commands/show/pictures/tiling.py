"""Where the pictures of several people stand beside each other. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from blink_cli.commands.show.cells import cells, cut
from blink_cli.commands.show.pictures.pixels import Place
from blink_cli.commands.show.styled import Line, Span, line

WIDE: Final = 16 / 9
"""The shape of most pictures."""

LEAST_ROWS: Final = 3
"""Of a picture in which something can be seen, and the name below it."""

LEAST_COLUMNS: Final = 8


@dataclass(frozen=True, slots=True)
class Tiling:
    """Where pictures stand, and the lines of the area, with their names."""

    places: dict[str, Place]
    lines: list[Line]


def tiled(names: Sequence[tuple[str, str]], area: Place) -> Tiling:
    """Divide an area among pictures so that each is as large as can be.

    Args:
        names: Of each picture its key, and what stands below it.
        area: The cells; more pictures than fit are left out, the last ones first.

    """
    shown = list(names)
    while shown and not _fits(len(shown), area):
        shown.pop()
    if not shown:
        return Tiling({}, [line("")] * area.rows)
    across = max(range(1, len(shown) + 1), key=lambda count: _seen(len(shown), count, area))
    down = -(-len(shown) // across)
    columns, rows = area.columns // across, area.rows // down
    places: dict[str, Place] = {}
    labels: dict[int, list[tuple[int, str]]] = {}
    for number, (key, name) in enumerate(shown):
        row, column = divmod(number, across)
        left = column * columns
        width = columns - (1 if column < across - 1 else 0)
        places[key] = Place(area.row + row * rows, area.column + left, rows - 1, width)
        text = cut(name, width)
        labels.setdefault(row * rows + rows - 1, []).append((left + (width - cells(text)) // 2, text))
    lines = [_label_line(labels.get(row, [])) for row in range(area.rows)]
    return Tiling(places, lines)


def _label_line(labels: Sequence[tuple[int, str]]) -> Line:
    spans: list[Span] = []
    at = 0
    for column, text in labels:
        spans += [Span(" " * (column - at)), Span(text, "dim")]
        at = column + cells(text)
    return tuple(spans) or line("")


def _fits(count: int, area: Place) -> bool:
    return any(_seen(count, across, area) > 0 for across in range(1, count + 1))


def _seen(count: int, across: int, area: Place) -> float:
    """How large a wide picture is, in cells, with so many in a row; 0: too small."""
    columns, rows = area.columns // across - 1, area.rows // -(-count // across) - 1
    if rows < LEAST_ROWS or columns < LEAST_COLUMNS:
        return 0.0
    width = min(columns, rows * 2 * WIDE)
    return width * width
