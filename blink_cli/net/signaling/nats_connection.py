"""A connection to one of several NATS servers that is always there again: the only module that knows nats-py.

    connect ─> subscribe to what is wanted ─> up ─────────────> down: closed, refused, no answer to a ping for 1.5 s, or our address is gone
       ^                                                          │
       └── the next server, after 0.1 s, 0.2 s … 2 s  <────────────┘

Each connection is a client of its own: nats-py 2.16 closes itself for good on some of the server's errors, without a word, and its own reconnecting
sends what was meant for another moment. So nothing is kept while the connection is down: the gossip repeats what matters, and what it says is dated.
A server that stands still (its process stopped, its machine gone) answers no ping; what was published meanwhile, 2.5 s at most, may come out
late and is refused by its date. One that sends more than is read at once answers behind it, and does not stand still.
"""

import asyncio
import binascii
import contextlib
import logging
import random
import re
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec
import nats
import nats.errors
import nkeys
from nats.aio.client import Client, RawCredentials
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport
from typing_extensions import override

from blink_cli.core.api.signal_server import SignalAccess, SignalServer
from blink_cli.core.errors import UsageError
from blink_cli.core.gossip.datagram import MAX_DATAGRAM_BYTES
from blink_cli.net.host.own_address import is_own_address
from blink_cli.net.signaling.flooded_subjects import FloodedSubjects
from blink_cli.runtime.tasks import TaskOwner

_log = logging.getLogger(__name__)

CONNECT_S: Final = 2.0
PING_EVERY_S: Final = 1.0
PING_S: Final = 1.5
"""A server that neither answers for so long nor sends anything else stands still."""

MOST_PINGS_S: Final = 6.0
"""One that answers later than this is of no use, whatever it sends."""

ADDRESS_LOOK_S: Final = 0.25
"""How often it is looked whether this machine still has the address from which the server was reached: without it nothing comes any more,
and a ping would tell that 1.5 to 2.5 s later."""

MOST_WAITING: Final = 512
"""Messages that wait to be written: more, and the oldest goes. They wait for one turn of the event loop."""

MOST_UNREAD: Final = 256
"""Messages of one subject that came and were not read: more, and nats-py drops them."""

_UNREAD_BYTES: Final = 512 * 1024
_ERROR_LINE: Final = re.compile(rb"-ERR '([^']{1,200})'")
_FIRST_WAIT_S: Final = 0.1
_LONGEST_WAIT_S: Final = 2.0
_FLOOD_TOLD_EVERY_S: Final = 60.0
_SEED_LINE: Final = re.compile(r"BEGIN USER NKEY SEED-+\s+(\S+)")
_CLOSE_S: Final = 1.0
_AT_ONCE: Final = struct.pack("ii", 1, 0)
"""`struct linger`: closed with a reset, and what waits is dropped."""


class _KnownWord(logging.Filter):
    """asyncio warns of nats-py's protocol each time that a TLS connection ends; nothing follows from it."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        return "eof_received() has no effect when using ssl" not in record.getMessage()


class _NoTlsError(nats.errors.Error):
    """The server speaks no TLS, and its URL demands it."""

    @override
    def __str__(self) -> str:
        return "offers no TLS, which tls:// demands"


class _SmallMessagesError(nats.errors.Error):
    """The server takes no message that a datagram fits into."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__()
        self._most_bytes = most_bytes

    @override
    def __str__(self) -> str:
        return f"takes messages of {self._most_bytes} bytes at most (`max_payload`), and a signal has up to {MAX_DATAGRAM_BYTES}"


class _Client(Client):
    """nats-py's, for which `tls://` means TLS: by itself 2.16 goes on in the clear, password and all, when a greeting that nobody signed says so.

    Tells of each message before it waits to be read.
    """

    def __init__(self, *, needs_tls: bool, came: Callable[[str, int], None]) -> None:
        super().__init__()
        self._needs_tls = needs_tls
        self._came = came

    @override
    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        if sid in self._subs:
            self._came(subject.decode("ascii", "replace"), len(data))
        await super()._process_msg(sid, subject, reply, data, headers)

    @override
    def _connect_command(self) -> bytes:
        connection = self._transport
        assert isinstance(connection, TcpTransport), "no other is asked for"
        assert connection._io_writer is not None, "it is connected"
        if self._needs_tls and connection._io_writer.get_extra_info("ssl_object") is None:
            raise _NoTlsError
        return super()._connect_command()


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


class ConnectionState(msgspec.Struct, frozen=True):
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
        probe: str | None = None,
    ) -> None:
        """Connect to nothing yet.

        Args:
            servers: Of one cluster, at least one.
            access: What they are told, and how they prove who they are.
            inbox: The subject that answers to us come on, and the reply of all that we publish.
            probe: A subject that nobody listens to. Whether it may be used is found out before the connection is said to be up.
            received: Told every message on it and on what is subscribed to.
            changed: Told when the connection comes and goes, and when its problem becomes another.

        Raises:
            UsageError: The certificates or credentials cannot be read.

        """
        assert servers, "somebody wants a server"
        self._servers = random.sample(servers, len(servers))
        logging.getLogger("asyncio").addFilter(_KNOWN_WORD)  # once, however often it is said
        self._tls = _tls(servers, access.ca_pem)
        self._credentials = _credentials(access.credentials)
        self._inbox = inbox
        self._probe = probe
        self._received = received
        self._changed = changed
        self._wanted: frozenset[str] = frozenset()
        self._subscribed: dict[str, Subscription] = {}
        self._wants_changed = asyncio.Event()
        self._out: deque[_Publication] = deque()
        self._out_filled = asyncio.Event()
        self._client: Client | None = None
        """Of the present connection."""

        self._ending = False
        self._down: asyncio.Future[str] | None = None
        """Of the present attempt: its result says why it is over."""

        self._tasks = TaskOwner("nats")
        self._state: ConnectionState | None = None
        self._served = 0
        self._floods = FloodedSubjects()
        self._flood_told_s = float("-inf")
        self.floods = 0
        """Times that subjects were left alone because more came on them than is read."""

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
        # nats-py, and `wait_for` of Python 3.11, swallow a cancellation that comes at a bad moment: the task looks at this as well.
        self._ending = True
        if self._down is not None:
            _settle(self._down, "is not needed any more")
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
        client, down = self._client, self._down
        if client is None or down is None:
            return
        with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._write_waiting(client)
                await _all_there(client, down)

    async def _run(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            server = self._servers[self._served % len(self._servers)]
            self._served += 1
            began_s = time.monotonic()
            problem = await self._serve(server)
            if self._ending:
                return
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
        client = _Client(needs_tls=server.scheme == "tls", came=partial(self._came, server))
        down: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._down = down

        async def closed() -> None:
            failure = client.last_error
            _settle(down, "closed the connection" if failure is None else _reason(failure))

        connecting = True

        async def failed(failure: Exception) -> None:
            if connecting and not client.is_connected:
                # nats-py would try the same server again for as long as it is let: what its callback raises ends that. Later it would end a
                # task of nats-py that nobody looks after.
                raise failure
            # A slow consumer costs the messages that it dropped, and no connection.
            if not isinstance(failure, nats.errors.SlowConsumerError):
                _settle(down, _reason(failure))

        try:
            async with asyncio.timeout(CONNECT_S):
                await client.connect(
                    servers=[server.full_url],
                    tls=self._tls,
                    name="blink",
                    allow_reconnect=False,
                    no_echo=True,
                    connect_timeout=round(CONNECT_S),
                    closed_cb=closed,
                    disconnected_cb=closed,
                    error_cb=failed,
                    **self._credentials,
                )
            connecting = False
            rtt_s = await self._all_permitted(client, down)
            if down.done():
                return down.result()
            self.rtt_s = rtt_s
            self._out.clear()
            self._client = client
            self._tell(ConnectionState(server, None))
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._write(client), name="nats/write"),
                    group.create_task(self._keep_listening(client), name="nats/subscribe"),
                    group.create_task(self._ping(client, down), name="nats/ping"),
                    group.create_task(_keep_address(client, down), name="nats/address"),
                ]
                reason = await down
                for task in tasks:
                    task.cancel()
        except TimeoutError:
            return f"does not answer within {CONNECT_S:g} s"
        except (nats.errors.Error, OSError, ssl.SSLError) as failure:
            return _last_words(client) or _reason(failure)
        except ExceptionGroup as failures:
            known, unknown = failures.split((nats.errors.Error, OSError))
            if unknown is not None or known is None:
                raise
            return _reason(known.exceptions[0])
        except (AttributeError, KeyError, TypeError, ValueError) as failure:
            # Of a greeting that has not the form of one: nats-py trusts it.
            _log.debug("%s greets strangely", server.url, exc_info=failure)
            return "is no NATS server"
        else:
            return reason
        finally:
            self._client = None
            self.rtt_s = None
            down.cancel()
            await _close(client)

    async def _all_permitted(self, client: Client, down: "asyncio.Future[str]") -> float:
        """Subscribe, and try what a session needs; returns the round trip.

        Raises:
            nats.errors.Error: It cannot be used.

        """
        if client.max_payload < MAX_DATAGRAM_BYTES:
            raise _SmallMessagesError(client.max_payload)
        self._subscribed = {}
        await self._listen(client, self._inbox)
        await self._follow_wants(client)
        if self._probe is not None:
            await client.subscribe(self._probe)
            await client.publish(self._probe, b"")
        # A round trip: whatever is said on those subjects from now on comes, and what is not permitted was told.
        return await _all_there(client, down)

    async def _listen(self, client: Client, subject: str) -> None:
        self._subscribed[subject] = await client.subscribe(
            subject, cb=self._take, pending_msgs_limit=MOST_UNREAD, pending_bytes_limit=_UNREAD_BYTES
        )

    async def _take(self, message: Msg) -> None:
        if message.headers is None:  # with headers come the server's own: nobody listens there
            self._received(Message(message.data, message.reply, message.subject == self._inbox))

    def _came(self, server: SignalServer, subject: str, size: int) -> None:
        now_s = time.monotonic()
        if not self._floods.take(subject, size, now_s):
            return
        self.floods += 1
        self._wants_changed.set()
        if now_s - self._flood_told_s >= _FLOOD_TOLD_EVERY_S:
            self._flood_told_s = now_s
            left_alone = len(self._floods.left_alone(now_s))
            _log.warning(
                "somebody floods this session through %s: %d of its %d subjects are not listened to for a second at a time",
                server.url,
                left_alone,
                len(self._subscribed),
            )

    async def _follow_wants(self, client: Client) -> None:
        self._wants_changed.clear()
        wanted = (self._wanted | {self._inbox}) - self._floods.left_alone(time.monotonic())
        for subject in self._subscribed.keys() - wanted:
            await self._subscribed.pop(subject).unsubscribe()
        for subject in sorted(wanted - self._subscribed.keys()):
            await self._listen(client, subject)

    async def _keep_listening(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        while True:
            end_s = self._floods.next_end_s()
            timer = None if end_s is None else loop.call_at(end_s, self._wants_changed.set)
            try:
                await self._wants_changed.wait()
            finally:
                if timer is not None:
                    timer.cancel()
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
                self.rtt_s = await _round_trip_s(client, down)
            except nats.errors.TimeoutError:
                _settle(down, f"does not answer within {PING_S:g} s")
                return


async def _keep_address(client: Client, down: "asyncio.Future[str]") -> None:
    connection = client._transport
    assert isinstance(connection, TcpTransport), "no other is asked for"
    assert connection._bare_io_writer is not None, "it is connected"
    address = connection._bare_io_writer.get_extra_info("sockname")[0]
    while True:
        await asyncio.sleep(ADDRESS_LOOK_S)
        if not is_own_address(address):
            _settle(down, "was reached from an address that this machine has lost")
            return


async def _all_there(client: Client, down: "asyncio.Future[str]") -> float:
    """Have the server read all that was said so far, and return the round trip; nats-py 2.16 sends the ping of its `flush` before what waits."""
    await client._flush_pending(force_flush=True)
    return await _round_trip_s(client, down)


async def _round_trip_s(client: Client, down: "asyncio.Future[str]") -> float:
    """By the monotonic clock: the loop's has a step of a millisecond.

    Not by nats-py's `flush`: an answer that comes after its time ends the reading of 2.16 for good, without a word.
    """
    began_s = time.monotonic()
    answered: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    await client._send_ping(answered)
    while True:
        known = client.stats["in_msgs"]
        await asyncio.wait((answered, down), timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
        passed_s = time.monotonic() - began_s
        if answered.done() or down.done():  # the latter: it is over, and why is known
            return passed_s
        if client.stats["in_msgs"] == known or passed_s > MOST_PINGS_S:
            raise nats.errors.TimeoutError


def _settle(down: "asyncio.Future[str]", reason: str) -> None:
    if not down.done():
        down.set_result(reason)


async def _close(client: Client) -> None:
    """End it, whatever state it is in, and have nothing sent any more.

    What the kernel holds for a server out of reach it would go on sending for minutes after a plain close: an offer would ring whose caller is gone.
    """
    connection = client._transport
    writer = connection._bare_io_writer if isinstance(connection, TcpTransport) else None
    if writer is not None:
        socket_now = writer.get_extra_info("socket")
        if socket_now is not None and socket_now.fileno() >= 0:
            socket_now.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        writer.transport.abort()
    if writer is None:
        return  # it was never connected
    with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await client.close()


def _last_words(client: Client) -> str | None:
    """What a server said before it hung up, and nats-py had not read: that it is full, say."""
    connection = client._transport
    reader = connection._io_reader if isinstance(connection, TcpTransport) else None
    said = _ERROR_LINE.search(bytes(getattr(reader, "_buffer", b"")))
    return None if said is None else _reason(nats.errors.Error(said[1].decode("utf-8", "replace")))


def _reason(failure: BaseException) -> str:
    known = _known_reason(failure)
    if known is not None:
        return known
    text = str(failure).removeprefix("nats: ").strip("' ") or type(failure).__name__
    lower = text.lower()
    if "authorization" in lower or "authentication" in lower:
        return "refuses this session's credentials"
    if "permissions violation" in lower:
        return f"does not permit it ({lower})"
    return f"cannot be used: {text}"


def _known_reason(failure: BaseException) -> str | None:
    match failure:
        case _NoTlsError() | _SmallMessagesError():
            return str(failure)
        case ssl.SSLCertVerificationError():
            return f"shows a certificate that is not trusted: {failure.verify_message}"
        case socket.gaierror():
            return f"is not found: {failure.strerror}"
        case ConnectionRefusedError():
            return "refuses connections"
        case _:
            return None


def _tls(servers: Sequence[SignalServer], ca_pem: str | None) -> ssl.SSLContext | None:
    if ca_pem is None and not any(server.scheme == "tls" for server in servers):
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
    is_file = "USER JWT" in text
    seed = _SEED_LINE.search(text) if is_file else None
    written = seed[1] if seed is not None else text.strip()
    try:
        nkeys.from_seed(bytearray(written.encode("ascii")))
    except (nkeys.NkeysError, UnicodeEncodeError, binascii.Error) as failure:
        raise UsageError(
            "The credentials for the signal servers cannot be read.",
            hint="A NATS credentials file, as it was given to you, or an nkey seed: one line that begins with SU.",
        ) from failure
    return {"user_credentials": RawCredentials(text)} if is_file else {"nkeys_seed_str": written}
