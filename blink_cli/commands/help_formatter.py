"""Lays out `--help` so that what stands between backticks can be copied: click breaks lines at its spaces and hyphens as well."""

import re
from collections.abc import Sequence
from typing import Final

from typer._click.core import Context  # typer.core has both already
from typer._click.formatting import HelpFormatter
from typing_extensions import override

_QUOTED: Final = re.compile(r"`[^`\n]+`")

_LONGEST_PART: Final = 0.8
"""Of a line: what is longer is broken as other text is, as it would hardly fit on any line."""

_KEPT: Final = str.maketrans({" ": "\ue000", "-": "\ue001"})
_GIVEN_BACK: Final = str.maketrans({"\ue000": " ", "\ue001": "-"})
"""Of Unicode's private use: no line is broken there, and no text of ours has them."""


class WholeExampleFormatter(HelpFormatter):
    """Keeps on one line what stands between backticks, where it fits on one."""

    @override
    def write(self, string: str) -> None:
        super().write(string.translate(_GIVEN_BACK))

    @override
    def write_text(self, text: str) -> None:
        super().write_text(_kept(text, self.width - self.current_indent))

    @override
    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        room = self.width - col_max - col_spacing
        super().write_dl([(name, _kept(text, room)) for name, text in rows], col_max, col_spacing)


class WholeExampleContext(Context):
    """A command's context, whose help is laid out so."""

    formatter_class = WholeExampleFormatter


def _kept(text: str, room: int) -> str:
    """Return the text without places to break in what is quoted; `room` is the length of a line, in characters."""
    return _QUOTED.sub(
        lambda found: found[0].translate(_KEPT) if len(found[0]) <= _LONGEST_PART * room else found[0], text
    )
