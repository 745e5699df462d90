"""`--help`: examples stand on one line, so that they can be copied."""

import re

import pytest

from blink_cli.commands.help_formatter import WholeExampleFormatter

pytestmark = pytest.mark.no_clock

EXAMPLE = "`blink set-camera test-src --then`"


def laid_out(text: str, width: int) -> str:
    formatter = WholeExampleFormatter(width=width)
    formatter.write_text(text)
    formatter.write_dl([("--option", text)])
    return formatter.getvalue()


@pytest.mark.parametrize("filling", range(1, 60))
def test_what_is_quoted_stays_on_one_line_wherever_it_begins(filling: int) -> None:
    text = f"{'x' * filling} for example {EXAMPLE}, or other-wise"
    printed = laid_out(text, 80)
    assert printed.count(EXAMPLE) == 2
    assert max(map(len, printed.splitlines())) <= 80
    assert re.sub(r"\s+|--option", "", printed) == 2 * re.sub(r"\s+", "", text)


def test_what_fits_on_no_line_is_broken_as_other_text_is() -> None:
    long = "`" + "word-word " * 20 + "`"
    printed = laid_out(long, 80)
    assert max(map(len, printed.splitlines())) <= 80
    assert not re.search("[\ue000-\uf8ff]", printed)
