"""Tables for every width: no figure is cut, no row without its name, no line too wide."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.commands.show.cells import cells
from blink_cli.commands.show.layout import Cell, Column, Table, fitted, one_line_each, rows_that_fit, unfolded
from blink_cli.commands.show.styled import plain, width_of
from tests.commands.show.names import names

pytestmark = pytest.mark.no_clock

HEADINGS = ("rtt", "recv", "lost", "conceal", "far lost")
figures = st.one_of(
    st.integers(0, 10**9).map(str),
    st.floats(0, 99_999, allow_nan=False).map(lambda x: f"{x:.1f} ms"),
    st.just("-"),
)


@st.composite
def tables(draw: st.DrawFn, *, headed: bool = True) -> Table:
    """Between one and seven rows of figures."""
    columns = (
        Column("peer", "name"),
        *(Column(heading, right=True, rank=rank) for rank, heading in enumerate(HEADINGS, 1)),
    )
    rows = draw(
        st.lists(
            st.tuples(names, *(figures for _ in HEADINGS)),
            min_size=1,
            max_size=7,
            unique_by=lambda row: row[0],
        )
    )
    keep = draw(st.sampled_from(["", " (you)", " (…AbCdEf)"]))
    made = tuple(
        (Cell(name, keep=keep if number == 0 else ""), *map(Cell, texts))
        for number, (name, *texts) in enumerate(rows)
    )
    return Table(columns, made, headed=headed)


@given(table=tables(), columns=st.integers(20, 300))
def test_a_printed_table_has_every_figure_whole(table: Table, columns: int) -> None:
    lines = unfolded(table, columns)
    assert max(map(width_of, lines)) <= columns
    shown = "\n".join(map(plain, lines))
    for row in table.rows:
        for cell in row[1:]:
            assert cell.text in shown


@given(table=tables(), columns=st.integers(20, 300))
def test_a_table_in_one_place_drops_whole_columns_and_never_a_row(table: Table, columns: int) -> None:
    laid = fitted(table, columns)
    assert max(map(width_of, laid.lines)) <= columns
    assert len(laid.groups) == len(table.rows)
    left = [column for column in table.columns if column.heading not in laid.dropped]
    ranks = [column.rank for column in table.columns if column.heading in laid.dropped]
    assert min(ranks, default=99) > max(column.rank for column in left), "the highest rank leaves first"
    for row, group in zip(table.rows, laid.groups, strict=True):
        text = " ".join(map(plain, group))
        shown = [cell.text for column, cell in zip(table.columns, row, strict=True) if column in left[1:]]
        rest = text
        for figure in shown:
            assert figure in rest
            rest = rest.partition(figure)[2]
        assert plain(group[0]).strip()[0] == row[0].text.strip()[0]


@given(table=tables(headed=False), columns=st.integers(1, 120))
def test_a_panel_has_one_line_for_each_at_any_width(table: Table, columns: int) -> None:
    laid = one_line_each(table, columns)
    assert [len(group) for group in laid.groups] == [1] * len(table.rows)
    assert max(map(width_of, laid.lines)) <= columns
    left = [number for number, column in enumerate(table.columns) if column.heading not in laid.dropped]
    for row, group in zip(table.rows, laid.groups, strict=True):
        rest = plain(group[0])
        assert row[0].keep in rest or columns < 20
        for number in left[1:]:
            assert row[number].text in rest
            rest = rest.partition(row[number].text)[2]


@given(table=tables(), columns=st.integers(20, 200), rows=st.integers(1, 9))
def test_who_does_not_fit_is_named(table: Table, columns: int, rows: int) -> None:
    called = [f"peer{number}" for number in range(len(table.rows))]
    laid = fitted(table, columns)
    lines = [plain(one) for one in rows_that_fit(laid, called, rows, columns)]
    assert len(lines) <= rows
    if len(laid.lines) > rows:
        missing = int(lines[-1].split()[0])
        assert lines[-1].startswith(f"{missing} more: peer{len(table.rows) - missing}")
        assert len(lines) - 1 in {
            0,
            len(laid.heading) + sum(map(len, laid.groups[: len(table.rows) - missing])),
        }


@given(table=tables())
def test_a_file_has_everything_on_one_line_each(table: Table) -> None:
    lines = [plain(one) for one in unfolded(table, None)]
    assert len(lines) == 1 + len(table.rows)
    for row, text in zip(table.rows, lines[1:], strict=True):
        assert all(cell.whole in text for cell in row)


def test_names_that_begin_alike_are_told_apart_when_they_are_cut() -> None:
    rows = tuple(
        (Cell(f"participant of the long table {n}"), Cell("123456"), Cell("12")) for n in (11, 12, 13)
    )
    table = Table((Column("peer", "name"), Column("recv", right=True), Column("lost", right=True)), rows)
    lines = [plain(group[0]) for group in fitted(table, 30).groups]
    assert [text.split("  ")[0] for text in lines] == [f"participant…e {n}" for n in (11, 12, 13)]


def test_a_short_form_stands_in_for_a_long_one_and_a_block_for_a_row() -> None:
    did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    table = Table(
        (Column("nickname", "name"), Column("did"), Column("why", "words", rank=1)),
        ((Cell("anna"), Cell(did, short="z6MkhaXgBZDv…"), Cell("nothing listens there any more")),),
    )
    assert did in plain(unfolded(table, 120)[1])
    assert [plain(one) for one in unfolded(table, 60)[1:]] == [
        "anna      z6MkhaXgBZDv…  nothing listens there any more"
    ]
    narrow = [plain(one) for one in unfolded(table, 20)]
    assert narrow[0] == "anna"
    assert max(map(cells, narrow)) <= 20
    assert "z6MkhaXgBZDv…" in "".join(narrow)
