"""Where a command's words go: stdout is data, stderr is messages. With `--json`, data is one JSON document a line, errors included."""

import sys
from typing import TYPE_CHECKING

import msgspec

from blink_cli.core.errors import BlinkError
from blink_cli.core.replies import SCHEMA

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

WIDE_COLUMNS = 240
"""The width of tables that go into a file or a pipe: wide enough that no DID is cut."""


class Output:
    """One command's stdout and stderr. Writes at once, so that a script that reads a pipe waits for nothing."""

    def __init__(self, *, json: bool, color: bool, quiet: bool) -> None:
        self.json = json
        self.color = color
        self._quiet = quiet

    def document(self, value: object) -> None:
        """Write one JSON document, as one line."""
        self.line(msgspec.json.encode(value).decode())

    def line(self, text: str) -> None:
        """Write one line of data."""
        # One write: lines of several programs that share a pipe do not mix.
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def table(self, renderable: "RenderableType") -> None:
        """Write what rich can render, with its colours where stdout is a terminal that wants them."""
        self.console().print(renderable)
        sys.stdout.flush()

    def console(self) -> "Console":
        """Return the console that tables are written to."""
        from rich.console import Console  # noqa: PLC0415 - 80 ms that most commands do not need

        return Console(
            file=sys.stdout,
            no_color=not self.color,
            highlight=False,
            emoji=False,
            markup=False,
            width=None if sys.stdout.isatty() else WIDE_COLUMNS,
        )

    def message(self, text: str) -> None:
        """Tell the human who watches, if one does."""
        if not self._quiet:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def error(self, error: BlinkError) -> None:
        """Say what went wrong: a document on stdout with `--json`, else a sentence and a hint on stderr."""
        if self.json:
            body = {"code": error.code, "message": error.message, "hint": error.hint}
            self.document({"schema": SCHEMA, "error": body})
            return
        hint = f"\n  {error.hint}" if error.hint else ""
        sys.stderr.write(f"{error.message}{hint}\n")
        sys.stderr.flush()
