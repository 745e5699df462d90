"""docs/man/blink.1 says what the program does, and is what `man` and mandoc expect."""

import runpy
import subprocess
from pathlib import Path

import pytest

from blink_cli.lab.requirements import require_program

pytestmark = pytest.mark.no_clock

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "man" / "blink.1"


def test_the_page_is_made_of_the_program() -> None:
    page = runpy.run_path(str(ROOT / "scripts" / "make_man_page.py"))["page"]
    assert PAGE.read_text(encoding="ascii") == page(), "run `python scripts/make_man_page.py`"


def test_mandoc_finds_nothing_to_say_of_it() -> None:
    told = subprocess.run(
        [require_program("mandoc"), "-Tlint", "-W", "style", PAGE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in told.stdout.splitlines() if "missing date" not in line] == []


def test_man_shows_it() -> None:
    shown = subprocess.run(
        [require_program("man", debian_package="man-db"), "--warnings", "-E", "ascii", "-l", PAGE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert "blink offer PEER..." in shown.stdout
