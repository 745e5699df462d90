"""A line as a QR code in the terminal: two modules to a character cell, light on dark."""

import io
import sys

from blink_cli.commands.output import Output
from blink_cli.commands.show.terminal import columns_of
from blink_cli.runtime.extras import needs_extra


def show_qr(output: Output, text: str) -> None:
    """Draw the code, if the terminal is wide enough: broken lines are no code.

    Raises:
        NotInstalledError: The extra `nats` is not installed.

    """
    lines, columns = qr_lines(text), columns_of(sys.stdout)
    if columns is not None and columns < len(lines[0]):
        output.message(
            f"the QR code needs {len(lines[0])} columns, and this terminal has {columns}: make it wider or its letters smaller, and ask again"
        )
        return
    for line in lines:
        output.drawn(line)


def qr_lines(text: str) -> tuple[str, ...]:
    """Return the lines of the code.

    Raises:
        NotInstalledError: The extra `nats` is not installed.

    """
    with needs_extra("nats", "A QR code"):
        import segno  # noqa: PLC0415 - an extra
    drawn = io.StringIO()
    segno.make(text, error="l", boost_error=False, micro=False).terminal(drawn, compact=True)
    return tuple(drawn.getvalue().rstrip("\n").split("\n"))
