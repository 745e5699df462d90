"""The door of systems on which the kernel does not tell who connects: a port of 127.0.0.1 with a secret. See control_socket.py."""

import asyncio
import hmac
import secrets
import socket
from pathlib import Path
from typing import Final

import msgspec

from blink_cli.app.control.control_socket import CONNECT_S, MOST_ADDRESS_BYTES, Connected
from blink_cli.core.api.control_protocol import MAX_LINE_BYTES, Secret, decode_from_client, encode_line
from blink_cli.core.errors import BlinkError, IdentityError, NoSessionError, UsageError
from blink_cli.core.text.path_text import as_word
from blink_cli.files.private_folder import make_private
from blink_cli.files.reading import NotPrivateError, read_private
from blink_cli.files.writing import write_new

ADMISSION_S: Final = 2.0
"""How long a client of a loopback port may take to show the secret."""


class _Address(msgspec.Struct, frozen=True):
    """The content of a loopback door's file."""

    port: int
    secret: str


class LoopbackDoor:
    """A port of 127.0.0.1. Any local user can reach it, so the first line must be the secret from a file that only this user can read."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.path = directory / "control.json"
        self._secret = ""

    async def listen(self, connected: Connected) -> asyncio.Server:
        """See `ControlDoor.listen`."""
        make_private(self._directory)
        self.path.unlink(missing_ok=True)
        try:
            server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=MAX_LINE_BYTES)
        except OSError as error:
            raise BlinkError(
                f"No port of 127.0.0.1 can be opened for control: {error.strerror or error}."
            ) from error
        self._secret = secrets.token_urlsafe(32)
        address = _Address(port=server.sockets[0].getsockname()[1], secret=self._secret)
        write_new(self.path, msgspec.json.encode(address))
        return server

    async def admits(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:  # noqa: ARG002 - what it asks, it reads
        """See `ControlDoor.admits`."""
        try:
            async with asyncio.timeout(ADMISSION_S):
                shown = decode_from_client(await reader.readuntil())
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, UsageError):
            return False
        return isinstance(shown, Secret) and hmac.compare_digest(shown.secret.encode(), self._secret.encode())

    def connect(self) -> socket.socket:
        """See `ControlDoor.connect`."""
        try:
            address = msgspec.json.decode(read_private(self.path, MOST_ADDRESS_BYTES), type=_Address)
            connection = socket.create_connection(("127.0.0.1", address.port), timeout=CONNECT_S)
        except NotPrivateError as error:
            raise IdentityError(
                f"{self.path} {error}.",
                hint=f"Run `chmod 600 {as_word(self.path)}` and start the session again.",
            ) from error
        except (FileNotFoundError, ConnectionRefusedError, msgspec.DecodeError) as error:
            raise NoSessionError("No session is running.") from error
        except OSError as error:
            raise BlinkError(
                f"The session cannot be reached: {self.path}: {error.strerror or error}."
            ) from error
        connection.settimeout(None)
        connection.sendall(encode_line(Secret(secret=address.secret)))
        return connection

    def remove(self) -> None:
        """See `ControlDoor.remove`."""
        self.path.unlink(missing_ok=True)
