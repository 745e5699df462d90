"""One transport for several sessions of a process, which hear each other too.

    session's gossip --publish--> share --> the transport, and whichever share listens to the topic
    the transport ---datagram---> the share that listens to its topic

A topic that several listen to is a call's. One of them hears it, for all: whoever joins the sessions hands on what it opened, since opening and
verifying are what a signal costs. What nobody here listens to is dropped: these sessions neither relay nor answer the knocks of strangers.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

from blink_cli.core.gossip.datagram import Refusal, read_datagram
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.gossip.paths import Address, Path, PathKind
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import Topic
from blink_cli.net.signaling.transport import Receiver
from blink_cli.net.signaling.udp_transport import UdpTransport

_NO_PORT: Final = 0


class SharedTransport:
    """Owns the transport; `async with` opens and closes it. Belongs to one event loop. Implements `Receiver`."""

    def __init__(self, transport: UdpTransport) -> None:
        """Share a transport that is not started."""
        self._transport = transport
        self._shares: list[TransportShare] = []
        self._paths: tuple[Path, ...] = ()
        self._expected: tuple[Topic, ...] | None = ()
        self._own_port = _NO_PORT

    def share(self) -> "TransportShare":
        """Another session's end."""
        return TransportShare(self)

    async def __aenter__(self) -> Self:
        """Open it.

        Raises:
            BlinkError: It cannot be opened.

        """
        await self._transport.start(self)
        self._own_port = self._transport.port
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    # Receiver

    def datagram_received(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        """See `Receiver`."""
        hearer = self._hearer(datagram, None)
        if hearer is not None:
            hearer.hear(datagram, path, source, arrival_s)

    def expected_topics(self) -> Sequence[bytes]:
        """See `Receiver`."""
        if self._expected is None:
            self._expected = tuple(dict.fromkeys(topic for share in self._shares for topic in share.topics))
        return self._expected

    def paths_changed(self, paths: tuple[Path, ...]) -> None:
        """See `Receiver`."""
        self._paths = paths
        for share in self._shares:
            share.tell_paths(paths)

    # for the shares

    def join(self, share: "TransportShare") -> None:
        """It hears from now on."""
        self._shares.append(share)
        self._expected = None
        share.tell_paths(self._paths)

    def leave(self, share: "TransportShare") -> None:
        """It hears nothing any more."""
        if share in self._shares:
            self._shares.remove(share)
            self._expected = None

    def topics_changed(self) -> None:
        """Those of some share."""
        self._expected = None

    def paths(self) -> tuple[Path, ...]:
        """Of the transport."""
        return self._paths

    def publish(self, datagram: bytes, paths: Iterable[Path], sender: "TransportShare") -> None:
        """Send for a share: out, and to the share that listens, which multicast of its own socket does not reach."""
        wanted = tuple(paths)
        self._transport.publish(datagram, wanted)
        hearer = self._hearer(datagram, sender)
        if hearer is None:
            return
        path = next((one for one in wanted if one.kind is not PathKind.UNICAST), None)
        path = path or next((one for one in self._paths if one.kind is not PathKind.UNICAST), None)
        if path is not None:
            source = (path.name, self._own_port)
            loop = asyncio.get_running_loop()
            # On a later turn, as from a network: the sender is still at what it does.
            loop.call_soon(hearer.hear_later, datagram, path, source)

    def _hearer(self, datagram: bytes, sender: "TransportShare | None") -> "TransportShare | None":
        read = read_datagram(datagram)
        if isinstance(read, Refusal):
            return None
        if read.topic == NEIGHBOUR_TOPIC:
            # Neighbours need one answer from this address.
            return self._shares[0] if sender is None and self._shares else None
        return next(
            (share for share in self._shares if share is not sender and read.topic in share.topics), None
        )


class TransportShare:
    """One session's end of a `SharedTransport`. Implements `Transport`."""

    def __init__(self, shared: SharedTransport) -> None:
        """Not started."""
        self._shared = shared
        self._receiver: Receiver | None = None
        self.topics: Mapping[Topic, SenderClass] = {}
        """What the session listens to, as it said last."""

    async def start(self, receiver: Receiver) -> None:
        """See `Transport`. The shared transport is open."""
        self._receiver = receiver
        self._shared.join(self)

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """See `Transport`."""
        if self._receiver is not None:
            self._shared.publish(datagram, paths, self)

    def paths(self) -> tuple[Path, ...]:
        """See `Transport`."""
        return self._shared.paths()

    def topics_changed(self, topics: Mapping[Topic, SenderClass]) -> None:
        """See `Transport`."""
        self.topics = topics
        self._shared.topics_changed()

    async def aclose(self) -> None:
        """See `Transport`. The others go on."""
        self._receiver = None
        self._shared.leave(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    # for the shared transport

    def hear(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        """A datagram for this session."""
        if self._receiver is not None:
            self._receiver.datagram_received(datagram, path, source, arrival_s)

    def hear_later(self, datagram: bytes, path: Path, source: Address) -> None:
        """One of another share, which comes now."""
        self.hear(datagram, path, source, time.monotonic())

    def tell_paths(self, paths: tuple[Path, ...]) -> None:
        """These are all paths."""
        if self._receiver is not None:
            self._receiver.paths_changed(paths)
