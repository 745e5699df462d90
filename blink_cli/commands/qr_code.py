"""A line as a QR code in the terminal: two modules to a character cell, light on dark."""

import io

from blink_cli.runtime.extras import needs_extra


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
