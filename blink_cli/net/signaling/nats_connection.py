"""A connection to one of several NATS servers that is always there again: the only module that knows nats-py.

    connect ─> subscribe to what is wanted ─> up ─────────────> down: closed, refused, or no answer to a ping for 1.5 s
       ^                                                          │
       └── the next server, after 0.1 s, 0.2 s … 2 s  <────────────┘

Each connection is a client of its own: nats-py 2.16 closes itself for good on some of the server's errors, without a word, and its own reconnecting
sends what was meant for another moment. So nothing is kept while the connection is down: the gossip repeats what matters, and what it says is dated.
A server that stands still (its process stopped, its machine gone) answers no ping; what was published meanwhile, 2.5 s at most, may come out
late and is refused by its date.
"""

import asyncio
import contextlib
import logging
import random
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import nats
import nats.errors
from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from typing_extensions import override

from blink_cli.core.api.signal_server import SignalAccess, SignalServer
from blink_cli.core.errors import UsageError
from blink_cli.runtime.tasks import TaskOwner

_log = logging.getLogger(__name__)

CONNECT_S: Final = 2.0
PING_EVERY_S: Final = 1.0
PING_S: Final = 1.5
"""A server that answers later than this stands still."""

MOST_WAITING: Final = 512
"""Messages that wait to be written: more, and the oldest goes. They wait for one turn of the event loop."""

MOST_UNREAD: Final = 256
"""Messages of one subject that came and were not read: more, and nats-py drops them."""

_UNREAD_BYTES: Final = 512 * 1024
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 2.0
_CLOSE_S: Final = 1.0
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""`struct linger`: closed with a reset, and what waits is dropped."""


class _KnownWord(logging.Filter):
    """asyncio warns of nats-py's protocol each time that a TLS connection ends; nothing follows from it."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return "eof_received() has no effect when using ssl" not in record.getMessage()


class Message(NamedTuple):
    """What came."""

    data: bytes
    reply: str
    """Empty: none."""

    straight: bool
    """Whether it came on our inbox."""


_KNOWN_WORD: Final = _KnownWord()

Received = Callable[[Message], None]
"""Called on the event loop; must not raise."""


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """Whether signals go through a server now."""

    server: SignalServer
    """The one that is connected, or was tried last."""

    problem: str | None
    """Why it is not connected: the end of a sentence that begins with the server. None: it is."""


class _Publication(NamedTuple):
    subject: str
    data: bytes


class NatsConnection:
    """Belongs to one event loop; `async with` starts and stops it."""

    def __init__(
        self,
        servers: Sequence[SignalServer],
        access: SignalAccess,
        *,
        inbox: str,
        received: Received,
        changed: Callable[[ConnectionState], None],
    ) -> None:
        """Connect to nothing yet.

        Args:
            servers: Of one cluster, at least one.
            access: What they are told, and how they prove who they are.
            inbox: The subject that answers to us come on, and the reply of all that we publish.
            received: Told every message on it and on what is subscribed to.
            changed: Told when the connection comes and goes, and when its problem becomes another.

        Raises:
            UsageError: The certificates cannot be read.

        """
        assert servers, "somebody wants a server"
        self._servers = random.sample(servers, len(servers))
        logging.getLogger("asyncio").addFilter(_KNOWN_WORD)  # once, however often it is said
        self._tls = _tls(servers, access.ca_pem)
        self._credentials = _credentials(access.credentials)
        self._inbox = inbox
        self._received = received
        self._changed = changed
        self._wanted: frozenset[str] = frozenset()
        self._subscribed: dict[str, Subscription] = {}
        self._wants_changed = asyncio.Event()
        self._out: deque[_Publication] = deque()
        self._out_filled = asyncio.Event()
        self._client: Client | None = None
        """Of the present connection."""

        self._tasks = TaskOwner("nats")
        self._state: ConnectionState | None = None
        self._served = 0
        self.dropped = 0
        """Messages that were not sent: there was no connection, or too many waited."""

        self.rtt_s: float | None = None
        """Of the last ping; None while there is no connection."""

    @property
    def is_up(self) -> bool:
        """Whether messages are carried now."""
        return self._client is not None

    async def __aenter__(self) -> Self:
        self._tasks.start(self._run(), name="connection")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._tasks.aclose()

    def publish(self, subject: str, data: bytes) -> None:
        """Send at once, or never."""
        if not self.is_up:
            self.dropped += 1
            return
        if len(self._out) >= MOST_WAITING:
            self._out.popleft()
            self.dropped += 1
        self._out.append(_Publication(subject, data))
        self._out_filled.set()

    def subscribe(self, subjects: Collection[str]) -> None:
        """Listen to these from now on, besides the inbox, and to no others."""
        self._wanted = frozenset(subjects)
        self._wants_changed.set()

    async def drain(self) -> None:
        """Hand what waits to the server, if there is one that answers within a second."""
        client = self._client
        if client is None:
            return
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._write_waiting(client)
                await _round_trip_s(client)

    async def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            server = self._servers[self._served % len(self._servers)]
            self._served += 1
            began_s = time.monotonic()
            problem = await self._serve(server)
            self._tell(ConnectionState(server, problem))
            # Who was connected for a while begins anew; all who lose one server do not come back at one moment.
            wait_s = (
                _FIRST_WAIT_S
                if time.monotonic() - began_s > _LONGEST_WAIT_S
                else min(2 * wait_s, _LONGEST_WAIT_S)
            )
            await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))

    def _tell(self, state: ConnectionState) -> None:
        if state != self._state:
            self._state = state
            self._changed(state)

    async def _serve(self, server: SignalServer) -> str:
        """Be connected to one server until that is over, and return why."""
        client = Client()
        down: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def closed() -> None:
            _settle(down, "closed the connection")

        async def failed(failure: Exception) -> None:
            if not client.is_connected:
                # nats-py would try the same server again for as long as it is let: what its callback raises ends that.
                raise failure
            # A slow consumer costs the messages that it dropped, and no connection.
            if not isinstance(failure, nats.errors.SlowConsumerError):
                _settle(down, _reason(failure))

        try:
            async with asyncio.timeout(CONNECT_S):
                await client.connect(
                    servers=[server.full_url],
                    tls=self._tls if server.scheme == "tls" else None,
                    name="blink",
                    allow_reconnect=False,
                    no_echo=True,
                    connect_timeout=round(CONNECT_S),
                    closed_cb=closed,
                    disconnected_cb=closed,
                    error_cb=failed,
                    **self._credentials,
                )
            self._subscribed = {}
            await self._listen(client, self._inbox)
            await self._follow_wants(client)
            # A round trip: whatever is said on those subjects from now on comes.
            self.rtt_s = await _round_trip_s(client)
            self._out.clear()
            self._client = client
            self._tell(ConnectionState(server, None))
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._write(client), name="nats/write"),
                    group.create_task(self._keep_listening(client), name="nats/subscribe"),
                    group.create_task(self._ping(client, down), name="nats/ping"),
                ]
                reason = await down
                for task in tasks:
                    task.cancel()
        except TimeoutError:
            return f"does not answer within {CONNECT_S:g} s"
        except (nats.errors.Error, OSError, ssl.SSLError) as failure:
            return _reason(failure)
        except BaseExceptionGroup as failures:
            known, unknown = failures.split((nats.errors.Error, OSError))
            if unknown is not None or known is None:
                raise
            return _reason(known.exceptions[0])
        else:
            return reason
        finally:
            self._client = None
            self.rtt_s = None
            down.cancel()
            await _close(client)

    async def _listen(self, client: Client, subject: str) -> None:
        self._subscribed[subject] = await client.subscribe(
            subject, cb=self._take, pending_msgs_limit=MOST_UNREAD, pending_bytes_limit=_UNREAD_BYTES
        )

    async def _take(self, message: Msg) -> None:
        if message.headers is None:  # with headers come the server's own: nobody listens there
            self._received(Message(message.data, message.reply, message.subject == self._inbox))

    async def _follow_wants(self, client: Client) -> None:
        self._wants_changed.clear()
        wanted = self._wanted | {self._inbox}
        for subject in self._subscribed.keys() - wanted:
            await self._subscribed.pop(subject).unsubscribe()
        for subject in sorted(wanted - self._subscribed.keys()):
            await self._listen(client, subject)

    async def _keep_listening(self, client: Client) -> None:
        while True:
            await self._wants_changed.wait()
            await self._follow_wants(client)

    async def _write(self, client: Client) -> None:
        while True:
            await self._out_filled.wait()
            self._out_filled.clear()
            await self._write_waiting(client)

    async def _write_waiting(self, client: Client) -> None:
        while self._out:
            subject, data = self._out.popleft()
            await client.publish(subject, data, reply=self._inbox)

    async def _ping(self, client: Client, down: "asyncio.Future[str]") -> None:
        while True:
            await asyncio.sleep(PING_EVERY_S)
            try:
                self.rtt_s = await _round_trip_s(client)
            except nats.errors.TimeoutError:
                _settle(down, f"does not answer within {PING_S:g} s")
                return


async def _round_trip_s(client: Client) -> float:
    """By the monotonic clock: the loop's has a step of a millisecond."""
    began_s = time.monotonic()
    await client.flush(PING_S)  # type: ignore[arg-type]  # says int, waits for any number of seconds
    return time.monotonic() - began_s


def _settle(down: "asyncio.Future[str]", reason: str) -> None:
    if not down.done():
        down.set_result(reason)


async def _close(client: Client) -> None:
    """End it, whatever state it is in, and have nothing sent any more.

    What the kernel holds for a server out of reach it would go on sending for minutes after a plain close: an offer would ring whose caller is gone.
    """
    connection = client._transport
    if isinstance(connection, TcpTransport) and (writer := connection._bare_io_writer) is not None:
        socket_now = writer.get_extra_info("socket")
        if socket_now is not None and socket_now.fileno() >= 0:
            socket_now.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        writer.transport.abort()
    with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await client.close()


def _reason(failure: BaseException) -> str:
    text = str(failure).removeprefix("nats: ").strip("'\" ") or type(failure).__name__
    lower = text.lower()
    if "authorization" in lower or "authentication" in lower:
        return "refuses this session's credentials"
    if "permissions violation" in lower:
        return f"does not permit it ({lower})"
    if isinstance(failure, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not trusted: {failure.verify_message}"
    if isinstance(failure, ConnectionRefusedError):
        return "refuses connections"
    return f"cannot be used: {text}"


def _tls(servers: Sequence[SignalServer], ca_pem: str | None) -> ssl.SSLContext | None:
    if not any(server.scheme == "tls" for server in servers):
        return None
    try:
        return ssl.create_default_context(cadata=ca_pem)
    except ssl.SSLError as failure:
        raise UsageError(
            f"The certificates of the signal servers' authority cannot be read: {failure.reason or failure}.",
            hint="A PEM file: the certificate that signed the server's.",
        ) from failure


def _credentials(text: str | None) -> dict[str, Any]:
    if text is None:
        return {}
    return (
        {"user_credentials": RawCredentials(text)} if "USER JWT" in text else {"nkeys_seed_str": text.strip()}
    )
