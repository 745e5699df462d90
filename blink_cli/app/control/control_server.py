"""The control socket of a running session: lets other processes of this user ask, and listen. Protocol: core/api/control_protocol.py.

    accept ─ admitted? ─ hello ─┬─ read a line ─ request ─ a task of its own ─ session.ask ─ reply or error ─┐
                                │                subscribe ─ session.events ─ event, event, …               ├─ one writer, one line at a time
                                └─ read a line ─ cancel                                                     ┘

Nothing a client does holds up the session or another client. One that does not read stops only itself: its answers wait in its own
tasks (32 at most), its events wait in the session's backlog for it, where the oldest are dropped and counted (`EventsMissed`).
"""

import asyncio
import contextlib
import logging
from types import TracebackType
from typing import Final, Self

from blink_cli.app.control.control_socket import ControlDoor
from blink_cli.core.api.control_protocol import (
    MAX_LINE_BYTES,
    MAX_REQUESTS_IN_FLIGHT,
    Answer,
    Ask,
    Cancel,
    CancelledError,
    Hello,
    Refusal,
    Secret,
    ToClient,
    answer_of,
    decode_from_client,
    decode_request,
    encode_line,
    happening_of,
    refusal_of,
)
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import AnyRequest, Subscribe
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError, StateError, UsageError
from blink_cli.runtime.tasks import TaskOwner

MAX_CLIENTS: Final = 128
"""A shell script with a hundred commands side by side works; a loop that never closes is told so."""

LINGER_S: Final = 1.0
"""A client that closed its end may still read (`echo … | nc -U`): what is not answered by then is cancelled."""

PARTING_S: Final = 0.5
"""When the session ends: how long its last answers and events may take to reach those who read."""

_log = logging.getLogger(__name__)


class ControlServer:
    """Listens from `listen` to `stop_listening`; `aclose` lets go of those who are still connected. Belongs to one event loop."""

    def __init__(self, door: ControlDoor) -> None:
        self._door = door
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()
        self._tasks = TaskOwner("control")

    async def listen(self, session: SessionPort, hello: Hello) -> None:
        """Let clients in, for as long as the session answers.

        Raises:
            BlinkError: The socket cannot be made.

        """

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            client = _Client(session, reader, writer)
            self._clients.add(client)
            self._tasks.start(self._attend(client, hello), name="client")

        self._server = await self._door.listen(connected)

    async def stop_listening(self) -> None:
        """Take no more clients and no more requests, and remove the socket; what was asked may still be answered."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._door.remove()
        for client in self._clients:
            client.stop_reading()

    async def aclose(self) -> None:
        """Let go of every client. Safe to call twice. Call it when the session has ended, so that its last words are heard."""
        await self.stop_listening()
        for client in self._clients:
            client.let_go()
        await self._tasks.aclose(patience_s=PARTING_S)

    async def _attend(self, client: "_Client", hello: Hello) -> None:
        try:
            if not await self._door.admits(client.reader, client.writer):
                _log.warning("a control client was refused: it is not this user's")
                return
            if len(self._clients) > MAX_CLIENTS:
                error = StateError(
                    f"{MAX_CLIENTS} programs are connected to this session.", hint="End some of them."
                )
                await client.send(refusal_of(None, error))
                return
            await client.send(hello)
            await client.run()
        except OSError:
            _log.debug("a control client went away", exc_info=True)
        finally:
            self._clients.discard(client)
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Client:
    """One connection."""

    def __init__(
        self, session: SessionPort, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._session = session
        self._requests: dict[int, asyncio.Task[None]] = {}
        self._tasks = TaskOwner("control/client")
        self._writing = asyncio.Lock()
        self._subscribed = False
        self._stopped = asyncio.Event()
        self._over = asyncio.Event()

    def stop_reading(self) -> None:
        """The session ends: no further request."""
        self._stopped.set()

    def let_go(self) -> None:
        """The session has ended: who waited for that may know."""
        self._over.set()

    async def send(self, message: ToClient) -> None:
        """Write one line; waits while the client does not read.

        Raises:
            OSError: The client is gone.

        """
        async with self._writing:
            if self.writer.transport.is_closing():  # uvloop would say so with a RuntimeError
                raise ConnectionResetError("the client is gone")
            self.writer.write(encode_line(message))
            await self.writer.drain()

    async def run(self) -> None:
        """Read lines until the client, or the session, ends it; then let what is in work finish for a moment.

        While the session ends the connection stays: its end tells the client that the profile is free.
        """
        reading = self._tasks.start(self._read(), name="read")
        stopping = self._tasks.start(self._stopped.wait(), name="stop")
        await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        stopping.cancel()
        if self._stopped.is_set():
            await self._over.wait()
        if self._requests:
            await asyncio.wait(
                self._requests.values(), timeout=PARTING_S if self._stopped.is_set() else LINGER_S
            )

    async def close(self) -> None:
        """Cancel what is in work and drop the connection, whether the client reads or not."""
        await self._tasks.aclose()
        # What is written and not yet read goes with it when the client has had its time; `close` alone would wait for ever.
        if self.writer.transport.get_write_buffer_size():
            self.writer.transport.abort()
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()

    async def _read(self) -> None:
        while True:
            try:
                line = await self.reader.readuntil()
            except asyncio.LimitOverrunError:
                await self._refuse(None, UsageError(f"A line is longer than {MAX_LINE_BYTES} bytes."))
                return
            except (OSError, asyncio.IncompleteReadError):
                return  # gone, perhaps in the middle of a line that nobody will finish
            if line.strip():
                await self._take(line)

    async def _take(self, line: bytes) -> None:
        try:
            message = decode_from_client(line)
        except UsageError as error:
            await self._refuse(None, error)
            return
        match message:
            case Ask():
                await self._begin(message)
            case Cancel():
                if task := self._requests.get(message.id):
                    task.cancel()
                    await self._refuse(message.id, CancelledError("The request was cancelled."))
            case Secret():
                await self._refuse(None, UsageError("This door asks for no secret."))

    async def _begin(self, ask: Ask) -> None:
        # Refused, not delayed: a reader that waits for room would not notice that its client is gone.
        if ask.id in self._requests:
            await self._refuse(
                ask.id,
                UsageError(f"Request {ask.id} is not answered yet.", hint="Give each request a new id."),
            )
        elif len(self._requests) >= MAX_REQUESTS_IN_FLIGHT:
            await self._refuse(
                ask.id,
                StateError(
                    f"{MAX_REQUESTS_IN_FLIGHT} requests wait for their answer.", hint="Cancel one, or wait."
                ),
            )
        else:
            task = self._tasks.start(self._answer(ask), name=f"request {ask.id}")
            self._requests[ask.id] = task
            task.add_done_callback(lambda _: self._requests.pop(ask.id))

    async def _refuse(self, request_id: int | None, error: BlinkError) -> None:
        with contextlib.suppress(OSError):
            await self.send(refusal_of(request_id, error))

    async def _answer(self, ask: Ask) -> None:
        # An OSError here is the client's end; the session's own are told to the client by `_outcome`.
        with contextlib.suppress(OSError):
            try:
                request = decode_request(ask.request)
            except UsageError as error:
                await self.send(refusal_of(ask.id, error))
                return
            if isinstance(request, Subscribe):
                await self._tell_events(ask.id)
            else:
                await self.send(await self._outcome(ask.id, request))

    async def _outcome(self, request_id: int, request: AnyRequest) -> Answer | Refusal:
        try:
            return answer_of(request_id, await self._session.ask(request))
        except BlinkError as error:
            return refusal_of(request_id, error)
        except Exception as bug:  # noqa: BLE001 - its traceback goes to the log, its name to the one who waits for an answer
            _log.error("request %s failed", request, exc_info=bug)
            return refusal_of(request_id, BlinkError(f"The session failed on this request: {bug!r}."))

    async def _tell_events(self, request_id: int) -> None:
        if self._subscribed:
            await self.send(
                refusal_of(
                    request_id, StateError("This connection is subscribed already.", hint="Open another one.")
                )
            )
            return
        self._subscribed = True
        try:
            async with contextlib.aclosing(self._session.events()) as events:
                async for event in events:
                    await self.send(
                        answer_of(request_id, event) if isinstance(event, Status) else happening_of(event)
                    )
        finally:
            self._subscribed = False
