"""What `lab compare` found, as a table and sentences. Pure."""

from collections.abc import Iterator
from typing import Final

from blink_cli.commands.names_shown import counted
from blink_cli.commands.show.layout import Cell, Column, Table
from blink_cli.core.identity.shown_name import printable
from blink_cli.lab.comparison.comparing import LEAST_SEEDS
from blink_cli.lab.comparison.document import Comparison, ComparisonRow, Verdict
from blink_cli.lab.comparison.figures import FIGURES

_WORDS: Final[dict[Verdict, tuple[str, str]]] = {
    "worse": ("WORSE", "bold red"),
    "better": ("better", "green"),
    "different": ("different", "yellow"),
    "cannot_tell": ("cannot tell", "dim"),
    "no_difference_shown": ("no difference shown", "dim"),
}
"""In the order of the table, with their looks."""

_DIGITS: Final = {figure.name: figure.digits for figure in FIGURES}


def comparison_table(found: Comparison) -> Table:
    """Show every row in which anything differs, the worst first."""
    order = list(_WORDS)
    rows = sorted((row for row in found.rows if not _is_equal(row)), key=lambda row: order.index(row.verdict))
    columns = (
        Column("verdict"),
        Column("case", "name"),
        Column("figure"),
        Column("A", right=True, rank=2),
        Column("B", right=True, rank=2),
        Column("difference", right=True, rank=1),
        Column("95 % interval", right=True),
        Column("runs", right=True, rank=3),
    )
    return Table(columns, tuple(_cells(row) for row in rows))


def _is_equal(row: ComparisonRow) -> bool:
    return row.verdict == "no_difference_shown" and row.low == row.high == 0.0


def _cells(row: ComparisonRow) -> tuple[Cell, ...]:
    word, look = _WORDS[row.verdict]
    if row.verdict == "worse" and row.allowed:
        word, look = "worse, allowed", "yellow"
    name = printable(row.case) if row.engine == "virtual" else f"{printable(row.case)}, {row.engine}"
    unit = f" {row.unit}" if row.unit else ""
    digits = _DIGITS[row.figure]
    runs = str(row.seeds_a) if row.paired else f"{row.seeds_a}, {row.seeds_b}"
    interval = (
        "-"
        if row.low is None or row.high is None
        else f"{row.low:+.{digits}f} to {row.high:+.{digits}f}{unit}"
    )
    return (
        Cell(word, look),
        Cell(name),
        Cell(row.figure),
        Cell(f"{row.a:.{digits}f}"),
        Cell(f"{row.b:.{digits}f}"),
        Cell(f"{row.difference:+.{digits}f}{unit}"),
        Cell(interval),
        Cell(runs),
    )


def comparison_lines(found: Comparison) -> Iterator[str]:
    """Say how much was compared, and what to believe of it."""
    equal = sum(1 for row in found.rows if _is_equal(row))
    yield (
        f"{found.worse} worse, {found.better} better, {found.different} different, "
        f"{found.no_difference_shown} without a difference shown ({equal} of them equal in every run)."
    )
    if found.cannot_tell:
        yield f"Of {found.cannot_tell} one cannot tell, since there are fewer than {LEAST_SEEDS} runs: use --seeds 10."
    if found.comparisons:
        yield (
            f"{counted(found.comparisons, 'comparison')}: all intervals together hold with {100 * found.confidence:.0f} %. "
            "A difference that is not shown may be there all the same."
        )
    for which, names in (("A", found.only_in_a), ("B", found.only_in_b)):
        if names:
            yield f"In {which} alone, and not compared: {', '.join(map(printable, names))}."
    if found.failed_in_b:
        yield f"WORSE: could be run in A and not in B: {', '.join(map(printable, found.failed_in_b))}."
