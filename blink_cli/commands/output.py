"""Where a command's words go: stdout is data, stderr is messages. With `--json`, data is one JSON document a line, errors included.

On a terminal, lines are broken between words and tables fit; in a file or a pipe a line is a line, however long, and nothing is left out.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from blink_cli.commands.show.terminal import columns_of, understands_escapes
from blink_cli.core.errors import BlinkError
from blink_cli.core.text.path_text import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blink_cli.commands.show.layout import Table
    from blink_cli.commands.show.styled import Line


class Output:
    """One command's stdout and stderr. Writes at once, so that a script that reads a pipe waits for nothing."""

    def __init__(self, *, json: bool, color: bool, quiet: bool) -> None:
        self.json = json
        self.color = color
        self._quiet = quiet

    def document(self, value: object) -> None:
        """Write one JSON document, as one line."""
        from blink_cli.core.text.json_text import encode_json  # noqa: PLC0415 - msgspec: words for people need none

        _write(sys.stdout, encode_json(value).decode())

    def line(self, text: str, *, hang: int = 2) -> None:
        """Write one line of data.

        Args:
            text: Without a newline.
            hang: By how much what does not fit on the line is indented below it.

        """
        _write(sys.stdout, _fitting(text, sys.stdout, hang))

    def drawn(self, line: str) -> None:
        """Write one line of a picture, as it is."""
        _write(sys.stdout, line)

    def table(self, table: "Table") -> None:
        """Write all of a table, as wide as the terminal at most."""
        from blink_cli.commands.show.layout import unfolded  # noqa: PLC0415 - 20 ms that most commands do not need

        columns = columns_of(sys.stdout)
        # One cell less: a terminal that is full to the edge waits with the next line in its own way.
        self.lines(unfolded(table, None if columns is None else columns - 1))

    def lines(self, lines: "Sequence[Line]") -> None:
        """Write lines that fit, with their colours where stdout is a terminal that wants them."""
        from blink_cli.commands.show.painting import as_text, for_terminal  # noqa: PLC0415 - as above

        escapes = understands_escapes(sys.stdout)
        _write(sys.stdout, for_terminal(lines, color=self.color) if escapes else as_text(lines))

    def message(self, text: str) -> None:
        """Tell the human who watches, if one does."""
        if not self._quiet:
            _write(sys.stderr, _fitting(text, sys.stderr, 2))

    @contextlib.contextmanager
    def for_now(self, text: str) -> Iterator[None]:
        """Show a few words on a terminal for as long as the context lasts, and leave no trace of them."""
        if self._quiet or not sys.stderr.isatty():
            yield
            return
        sys.stderr.write(text)
        sys.stderr.flush()
        try:
            yield
        finally:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def error(self, error: BlinkError) -> None:
        """Say what went wrong: a document on stdout with `--json`, else a sentence and a hint on stderr, which also tells what stdout has no room for.

        Raises:
            BrokenPipeError: Nobody reads it any more.
            OSError: Neither of the two takes it.

        """
        if self.json and self._told_in_json(error):
            return
        # Both may name a path, or what a stranger is called.
        lines = [_fitting(escaped(error.message), sys.stderr, 2)]
        if error.hint:
            lines.append(_fitting(f"  {escaped(error.hint)}", sys.stderr, 0))
        _write(sys.stderr, "\n".join(lines))

    def _told_in_json(self, error: BlinkError) -> bool:
        from blink_cli.core.api.replies.document import SCHEMA  # noqa: PLC0415 - as above

        body = {"code": error.code, "message": error.message, "hint": error.hint}
        try:
            self.document({"schema": SCHEMA, "error": body})
        except BrokenPipeError:
            raise
        except OSError:  # a full disk, most often; it may be the error that is told
            return False
        return True


def _write(stream: TextIO, text: str) -> None:
    # One write: lines of several programs that share a pipe do not mix.
    stream.write(f"{text}\n")
    stream.flush()


def _fitting(text: str, stream: TextIO, hang: int) -> str:
    columns = columns_of(stream)
    if columns is None or len(text) * 2 <= columns:
        return text
    from blink_cli.commands.show.cells import wrapped  # noqa: PLC0415 - as above

    return "\n".join(line for part in text.split("\n") for line in wrapped(part, columns, hang=hang))
