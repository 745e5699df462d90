"""What the process says when it ends. A promise to scripts: numbers keep their meaning."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The program's exit codes."""

    DONE = 0
    """Done."""

    FAILED = 1
    """Failed: the sentence says why."""

    USAGE = 2
    """The command line, or a setting, is wrong."""

    NOT_FOUND = 3
    """No such peer, call or device, or nobody answered in time; or an extra that is not installed."""

    NO_SESSION = 4
    """No session of this profile is running."""

    AUDIO_DEVICE = 5
    """An audio device or a camera cannot be used."""

    ASSERTION_FAILED = 6
    """The command ran, and what it checked is not so."""

    INTERRUPTED = 130
    """Ctrl-C, SIGINT or SIGTERM."""
