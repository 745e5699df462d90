"""Two reports held against each other, as one page: every figure with the interval in which its difference lies.

worse  |----o----|     |  0          the bar is the interval, the dot the difference, the upright line no difference
"""

from collections.abc import Iterable, Sequence
from typing import Final

from blink_cli.lab.comparison.document import Comparison, ComparisonRow, Verdict, VoiceDifference
from blink_cli.lab.comparison.figures import FIGURES
from blink_cli.lab.html_report.markup import Node, element, table_of
from blink_cli.lab.html_report.page_frame import whole_page

_MARKS: Final[dict[Verdict, tuple[str, str]]] = {
    "worse": ("✗ worse", "failed"),
    "better": ("✓ better", "passed"),
    "different": ("≠ different", "skipped"),
    "cannot_tell": ("? cannot tell", "skipped"),
    "no_difference_shown": ("- no difference shown", "skipped"),
}
"""In the order of the page, each with its class of `report.css`."""

_DIGITS: Final = {figure.name: figure.digits for figure in FIGURES}

_WIDTH_PX: Final = 180
_HEIGHT_PX: Final = 22
_EDGE_PX: Final = 8


def comparison_page(found: Comparison, a: str, b: str) -> bytes:
    """Make the page.

    Args:
        found: What was found.
        a: What A is, for people: its folder.
        b: Likewise.

    """
    order = list(_MARKS)
    rows = sorted(found.rows, key=lambda row: order.index(row.verdict))
    worse = found.outcome == "worse"
    return whole_page(
        f"{'✗ worse' if worse else '✓ not worse'}: blink lab compare",
        element(
            "main",
            element(
                "header",
                element(
                    "h1",
                    element(
                        "span",
                        "✗ worse" if worse else "✓ not worse",
                        class_=f"badge {'failed' if worse else 'passed'}",
                        data_outcome=found.outcome,
                    ),
                    " blink lab compare",
                ),
                element("p", "A: ", element("code", a), ". B: ", element("code", b), "."),
                element("p", *_counts(found)),
                *_not_compared(found),
            ),
            _table(rows),
            element(
                "footer",
                element(
                    "p",
                    f"A bar is the interval in which the difference of B from A lies; all {found.comparisons} of them together do so with "
                    f"{100 * found.confidence:.0f} % (Student's t, Bonferroni). One that holds the upright line, 0, shows no difference; there may be one all the same. "
                    "Bars of one figure have one scale.",
                ),
            ),
        ),
    )


def _counts(found: Comparison) -> Iterable[Node | str]:
    counted = (
        ("worse", found.worse, " worse, "),
        ("better", found.better, " better, "),
        ("different", found.different, " different, "),
        ("no_difference_shown", found.no_difference_shown, " without a difference shown, "),
        ("cannot_tell", found.cannot_tell, " of which one cannot tell."),
    )
    for key, count, text in counted:
        yield element("data", str(count), value=str(count), data_figure=key)
        yield text


def _not_compared(found: Comparison) -> Iterable[Node]:
    for which, names in (("A", found.only_in_a), ("B", found.only_in_b)):
        if names:
            yield element("p", f"In {which} alone, and not compared: {', '.join(names)}.", class_="note")
    if found.failed_in_b:
        yield element(
            "p", f"Could be run in A, and not in B: {', '.join(found.failed_in_b)}.", class_="error"
        )


def _table(rows: Sequence[ComparisonRow]) -> Node:
    reaches: dict[str, float] = {}
    for row in rows:
        ends = (row.difference, row.low or 0.0, row.high or 0.0)
        reaches[row.figure] = max(reaches.get(row.figure, 0.0), *(abs(end) for end in ends))
    return table_of(
        ("Verdict", "Case", "Figure", "Interval", "Voices"),
        ("A", "B", "Difference", "Runs"),
        (_row(row, reaches[row.figure]) for row in rows),
        class_="overview",
    )


def _row(row: ComparisonRow, reach: float) -> Node:
    text, class_ = _MARKS[row.verdict]
    if row.verdict == "worse" and row.allowed:
        text, class_ = "✗ worse, allowed", "skipped"
    digits = _DIGITS[row.figure]
    unit = f" {row.unit}" if row.unit else ""
    runs = str(row.seeds_a) if row.paired else f"{row.seeds_a}, {row.seeds_b}"
    return element(
        "tr",
        element("td", element("span", text, class_=f"badge {class_}")),
        element("td", row.case if row.engine == "virtual" else f"{row.case}, {row.engine}"),
        element("td", row.figure),
        element("td", _interval(row, reach, digits, unit)),
        element("td", _voices(row.voices, digits)),
        element("td", f"{row.a:.{digits}f}{unit}", class_="figure"),
        element("td", f"{row.b:.{digits}f}{unit}", class_="figure"),
        element("td", f"{row.difference:+.{digits}f}{unit}", class_="figure"),
        element("td", runs, class_="figure"),
        data_case=row.case,
        data_figure=row.figure,
        data_verdict=row.verdict,
        data_low="" if row.low is None else repr(row.low),
        data_high="" if row.high is None else repr(row.high),
    )


def _interval(row: ComparisonRow, reach: float, digits: int, unit: str) -> Node | str:
    """Draw where the difference lies; 0 stands in the middle, and lower is left."""
    if row.low is None or row.high is None:
        return "not known"

    def x_px(value: float) -> float:
        half_px = _WIDTH_PX / 2
        return half_px + (half_px - _EDGE_PX) * (value / reach if reach else 0.0)

    said = f"{row.low:+.{digits}f} to {row.high:+.{digits}f}{unit}"
    middle_px = _HEIGHT_PX / 2
    return element(
        "svg",
        element("title", said),
        element("line", x1=_WIDTH_PX / 2, x2=_WIDTH_PX / 2, y1=0.0, y2=float(_HEIGHT_PX), class_="mark"),
        element(
            "line",
            x1=x_px(row.low),
            x2=x_px(row.high),
            y1=middle_px,
            y2=middle_px,
            class_=f"interval {row.verdict}",
        ),
        element("circle", cx=x_px(row.difference), cy=middle_px, r=4.0, class_=f"interval {row.verdict}"),
        width=float(_WIDTH_PX),
        height=float(_HEIGHT_PX),
        role="img",
        aria_label=said,
    )


def _voices(voices: Sequence[VoiceDifference], digits: int) -> Node:
    return element(
        "details",
        element("summary", str(len(voices))),
        element(
            "ul",
            *(
                element(
                    "li",
                    f"{one.speaker} → {one.listener}: {one.a:.{digits}f}, {one.b:.{digits}f} ({one.difference:+.{digits}f})",
                )
                for one in voices
            ),
        ),
        class_="counted",
    )
