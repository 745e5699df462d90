"""The bar of long work changes nothing for the work."""

import io
import sys

import pytest

from blink_cli.commands.rich_bar import rich_bar

pytestmark = pytest.mark.no_clock


def test_stdout_stays_what_it_is_while_a_bar_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    before = sys.stdout
    with rich_bar("checking", color=False) as bar:
        bar.entitle("checking terminal")
        bar(0.5)
        assert sys.stdout is before
    assert sys.stdout is before
