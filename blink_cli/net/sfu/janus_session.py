"""A session at a Janus server over a WebSocket (subprotocol `janus-protocol`): the only module that knows the library for it.

    connect -> create -> attach, attach, ...       each handle is one connection of media
    a keepalive each second ... no answer for 2 s, or closed -> lost, told once

Nothing is done again by itself: whoever made the session decides what follows. Source: Janus's documentation, "Janus API" and "WebSockets".
"""

import asyncio
import contextlib
import logging
import secrets
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Literal, Self

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from blink_cli.core.api.sfu_server import SfuAccess
from blink_cli.core.errors import BlinkError, WireError
from blink_cli.runtime.patience import answer_within
from blink_cli.runtime.tasks import TaskOwner

CONNECT_S: Final = 2.0
KEEPALIVE_EVERY_S: Final = 1.0
ANSWER_S: Final = 2.0
"""A server that answers later stands still: so it is noticed within 3 s."""

MOST_MESSAGE_BYTES: Final = 256 * 1024
"""Of one message: who enters is told of all who publish, some 300 bytes each."""

MOST_WAITING: Final = 256
"""Requests without an answer."""

_log = logging.getLogger("websockets.client.sfu")
_log.setLevel(logging.WARNING)
"""The library logs each message at its level of debugging, and ours have secrets in them."""

_PLUGIN: Final = "janus.plugin.videoroom"
_PROTOCOL: Final = Subprotocol("janus-protocol")


class SfuError(BlinkError):
    """What a server for larger calls refused, or why it cannot be used."""

    code = "sfu"

    def __init__(self, message: str, *, number: int = 0, hint: str | None = None) -> None:
        super().__init__(
            message, hint=hint or "See `blink doctor`, and the section about Janus in docs/sfu.md."
        )
        self.number = number
        """Janus's own, of its errors or VideoRoom's; 0: none."""


class Description(msgspec.Struct, frozen=True):
    """A session description on its way."""

    type: str
    sdp: str


class _Created(msgspec.Struct, frozen=True):
    id: int = 0


class _PluginData(msgspec.Struct, frozen=True):
    data: dict[str, Any] = {}


class _Failure(msgspec.Struct, frozen=True):
    code: int = 0
    reason: str = ""


class _Message(msgspec.Struct, frozen=True):
    """What a server says. What is not read here is not looked at."""

    janus: str
    transaction: str = ""
    sender: int = 0
    data: _Created | None = None
    plugindata: _PluginData | None = None
    jsep: Description | None = None
    error: _Failure | None = None
    reason: str = ""


class Reply(msgspec.Struct, frozen=True):
    """What VideoRoom says to a request, or by itself."""

    data: dict[str, Any]
    jsep: Description | None = None


class JanusHandle:
    """One connection of media, described and steered by requests. Belongs to the event loop."""

    def __init__(self, session: "JanusSession", number: int) -> None:
        """Be attached."""
        self._session = session
        self.number: Final = number
        self.ended: Callable[[str], None] | None = None
        """Told why, when the server gives up its connection."""

    async def request(self, body: dict[str, Any], jsep: Description | None = None) -> Reply:
        """Ask VideoRoom, and return its answer.

        Raises:
            SfuError: It refuses, does not answer in time, or the session is lost.

        """
        told: dict[str, Any] = {"janus": "message", "handle_id": self.number, "body": body}
        if jsep is not None:
            told["jsep"] = jsep
        message = await self._session.ask(told)
        data = {} if message.plugindata is None else message.plugindata.data
        if "error_code" in data or "error" in data:
            number = data.get("error_code")
            raise SfuError(
                f"The SFU {self._session.url} refused: {str(data.get('error', 'for no reason'))[:200]}.",
                number=number if isinstance(number, int) else 0,
            )
        return Reply(data, message.jsep)

    async def detach(self) -> None:
        """Give the connection up; harmless when the session is lost."""
        await self._session.forget(self)


class JanusSession:
    """Use with `async with`. Belongs to one event loop."""

    def __init__(
        self,
        url: str,
        tasks: TaskOwner,
        *,
        lost: Callable[[str], None],
        access: SfuAccess = SfuAccess(),  # noqa: B008 - a value, and frozen
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: `ws://` or `wss://`, host and port.
            tasks: Owns reading and keepalives.
            lost: Told once, why, when the session is over although nobody closed it.
            access: How it proves who it is, and what it is told with every request.

        """
        self.url: Final = url
        self.rtt_s: float | None = None
        """Of the last keepalive."""

        self._tasks = tasks
        self._lost = lost
        self._access = access
        self._socket: ClientConnection | None = None
        self._session = 0
        self._handles: dict[int, JanusHandle] = {}
        self._waiting: dict[str, asyncio.Future[_Message]] = {}
        self._running: list[asyncio.Task[None]] = []
        self._over: str | None = None
        self._asks = asyncio.Event()
        self._asked_s: float | None = None

    @property
    def unanswered_s(self) -> float:
        """For how long it has owed an answer to a keepalive; 0: it owes none."""
        return 0.0 if self._asked_s is None else time.monotonic() - self._asked_s

    def ask_now(self) -> None:
        """Send a keepalive at once, to see whether it still answers, unless one is on its way."""
        if self._asked_s is None:
            self._asks.set()

    @property
    def remote_host(self) -> str | None:
        """The server's IP address; None while there is no connection, or for one that this machine alone has."""
        address = None if self._socket is None else self._socket.remote_address
        host = None if address is None else str(address[0])
        return None if host is None or host in ("::1", "127.0.0.1") else host

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(CONNECT_S):
                # Nothing is compressed: SDP is small, and a server need not spend memory on it. Its own keepalives tell of its life.
                self._socket = await connect(
                    self.url,
                    subprotocols=[_PROTOCOL],
                    compression=None,
                    open_timeout=None,
                    ping_interval=None,
                    close_timeout=0.2,
                    max_size=MOST_MESSAGE_BYTES,
                    proxy=None,
                    ssl=self._tls(),
                    logger=_log,
                )
        except TimeoutError as failure:
            raise SfuError(f"The SFU {self.url} does not answer within {CONNECT_S:g} s.") from failure
        except ssl.SSLCertVerificationError as failure:
            raise SfuError(
                f"The SFU {self.url} shows a certificate that is not trusted: {failure.verify_message}."
            ) from failure
        except (OSError, WebSocketException, UnicodeError) as failure:  # Unicode: a name that DNS cannot have
            raise SfuError(f"The SFU {self.url} cannot be reached: {_reason(failure)}.") from failure
        self._running = [self._tasks.start(self._read(self._socket), name="read from the SFU")]
        try:
            created = await self.ask({"janus": "create"})
            if created.data is None or not created.data.id:
                raise SfuError(f"The SFU {self.url} gave no session.")
            self._session = created.data.id
        except BaseException:
            await self.aclose()
            raise
        self._running.append(self._tasks.start(self._keep_alive(), name="keep the SFU's session"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the session and the connection. Safe to call twice; nothing is told."""
        first, self._over = self._over is None, self._over or "was closed here"
        if first and self._socket is not None and self._session:
            farewell = {"janus": "destroy", "session_id": self._session, "transaction": _transaction()}
            await self._send(self._socket, farewell)
        self._give_up_waiting()
        running, self._running = self._running, []
        for task in running:
            if task is not asyncio.current_task():
                task.cancel()
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def attach(self) -> JanusHandle:
        """Begin another connection of media.

        Raises:
            SfuError: It refuses, does not answer in time, or the session is lost.

        """
        made = await self.ask({"janus": "attach", "plugin": _PLUGIN})
        if made.data is None or not made.data.id:
            raise SfuError(f"The SFU {self.url} gave no handle.")
        handle = self._handles[made.data.id] = JanusHandle(self, made.data.id)
        return handle

    async def forget(self, handle: JanusHandle) -> None:
        """See `JanusHandle.detach`."""
        self._handles.pop(handle.number, None)
        if self._over is None and self._socket is not None:
            told = {"janus": "detach", "session_id": self._session, "handle_id": handle.number}
            await self._send(self._socket, told | {"transaction": _transaction()})

    async def ask(self, request: dict[str, Any]) -> _Message:
        """Send a request, and return the answer to it.

        Raises:
            SfuError: It refuses, does not answer in time, or the session is lost.

        """
        if self._over is not None or self._socket is None:
            raise SfuError(f"The SFU {self.url} {self._over or 'is not connected'}.")
        if len(self._waiting) >= MOST_WAITING:
            raise SfuError(f"The SFU {self.url} leaves too many requests without an answer.")
        told = {**request, "session_id": self._session} if self._session else request
        try:
            message = await self._answered(self._socket, told, _transaction())
        except TimeoutError as failure:
            raise SfuError(f"The SFU {self.url} does not answer within {ANSWER_S:g} s.") from failure
        if message.error is not None:
            raise SfuError(
                f"The SFU {self.url} refused: {message.error.reason[:200]}.", number=message.error.code
            )
        return message

    # inside

    def _tls(self) -> ssl.SSLContext | Literal[True] | None:
        """What the server's certificate is held against; True: what the system trusts; None: there is no TLS."""
        if not self.url.startswith("wss:"):
            return None
        if self._access.ca_pem is None:
            return True
        try:
            return ssl.create_default_context(cadata=self._access.ca_pem)
        except (ssl.SSLError, ValueError) as failure:  # ValueError: it is empty, or not ASCII
            raise SfuError(
                f"The SFU {self.url} cannot be judged: its authority's certificates cannot be read, {_reason(failure)}.",
                hint="`--sfu-ca`, or `ca` of `[sfu]`, names a PEM file: the certificate that signed the server's.",
            ) from failure

    async def _send(self, socket: ClientConnection, told: dict[str, Any]) -> None:
        if self._access.api_secret is not None:
            told["apisecret"] = self._access.api_secret
        if self._access.token is not None:
            told["token"] = self._access.token
        try:
            await socket.send(msgspec.json.encode(told).decode())
        except (OSError, WebSocketException) as failure:
            self._end(f"closed the connection: {_reason(failure)}")

    async def _answered(self, socket: ClientConnection, told: dict[str, Any], transaction: str) -> _Message:
        """Send this, and wait for the answer.

        Raises:
            TimeoutError: It does not come in time, or the server takes nothing any more, so that the buffer is full.
            SfuError: The session is lost.

        """
        answer: asyncio.Future[_Message] = asyncio.get_running_loop().create_future()
        self._waiting[transaction] = answer
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._send(socket, {**told, "transaction": transaction})
            return await answer_within(answer, ANSWER_S)
        finally:
            self._waiting.pop(transaction, None)

    async def _read(self, socket: ClientConnection) -> None:
        decoder = msgspec.json.Decoder(_Message)
        try:
            async for text in socket:
                try:
                    message = decoder.decode(text)
                except msgspec.DecodeError as failure:
                    raise WireError("it speaks another language than Janus") from failure
                self._heard(message)
        except (OSError, WebSocketException, WireError) as failure:
            self._end(f"closed the connection: {_reason(failure)}")
        else:
            self._end("closed the connection")

    def _heard(self, message: _Message) -> None:
        if message.janus == "ack" and message.transaction not in self._waiting:
            return
        waiting = self._waiting.get(message.transaction) if message.transaction else None
        if waiting is not None:
            # An ack is the answer to a keepalive, and of a message only the promise of one.
            if (message.janus != "ack" or message.transaction.startswith(_KEEPALIVE)) and not waiting.done():
                waiting.set_result(message)
            return
        if message.janus == "timeout":
            self._end("has forgotten this session")
        elif message.janus in ("hangup", "detached"):
            handle = self._handles.get(message.sender)
            if handle is not None and handle.ended is not None:
                handle.ended(message.reason or "the SFU closed it")

    async def _keep_alive(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEEPALIVE_EVERY_S):
                    await self._asks.wait()
            self._asks.clear()
            socket = self._socket
            if socket is None:
                return
            asked_s = self._asked_s = time.monotonic()
            told = {"janus": "keepalive", "session_id": self._session}
            try:
                answered = await self._answered(socket, told, _KEEPALIVE + _transaction())
            except TimeoutError:
                self._end(f"does not answer within {ANSWER_S:g} s")
                return
            except SfuError:
                return  # it is over, which was told
            if answered.error is not None:
                self._end("has forgotten this session")
                return
            self.rtt_s, self._asked_s = time.monotonic() - asked_s, None

    def _end(self, reason: str) -> None:
        if self._over is None:
            self._over = reason
            self._give_up_waiting()
            self._lost(f"the SFU {self.url} {reason}")

    def _give_up_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(SfuError(f"The SFU {self.url} {self._over}."))


_KEEPALIVE: Final = "k-"


def _transaction() -> str:
    return secrets.token_hex(6)


def _reason(failure: Exception) -> str:
    return str(failure)[:200] or type(failure).__name__
