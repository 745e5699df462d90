"""What the process says when it ends. A promise to scripts: numbers keep their meaning."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The program's exit codes."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    """No such peer, call or device, or nobody answered in time."""

    NO_SESSION = 4
    AUDIO_DEVICE = 5
    ASSERTION_FAILED = 6
    """The command ran, and what it checked is not so."""

    INTERRUPTED = 130
