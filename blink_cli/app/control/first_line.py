"""A session that does not say its first line: why, and how long a client waits for it."""

from typing import Final

from blink_cli.core.errors import BlinkError, NoSessionError

HELLO_S: Final = 5.0
"""A session answers within milliseconds; one that is stopped (SIGSTOP) or stuck does not."""


def does_not_answer() -> BlinkError:
    """Return the error of a session that says nothing."""
    return BlinkError(
        "The session does not answer.",
        hint="It may be stopped or stuck; end its process and start it again.",
    )


def just_ending() -> NoSessionError:
    """Return the error of a session that hangs up."""
    return NoSessionError("The session is just ending.")
