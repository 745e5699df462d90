"""The page of a comparison: what was found stands in it, and every interval is drawn where it lies."""

import random
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from typing_extensions import override

from blink_cli.lab.comparison.comparing import compare
from blink_cli.lab.comparison.document import Comparison
from blink_cli.lab.html_report.comparison_page import comparison_page
from tests.lab.comparison.reports import case, report

pytestmark = pytest.mark.no_clock


def found(label: str = "loss=3%") -> Comparison:
    draw = random.Random(5).gauss

    def cases(pesq: float, delay: float) -> list[dict[str, float]]:
        return [{"pesq": draw(pesq, 0.05), "delay": draw(delay, 2.0), "loss": 0.03}]

    a = [case(label, seed, cases(4.2, 90.0)) for seed in range(1, 9)]
    b = [case(label, seed, cases(3.6, 90.0)) for seed in range(1, 9)]
    return compare(report(a), report(b))


def rows_of(page: bytes) -> dict[str, ET.Element]:
    """Return the rows of the table, by their figure. The body of the table is well-formed XML too."""
    (body,) = re.findall(r"<tbody>.*</tbody>", page.decode(), re.DOTALL)
    return {row.attrib["data-figure"]: row for row in ET.fromstring(body)}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)


def test_every_figure_stands_there_with_its_interval() -> None:
    comparison = found()
    rows = rows_of(comparison_page(comparison, "before", "after"))
    assert {(row.figure, row.verdict) for row in comparison.rows} == {
        (figure, row.attrib["data-verdict"]) for figure, row in rows.items()
    }
    assert rows["pesq"].attrib["data-verdict"] == "worse"
    for row in comparison.rows:
        assert row.low is not None
        assert float(rows[row.figure].attrib["data-low"]) == row.low


def test_an_interval_is_drawn_on_its_side_of_zero() -> None:
    rows = rows_of(comparison_page(found(), "before", "after"))

    def places(figure: str) -> tuple[float, float, float, float]:
        zero, bar = rows[figure].findall(".//line")
        dot = rows[figure].find(".//circle")
        assert dot is not None
        return (
            float(bar.attrib["x1"]),
            float(dot.attrib["cx"]),
            float(bar.attrib["x2"]),
            float(zero.attrib["x1"]),
        )

    low, middle, high, zero = places("pesq")
    assert low < middle < high < zero
    low, middle, high, zero = places("delay")
    assert low < zero < high
    assert low < middle < high


def test_the_page_asks_nobody_and_takes_no_text_for_markup() -> None:
    page = comparison_page(found("<script>alert(1)</script>"), "a<b", "c&d").decode()
    parser = Tags()
    parser.feed(page)
    assert "svg" in parser.seen
    assert not parser.seen & {"script", "link", "img", "iframe"}
    assert "http://" not in page
    assert "https://" not in page
    assert "a&lt;b" in page
    assert page.startswith("<!doctype html>")
