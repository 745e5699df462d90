"""Gossip through a broker: what is said on a topic goes to its subject, and the topics that the session listens to are subscribed to.

The broker reads subjects and datagrams: topics that change every day and say nothing to those who lack their keys, and sealed parts. It is told no
DID in the clear and of presence nothing but its pace, since its path is `overheard` (core/gossip/paths.py). Knocks, which are recognised by a hash, do not come
this way: whoever is to be reached by a stranger is reached on its public topic.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Final, Self

from blink_cli.core.api.signal_server import SignalAccess, SignalServer
from blink_cli.core.gossip.datagram import MAX_DATAGRAM_BYTES
from blink_cli.core.gossip.paths import Path
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import TOPIC_BYTES, Topic
from blink_cli.net.signaling.broker_subjects import (
    INBOX_BYTES,
    broker_path,
    inbox_address,
    inbox_subject,
    path_to,
    source_of,
    subject_on,
    topic_subject,
)
from blink_cli.net.signaling.nats_connection import ConnectionState, Message, NatsConnection
from blink_cli.net.signaling.transport import Receiver

PATH_NAME: Final = "nats"


class BrokerTransport:
    """Implements `Transport` (net/signaling/transport.py). Its path is there while a server is connected."""

    def __init__(
        self,
        servers: Sequence[SignalServer],
        access: SignalAccess,
        on_change: Callable[[ConnectionState], None],
    ) -> None:
        """Connect to nothing yet.

        Args:
            servers: Of one cluster, at least one.
            access: What they are told, and how they prove who they are.
            on_change: Told when a connection comes and goes.

        Raises:
            UsageError: The certificates cannot be read.

        """
        inbox = secrets.token_bytes(INBOX_BYTES)
        self.address = inbox_address(inbox)
        self._connection = NatsConnection(
            servers,
            access,
            inbox=inbox_subject(inbox),
            received=self._take,
            changed=self._connection_changed,
            probe=topic_subject(Topic(secrets.token_bytes(TOPIC_BYTES))),
        )
        self._on_change = on_change
        self._path = broker_path(PATH_NAME)
        self._own = path_to(self.address)
        self._stack = AsyncExitStack()
        self._receiver: Receiver | None = None
        self.state: ConnectionState | None = None
        """None: nothing was tried yet."""

    @property
    def rtt_s(self) -> float | None:
        """To the server and back; None while there is no connection."""
        return self._connection.rtt_s

    @property
    def send_failures(self) -> int:
        """Datagrams that were not sent."""
        return self._connection.dropped

    @property
    def floods(self) -> int:
        """Times that topics were left alone because more came on them than is read."""
        return self._connection.floods

    async def start(self, receiver: Receiver) -> None:
        """Begin to connect; a server that is not there yet is tried again and again."""
        self._receiver = receiver
        receiver.paths_changed(self.paths())
        await self._stack.enter_async_context(self._connection)

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """Send; what no broker carries is skipped."""
        if self._receiver is None or len(datagram) > MAX_DATAGRAM_BYTES:
            return
        for path in paths:
            subject = subject_on(path, datagram)
            if subject is not None:
                self._connection.publish(subject, datagram)

    def paths(self) -> tuple[Path, ...]:
        """One, while there is a connection."""
        return (self._path,) if self._connection.is_up else ()

    def topics_changed(self, topics: Mapping[Topic, SenderClass]) -> None:
        """Listen to these."""
        self._connection.subscribe({topic_subject(topic) for topic in topics})

    def _take(self, message: Message) -> None:
        if self._receiver is None:
            return
        source = source_of(message.reply)
        path = path_to(source) if message.straight else self._path
        self._receiver.datagram_received(message.data, path, source, time.monotonic())

    def _connection_changed(self, state: ConnectionState) -> None:
        self.state = state
        if self._receiver is not None:
            self._receiver.paths_changed(self.paths())
        self._on_change(state)

    async def aclose(self) -> None:
        """Close the connection, once what was said has been handed to it."""
        await self._connection.drain()
        self._receiver = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
