"""Tables for a width. Pure: rows of cells in, lines out.

    fitted(table, 80)    one table; columns leave by priority         for what is drawn again and again in one place
    unfolded(table, 80)  columns that do not fit follow in a table below, each with the names again    for what is printed

Where even the name and the widest figure do not fit beside each other, either gives a block for each row instead. A figure is shown whole or not at
all; a name may be cut, with an ellipsis, but for what tells it from others (`Cell.keep`). Without a width (a file, a pipe) nothing is left out.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from blink_cli.commands.show.cells import ELLIPSIS, cells, clusters, cut, folded
from blink_cli.commands.show.styled import PLAIN, Line, Span, line

GAP: Final = 2
"""Cells between two columns."""

MOST_NAME_CELLS: Final = 24
LEAST_NAME_CELLS: Final = 10
"""A name is cut down to this before a column leaves."""

FAIR_NAME_CELLS: Final = 16
"""The same where the column is not lost, and follows below."""

LEAST_KEPT_NAME_CELLS: Final = 5
"""Of a name, before what is kept behind it."""

LEAST_WORDS_CELLS: Final = 16
"""Words are broken over lines of no less than this before a column leaves."""

LEAST_COLUMNS: Final = 3
"""Of a table that goes on below: with the name and one figure each, a block for each row is easier to read."""

_END_LETTERS: Final = 4
"""Of names that begin alike: `participant 12` and `participant 13`."""

Kind = Literal["name", "words", "figure"]


class Column(msgspec.Struct, frozen=True):
    """One figure, or name, of every row."""

    heading: str
    kind: Kind = "figure"
    """name: may be cut; words: may be broken over lines; figure: stands whole."""

    right: bool = False
    """Whether its cells end below each other."""

    rank: int = 0
    """Of columns that do not fit together the one of the highest rank leaves first."""


class Cell(msgspec.Struct, frozen=True):
    """What one row has in one column."""

    text: str
    style: str = PLAIN
    keep: str = ""
    """Stands behind the text and is never cut."""

    mark: str = ""
    """Stands in front of it, likewise."""

    short: str = ""
    """Says the same in fewer cells, for when there is no room."""

    @property
    def whole(self) -> str:
        """All of it."""
        return self.mark + self.text + self.keep


class Table(msgspec.Struct, frozen=True):
    """Rows of as many cells as there are columns. The first column names the row."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    headed: bool = True
    """Whether the headings are shown; without, cells say themselves what they are."""

    gap: int = GAP


class Laid(msgspec.Struct, frozen=True):
    """A table that fits."""

    heading: tuple[Line, ...]
    groups: tuple[tuple[Line, ...], ...]
    """The lines of each row, in order."""

    dropped: tuple[str, ...] = ()
    """Headings of the columns for which there was no room."""

    @property
    def lines(self) -> list[Line]:
        """All of it."""
        return [*self.heading, *(one for group in self.groups for one in group)]


def fitted(table: Table, columns: int | None) -> Laid:
    """Lay out a table; columns that do not fit are left out.

    Args:
        table: The rows.
        columns: Width of the terminal; None where there is none.

    """
    used = _used(table)
    if columns is None:
        return _drawn(table, used, _natural(table, used))
    shown = [number for number in used if table.columns[number].rank == 0]
    if _widths(table, shown, columns) is None or len(shown) == len(used) == 1:
        return _blocks(table, used, columns)
    return one_line_each(table, columns)


def one_line_each(table: Table, columns: int) -> Laid:
    """Lay out a table; columns that do not fit are left out, in the end all but the names.

    Args:
        table: The rows; no column is of words.
        columns: Width of the terminal, at least 1.

    """
    used = _used(table)
    shown = list(used)
    while (widths := _widths(table, shown, columns)) is None and len(shown) > 1:
        shown.remove(max(shown[1:], key=lambda number: (table.columns[number].rank, number)))
    dropped = tuple(table.columns[number].heading for number in used if number not in shown)
    return _drawn(table, shown, widths or [columns], dropped)


def unfolded(table: Table, columns: int | None) -> list[Line]:
    """Lay out a table; columns that do not fit follow in further tables below, each of which begins with the names."""
    used = _used(table)
    if columns is None:
        return _drawn(table, used, _natural(table, used)).lines
    for least_name in (FAIR_NAME_CELLS, LEAST_NAME_CELLS):
        if bands := _bands(table, used, columns, least_name):
            break
    else:
        return _blocks(table, used, columns).lines
    # A name looks the same in every table.
    names = min(widths[0] for _, widths in bands)
    lines: list[Line] = []
    for band, widths in bands:
        laid = _drawn(table, band, [names, *widths[1:]])
        lines += [*([line("")] if lines else []), *laid.lines]
    return lines


def rows_that_fit(laid: Laid, names: Sequence[str], rows: int, columns: int) -> list[Line]:
    """The lines of a table in so many rows of a terminal; who does not fit is named in the last: `2 more: dora, emil`.

    Args:
        laid: The table.
        names: What its rows are called, in order.
        rows: Room. Nothing is shown where not even the heading and a row, or the line about the rest, fit.
        columns: Width of the terminal.

    """
    if len(laid.lines) <= rows:
        return laid.lines
    shown: list[Line] = list(laid.heading)
    count = 0
    while count < len(laid.groups) and len(shown) + len(laid.groups[count]) < rows:
        shown += laid.groups[count]
        count += 1
    if count == 0:
        shown = []
    return [*shown, line(more_text(names[count:], columns), "dim")] if rows > 0 else []


def no_more_than(rows: int, lines: list[Line], columns: int) -> list[Line]:
    """The lines, or as many as there is room for and, in the last, how many there are more."""
    if len(lines) <= rows:
        return lines
    shown = max(rows - 1, 0)
    return [*lines[:shown], line(cut(f"{len(lines) - shown} more lines", columns), "dim")][:rows]


def more_text(names: Sequence[str], columns: int) -> str:
    """Who is not shown: `2 more: dora, emil`, with as many names as fit."""
    return cut(f"{len(names)} more: {', '.join(names)}", columns)


def _bands(
    table: Table, used: Sequence[int], columns: int, least_name: int
) -> list[tuple[list[int], list[int]]]:
    """The columns of each table, and their widths; empty where a table would be too narrow to be one."""
    name, *waiting = used
    bands: list[tuple[list[int], list[int]]] = []
    while waiting or not bands:
        band = [name]
        while waiting and _widths(table, [*band, waiting[0]], columns, least_name) is not None:
            band.append(waiting.pop(0))
        widths = _widths(table, band, columns, least_name)
        if widths is None or (waiting and len(band) < LEAST_COLUMNS):
            return []
        bands.append((band, widths))
    return bands


def _used(table: Table) -> list[int]:
    """The columns in which a row has something; the names always."""
    return [
        number
        for number, _ in enumerate(table.columns)
        if number == 0 or table.headed or any(row[number].whole for row in table.rows)
    ]


def _natural(table: Table, shown: Sequence[int]) -> list[int]:
    return [_widest(table, number, [row[number].whole for row in table.rows]) for number in shown]


def _widest(table: Table, number: int, texts: Sequence[str]) -> int:
    heading = [table.columns[number].heading] if table.headed else []
    return max(map(cells, [*heading, *texts]), default=0)


def _widths(
    table: Table, shown: Sequence[int], columns: int, least_name: int = LEAST_NAME_CELLS
) -> list[int] | None:
    """The width of each column so that all fit; None when they cannot.

    What is longest gives way first: long forms become short ones, then words are broken, then names are cut.
    """
    widths = _natural(table, shown)
    room = columns - table.gap * (len(shown) - 1)
    if sum(widths) <= room:
        return widths
    for position, number in enumerate(shown):
        # A name is cut below; but nobody needs all of one of 64 letters to know who it is.
        if table.columns[number].kind == "name":
            widths[position] = min(widths[position], MOST_NAME_CELLS + _kept(table, number))
        else:
            widths[position] = _widest(
                table, number, [row[number].short or row[number].whole for row in table.rows]
            )
    for kind, least in (("words", LEAST_WORDS_CELLS), ("name", least_name)):
        for position, number in enumerate(shown):
            excess = sum(widths) - room
            if excess > 0 and table.columns[number].kind == kind:
                floor = min(widths[position], max(least, _least(table, number)))
                widths[position] = max(floor, widths[position] - excess)
    spare = room - sum(widths)
    if spare < 0:
        return None
    return _given_back(table, shown, widths, spare)


def _given_back(table: Table, shown: Sequence[int], widths: list[int], spare: int) -> list[int]:
    """Let cells be long again where there is room after all, the first columns first."""
    for position, wanted in enumerate(_natural(table, shown)):
        if table.columns[shown[position]].kind == "figure" and wanted - widths[position] > spare:
            continue  # a long form fits whole or is of no use
        more = min(wanted - widths[position], spare)
        widths[position] += more
        spare -= more
    return widths


def _least(table: Table, number: int) -> int:
    """What a name keeps in any case, or the longest word: a URL that is broken is none any more."""
    if table.columns[number].kind == "name":
        return _kept(table, number) + LEAST_KEPT_NAME_CELLS
    return max((cells(word) for row in table.rows for word in row[number].whole.split()), default=0)


def _kept(table: Table, number: int) -> int:
    return max((cells(row[number].mark) + cells(row[number].keep) for row in table.rows), default=0)


def _drawn(table: Table, shown: Sequence[int], widths: Sequence[int], dropped: tuple[str, ...] = ()) -> Laid:
    heading: tuple[Line, ...] = ()
    if table.headed:
        titles = [Cell(table.columns[number].heading, "bold") for number in shown]
        heading = tuple(_row(table, shown, widths, titles))
    groups = tuple(
        tuple(_row(table, shown, widths, [row[number] for number in shown]))
        for row in _told_apart(table, widths[0])
    )
    return Laid(heading, groups, dropped)


def _told_apart(table: Table, width: int) -> list[tuple[Cell, ...]]:
    """The rows; names that would look alike when they are cut have their ends instead of their middles."""
    if table.columns[0].kind != "name":
        return list(table.rows)
    looks = Counter(_cut_name(row[0], width) for row in table.rows)
    return [
        (_cut_in_the_middle(row[0], width), *row[1:]) if looks[_cut_name(row[0], width)] > 1 else row
        for row in table.rows
    ]


def _cut_in_the_middle(cell: Cell, width: int) -> Cell:
    room = width - cells(cell.mark) - cells(cell.keep)
    end = "".join(list(clusters(cell.text))[-_END_LETTERS:])
    if cells(cell.text) <= room or room < cells(end) + 2:
        return cell
    beginning = cut(cell.text, room - cells(end)).removesuffix(ELLIPSIS)
    return replace(cell, text=f"{beginning}{ELLIPSIS}{end}")


def _row(table: Table, shown: Sequence[int], widths: Sequence[int], row: Sequence[Cell]) -> list[Line]:
    parts = [
        _in_cell(table.columns[number], cell, width)
        for number, cell, width in zip(shown, row, widths, strict=True)
    ]
    lines = []
    for level in range(max(map(len, parts), default=0)):
        spans: list[Span] = []
        for position, (number, cell, width) in enumerate(zip(shown, row, widths, strict=True)):
            text = parts[position][level] if level < len(parts[position]) else ""
            padding = " " * (width - cells(text))
            if position:
                spans.append(Span(" " * table.gap))
            if table.columns[number].right:
                spans += (Span(padding), Span(text, cell.style))
            else:
                spans += (Span(text, cell.style), Span(padding))
        lines.append(_without_end(spans))
    return lines


def _in_cell(column: Column, cell: Cell, width: int) -> list[str]:
    if cells(cell.whole) <= width:
        return [cell.whole]
    if cell.short and cells(cell.short) <= width:
        return [cell.short]
    if column.kind == "words":
        return folded(cell.whole, width)
    return [_cut_name(cell, width)]


def _blocks(table: Table, shown: Sequence[int], columns: int) -> Laid:
    """A block for each row: its name, then a line for each figure."""
    name = shown[0]
    labels = max((cells(table.columns[number].heading) for number in shown[1:]), default=0)
    groups = []
    for row in table.rows:
        named = row[name]
        whole = folded(named.whole, columns)
        if table.columns[name].kind == "name":
            whole = [_cut_name(named, columns)]
        lines = [line(part, f"bold {named.style}".strip()) for part in whole]
        for number in shown[1:]:
            cell = row[number]
            if cell.whole:
                lines += _labelled(table.columns[number].heading, labels, cell, columns)
        groups.append(tuple(lines))
    return Laid((), tuple(groups))


def _cut_name(cell: Cell, width: int) -> str:
    room = width - cells(cell.mark) - cells(cell.keep)
    # Where not even what is to be kept leaves two letters of the name, the name is what counts.
    return cell.mark + cut(cell.text, room) + cell.keep if room > 1 else cut(cell.mark + cell.text, width)


def _labelled(label: str, labels: int, cell: Cell, columns: int) -> list[Line]:
    """`  label  value`; the value alone below the label, broken where it must be, when both do not fit."""
    indent = 2 if columns > 2 * MOST_NAME_CELLS // 3 else 1
    for text in (cell.whole, cell.short):
        for gap in (labels - cells(label) + 2, 1):
            if text and indent + cells(label) + gap + cells(text) <= columns:
                return [(Span(" " * indent + label + " " * gap, "dim"), Span(text, cell.style))]
    room = max(columns - 2 * indent, 2)
    return [
        line(cut(" " * indent + label, columns), "dim"),
        *((Span(" " * (columns - room)), Span(part, cell.style)) for part in folded(cell.whole, room)),
    ]


def _without_end(spans: Sequence[Span]) -> Line:
    """A line without spaces at its end."""
    kept = list(spans)
    while kept and not kept[-1].text.strip(" "):
        kept.pop()
    return tuple(kept)
