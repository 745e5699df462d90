"""One session per profile: a locked file that lasts exactly as long as the process that holds it.

The lock is the operating system's (flock; on Windows a locked byte), so a crash of any kind frees it. The file's text is only there
to name the process to people. It is removed at the end, by its holder, while it is still locked; whoever opened it just before
notices that the name now belongs to another file, or to none, and tries again.
"""

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from blink_cli.core.errors import BlinkError, StateError
from blink_cli.files.writing import open_kept

LOCK_NAME: Final = "session.lock"
"""In the profile's runtime folder."""

if sys.platform == "win32":
    import msvcrt

    # Behind the text: a locked byte cannot be read by others, and the process number shall be.
    _LOCKED_BYTE = 1 << 20

    def _try_lock(file: int) -> bool:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


class ProfileLock:
    """Held from `take` to `release`, or to the end of the process, however it ends. Never waits."""

    def __init__(self, path: Path, file: int) -> None:
        """Use `take`."""
        self._path = path
        self._file: int | None = file

    @classmethod
    def take(cls, path: Path, *, profile: str) -> Self:
        """Lock the profile for this process.

        Args:
            path: The lock file; its folder exists and belongs to this user only.
            profile: Its name, for the message.

        Raises:
            StateError: A session of this profile runs; names its process.
            BlinkError: The file cannot be made.

        """
        while True:
            try:
                file = open_kept(path)
            except OSError as error:
                raise BlinkError(
                    f"The lock of profile {profile!r} cannot be made: {path}: {error.strerror}.",
                    hint="Check who owns the folder and whether it can be written.",
                ) from error
            if not _try_lock(file):
                pid = _holder(file)
                os.close(file)
                raise StateError(
                    f"A session of profile {profile!r} is already running{f' (process {pid})' if pid else ''}.",
                    hint=f"Use it with other commands (`blink --profile {profile} status`), end it with `blink --profile {profile} quit`, "
                    "or choose another --profile.",
                )
            if _still_named(path, file):
                os.truncate(file, 0)
                os.lseek(file, 0, os.SEEK_SET)
                os.write(file, f"{os.getpid()}\n".encode())
                return cls(path, file)
            os.close(file)

    def release(self) -> None:
        """Let the next session in. Safe to call twice."""
        if self._file is None:
            return
        # An open file has a name on Windows until it is closed; there it stays, unlocked.
        if sys.platform != "win32":
            self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holding_process(path: Path) -> int | None:
    """Return the process that holds a profile's lock; None where none does, or the system does not tell without the lock being tried (Linux does).

    Trying it would, for a moment, keep a session from starting.
    """
    try:
        found = path.stat()
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    for line in locks.splitlines():
        fields = line.split()
        if len(fields) >= 6 and fields[1] == "FLOCK" and fields[5].endswith(f":{found.st_ino}"):
            return int(fields[4])
    return None


def _holder(file: int) -> int | None:
    os.lseek(file, 0, os.SEEK_SET)
    text = os.read(file, 32).strip()
    # Empty for the instant between its locking and its writing.
    return int(text) if text.isdigit() else None


def _still_named(path: Path, file: int) -> bool:
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(named, os.fstat(file))
