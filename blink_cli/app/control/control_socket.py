"""Where a session's control socket is, and how both sides know that the other is the same user.

    UnixDoor       a Unix domain socket, 0600, in a folder of this user only (0700); both sides ask the kernel for the other's user.
                   Where the folder's path is too long for a socket, it is in a folder of a name that nobody can take first, told by a file
    LoopbackDoor   (loopback_door.py) a port of 127.0.0.1 and a file, 0600, with the port and a secret; the client's first line is the secret (Windows)

`control_door` of door_choice.py chooses. A door is opened by the session that holds the profile's lock: whatever an earlier session left lying there is stale.
Clients reach it by a socket that blocks, so that those without an event loop need none.
"""

import errno
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from blink_cli.app.control.peer_credentials import peer_uid
from blink_cli.core.api.control_protocol import MAX_LINE_BYTES
from blink_cli.core.errors import BlinkError, IdentityError, NoSessionError
from blink_cli.files.private_folder import make_private
from blink_cli.files.reading import NotPrivateError, read_private

if TYPE_CHECKING:
    import asyncio

MAX_SOCKET_PATH_BYTES: Final = 103
"""sockaddr_un.sun_path holds 104 bytes on macOS and the BSDs, 108 on Linux, its final zero included."""

MOST_ADDRESS_BYTES: Final = 4096

_SOCKET: Final = "control.sock"

CONNECT_S: Final = 1.0
"""Connecting takes microseconds, unless a session that stands still has a hundred clients waiting."""

Connected = Callable[["asyncio.StreamReader", "asyncio.StreamWriter"], None]


class ControlDoor(Protocol):
    """One way for local processes of this user to reach a session."""

    async def listen(self, connected: Connected) -> "asyncio.Server":
        """Let clients in; `connected` is called for each, on the event loop, before anything is known of it.

        Raises:
            BlinkError: The system does not let us.

        """

    async def admits(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> bool:
        """Return whether the client is this user's. Reads what the door asks of a client, nothing more."""

    def connect(self) -> socket.socket:
        """Reach the session. Blocks, for microseconds as a rule and `CONNECT_S` at most; the caller closes the socket.

        Raises:
            NoSessionError: Nothing listens.
            IdentityError: What listens belongs to another user, or could.
            BlinkError: It lets nobody in.

        """

    def remove(self) -> None:
        """Leave nothing behind. Safe to call twice."""


class UnixDoor:
    """A socket file in the profile's runtime folder; in a new private folder beside other temporary ones when its path is too long."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        near = directory / _SOCKET
        self._told_by = (
            None if len(os.fsencode(near)) <= MAX_SOCKET_PATH_BYTES else directory / "control.path"
        )
        self.path = near
        """Where it is told by a file: known once it listens, or was connected to."""

    async def listen(self, connected: Connected) -> "asyncio.Server":
        """See `ControlDoor.listen`."""
        import asyncio  # noqa: PLC0415 - clients may have no event loop

        make_private(self._directory)
        try:
            self._choose_place()
            server = await asyncio.start_unix_server(connected, self.path, limit=MAX_LINE_BYTES)
        except OSError as error:
            raise BlinkError(
                f"The control socket cannot be made: {self.path}: {error.strerror or error}.",
                hint="Check that the folder can be written; XDG_RUNTIME_DIR chooses another.",
            ) from error
        # Nobody else could connect before this line either: the folder is ours alone.
        self.path.chmod(0o600)
        return server

    async def admits(self, reader: "asyncio.StreamReader", writer: "asyncio.StreamWriter") -> bool:  # noqa: ARG002 - a door that needs no line
        """See `ControlDoor.admits`."""
        return _is_ours(writer.get_extra_info("socket"))

    def connect(self) -> socket.socket:
        """See `ControlDoor.connect`."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            self._find_place()
            connection.settimeout(CONNECT_S)
            connection.connect(os.fspath(self.path))
            connection.settimeout(None)
        except NotPrivateError as error:
            connection.close()
            raise IdentityError(
                f"{self._told_by} {error}.", hint="Remove it, or choose another --data-dir."
            ) from error
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
            connection.close()
            raise NoSessionError("No session is running.") from error
        except OSError as error:
            connection.close()
            raise BlinkError(
                f"The session cannot be reached: {self.path}: {error.strerror or error}."
            ) from error
        if not _is_ours(connection):
            connection.close()
            raise IdentityError(
                f"The control socket {self.path} belongs to another user.",
                hint="Remove it, or choose another --data-dir.",
            )
        return connection

    def remove(self) -> None:
        """See `ControlDoor.remove`."""
        self.path.unlink(missing_ok=True)
        if self._told_by is not None and self._told_by.exists():
            with suppress(OSError):
                self.path.parent.rmdir()
            self._told_by.unlink(missing_ok=True)

    def _choose_place(self) -> None:
        if self._told_by is not None:
            with suppress(OSError, NotPrivateError):  # a session that crashed left it
                self._find_place()
                self.remove()
            import tempfile  # noqa: PLC0415 - few folders are that long, and no client draws names

            from blink_cli.files.writing import write_over  # noqa: PLC0415 - as above

            # Not gettempdir(), where there is another: TMPDIR may be long as well. The name is drawn: nobody can have put anything there.
            short = "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()  # noqa: S108 - the folder made in it is this user's only
            self.path = Path(tempfile.mkdtemp(prefix="blink-", dir=short)) / _SOCKET
            write_over(self._told_by, os.fsencode(self.path))
        self.path.unlink(missing_ok=True)

    def _find_place(self) -> None:
        if self._told_by is not None:
            told = Path(os.fsdecode(read_private(self._told_by, MOST_ADDRESS_BYTES)))
            if told.name != _SOCKET:
                raise OSError(errno.EINVAL, f"{self._told_by} names no socket")
            self.path = told


def _is_ours(connection: socket.socket) -> bool:
    uid = peer_uid(connection)
    return sys.platform == "win32" or uid is None or uid == os.getuid()
