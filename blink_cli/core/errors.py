"""Every error that a user can meet, as one short tree.

    BlinkError
     ├── UsageError          the command line or a setting is wrong
     ├── NotFoundError       no such peer, call or device; or nobody answered in time
     ├── NoSessionError      nothing is running for this profile
     ├── NotInstalledError   an optional part of the program (an extra) is not installed
     ├── DeviceError         an audio device cannot be opened or used
     │    └── CameraError    a camera cannot be used, or its pictures cannot be encoded
     ├── StateError          not possible now: not in a call, already recording
     ├── IdentityError       the key file is unsafe, locked or damaged
     └── WireError           bytes from a stranger that are not a message of ours; never shown, only counted

Each carries the sentence that the user reads, a hint that says what to try, a code for scripts, and the process's exit code.
"""

from typing import ClassVar

from blink_cli.core.exit_codes import ExitCode


class BlinkError(Exception):
    """Something that the user can understand and act on."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BlinkError):
    """The command line or a setting is wrong."""

    code = "usage"
    exit_code = ExitCode.USAGE


class NotFoundError(BlinkError):
    """No such peer, call or device, or nobody answered in time."""

    code = "not_found"
    exit_code = ExitCode.NOT_FOUND


class NotInstalledError(BlinkError):
    """An optional part of the program is not installed. Scripts see the exit code of what is not found."""

    code = "not_installed"
    exit_code = ExitCode.NOT_FOUND


class NoSessionError(BlinkError):
    """Nothing is running for this profile."""

    code = "no_session"
    exit_code = ExitCode.NO_SESSION


def session_ended() -> NoSessionError:
    """Return what is to be said of a question that a session did not come to answer."""
    return NoSessionError("The session ended before it answered.", hint="Start it again with `blink serve`.")


class DeviceError(BlinkError):
    """An audio device cannot be opened or used."""

    code = "audio_device"
    exit_code = ExitCode.AUDIO_DEVICE


class CameraError(DeviceError):
    """A camera cannot be used, or its pictures cannot be encoded."""

    code = "camera"


class StateError(BlinkError):
    """Not possible in the present state, such as leaving without a call."""

    code = "state"


class IdentityError(BlinkError):
    """The key file is unsafe, locked or damaged."""

    code = "identity"


class WireError(BlinkError):
    """Bytes from a stranger that are not a message of ours. Counted and dropped, never raised to the top."""

    code = "wire"
