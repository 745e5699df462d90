"""The session of another process, for a command that asks, prints and ends: without an event loop, which takes longer to load than the command to run."""

import contextlib
import itertools
import socket
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from blink_cli.app.control.control_socket import ControlDoor
from blink_cli.app.control.first_line import HELLO_S, does_not_answer, just_ending
from blink_cli.core.api.control_protocol import (
    MAX_LINE_BYTES,
    Answer,
    Cancel,
    Happening,
    Hello,
    Refusal,
    decode_from_session,
    decode_reply,
    encode_line,
    encode_request,
    error_of,
    greeted,
)
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import R, Request, Subscribe
from blink_cli.core.errors import session_ended

if TYPE_CHECKING:
    from blink_cli.core.api.events import Event


class AskingClient:
    """A connection to a running session. Implements `SessionPort`; its coroutines wait in the socket, and never for an event loop. One thread."""

    def __init__(self, connection: socket.socket, hello: Hello, unread: bytes) -> None:
        """Use `connect`."""
        self.hello = hello
        self._connection = connection
        self._unread = unread
        self._ids = itertools.count(1)

    @classmethod
    def connect(cls, door: ControlDoor) -> Self:
        """Reach the session behind a door.

        Raises:
            NoSessionError: Nothing listens there.
            BlinkError: What listens does not answer, or is not a session that this program understands.

        """
        connection = door.connect()
        try:
            connection.settimeout(HELLO_S)
            line, unread = _line(connection, b"")
            connection.settimeout(None)
            return cls(connection, greeted(line), unread)
        except TimeoutError as error:
            connection.close()
            raise does_not_answer() from error
        except (OSError, EOFError) as error:
            connection.close()
            raise just_ending() from error
        except BaseException:
            connection.close()
            raise

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`. A signal that is raised as an exception takes the request back.

        Raises:
            NoSessionError: The session ended before it answered.
            BlinkError: It answered with something else than the request names: it is of another version.

        """
        request_id = next(self._ids)
        try:
            self._connection.sendall(encode_request(request_id, request))
            while True:
                match self._read():
                    case Answer(id=answered, reply=reply) if answered == request_id:
                        return decode_reply(request, reply)
                    case Refusal(id=answered) as refusal if answered == request_id:
                        raise error_of(refusal)
                    case _:
                        pass  # an event, or a kind of a later version
        except (OSError, EOFError) as error:
            raise session_ended() from error
        except KeyboardInterrupt:
            with contextlib.suppress(OSError):
                self._connection.sendall(encode_line(Cancel(id=request_id)))
            raise

    async def events(self) -> "AsyncGenerator[Event | Status, None]":
        """See `SessionPort.events`. Whoever asks in between loses the events that come before the answer."""
        from blink_cli.core.api.event_content import decode_event  # noqa: PLC0415 - a command that asks once needs no events

        yield await self.ask(Subscribe())
        while True:
            try:
                said = self._read()
            except (OSError, EOFError):
                return
            if isinstance(said, Happening) and (event := decode_event(said.event)) is not None:
                yield event

    def close(self) -> None:
        """Disconnect. Safe to call twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self) -> object:
        line, self._unread = _line(self._connection, self._unread)
        return decode_from_session(line)


def _line(connection: socket.socket, unread: bytes) -> tuple[bytes, bytes]:
    """Return the next line, and what came behind it.

    Raises:
        EOFError: There is none any more, or it is longer than any line.
        OSError: The connection is broken.

    """
    while b"\n" not in unread:
        more = connection.recv(64 * 1024)
        if not more or len(unread) > MAX_LINE_BYTES:
            raise EOFError
        unread += more
    line, _, rest = unread.partition(b"\n")
    return line, rest
