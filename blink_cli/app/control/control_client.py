"""The session of another process, through its control socket: the same port as a session in this one."""

import asyncio
import contextlib
import itertools
import socket
import sys
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import msgspec

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
from blink_cli.core.errors import BlinkError, session_ended
from blink_cli.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from blink_cli.app.control.event_stream import EventStream
    from blink_cli.core.api.events import Event


class ControlClient:
    """A connection to a running session. Implements `SessionPort`. Belongs to one event loop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello) -> None:
        """Use `connect`."""
        self.hello = hello
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._stream: EventStream | None = None
        self._ended = False
        self._tasks = TaskOwner("control client")
        self._reading = self._tasks.start(self._read(), name="read")

    @classmethod
    async def connect(cls, door: ControlDoor) -> Self:
        """Reach the session behind a door.

        Raises:
            NoSessionError: Nothing listens there.
            BlinkError: What listens does not answer, or is not a session that this program understands.

        """
        reader, writer = await _streams(door.connect())
        try:
            async with asyncio.timeout(HELLO_S):
                hello = greeted(await reader.readuntil())
        except TimeoutError as error:
            writer.transport.abort()
            raise does_not_answer() from error
        except (OSError, asyncio.IncompleteReadError) as error:
            writer.transport.abort()
            raise just_ending() from error
        except BaseException:
            writer.transport.abort()
            raise
        return cls(reader, writer, hello)

    async def ask(self, request: Request[R]) -> R:
        """See `SessionPort.ask`.

        Raises:
            NoSessionError: The session ended before it answered.
            BlinkError: It answered with something else than the request names: it is of another version.

        """
        if self._ended:
            raise session_ended()
        request_id = next(self._ids)
        answer: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = answer
        try:
            self._writer.write(encode_request(request_id, request))
            with contextlib.suppress(OSError):  # the reader sees the end too, and knows more
                await self._writer.drain()
            return decode_reply(request, await answer)
        except asyncio.CancelledError:
            if not self._ended:
                self._writer.write(encode_line(Cancel(id=request_id)))
            raise
        finally:
            del self._waiting[request_id]

    async def events(self) -> "AsyncGenerator[Event | Status, None]":
        """See `SessionPort.events`. At most one iteration at a time for a connection. It ends when the session has ended and freed its profile."""
        from blink_cli.app.control.event_stream import EventStream  # noqa: PLC0415 - a command that asks once needs no events

        # Listen first: events may stand in the same read as the answer.
        stream = self._stream = EventStream()
        try:
            yield await self.ask(Subscribe())
            while (event := await stream.next_event()) is not None:
                yield event
        finally:
            self._stream = None

    async def until_ended(self) -> None:
        """Return when the session has ended and freed its profile, or this is closed. Cancelling is safe."""
        await asyncio.wait((self._reading,))

    async def aclose(self) -> None:
        """Disconnect. Safe to call twice."""
        await self._tasks.aclose()
        self._end()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._reader.readuntil())
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, BlinkError):
            self._end()

    def _take(self, line: bytes) -> None:
        match decode_from_session(line):
            case Answer(id=request_id, reply=reply):
                waiting = self._waiting.get(request_id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
            case Refusal(id=request_id) as refusal:
                waiting = self._waiting.get(request_id) if request_id is not None else None
                if waiting is not None and not waiting.done():
                    waiting.set_exception(error_of(refusal))
            case Happening(event=content):
                if self._stream is not None:
                    self._stream.take(content)
            case Hello() | None:
                pass  # a kind of a later version

    def _end(self) -> None:
        self._ended = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(session_ended())
        if self._stream is not None:
            self._stream.close()


async def _streams(connection: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    connection.settimeout(0)
    try:
        if sys.platform != "win32" and connection.family is socket.AF_UNIX:
            return await asyncio.open_unix_connection(sock=connection, limit=MAX_LINE_BYTES)
        return await asyncio.open_connection(sock=connection, limit=MAX_LINE_BYTES)
    except BaseException:
        connection.close()
        raise
