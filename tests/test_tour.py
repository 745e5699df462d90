"""What docs/tour.md shows stands where it says."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.no_clock

ROOT = Path(__file__).parents[1]


def test_every_name_of_the_tour_stands_on_its_line() -> None:
    tool = runpy.run_path(str(ROOT / "scripts" / "make_tour_lines.py"))
    text = (ROOT / "docs" / "tour.md").read_text(encoding="utf-8")
    assert len(tool["PLACE"].findall(text)) > 30
    assert text == tool["updated"](text, ROOT), "run `python scripts/make_tour_lines.py`"
