"""A network inside one process: the same promises as UDP, with loss that is seeded."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from random import Random
from types import TracebackType
from typing import Self

from blink_cli.core.gossip.paths import Address, Path, PathKind, unicast_path
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import Topic
from blink_cli.net.signaling.transport import Receiver


class MemoryNetwork:
    """Networks, each known by a name, and who listens on them. For tests and simulations."""

    def __init__(self, *, loss: float = 0.0, seed: int = 0) -> None:
        """Lose this share of all deliveries, drawn from the seed."""
        self._loss = loss
        self._random = Random(seed)
        self._members: list[MemoryTransport] = []
        self.delivered = 0
        self.lost = 0

    def join(self, member: "MemoryTransport") -> Address:
        """Give a transport its address."""
        self._members.append(member)
        return ("10.0.0.1", 10_000 + len(self._members))

    def leave(self, member: "MemoryTransport") -> None:
        """Deliver nothing to it any more."""
        if member in self._members:
            self._members[self._members.index(member)] = _NOBODY

    def carry(self, datagram: bytes, path: Path, sender: "MemoryTransport") -> None:
        """Deliver to everyone whom the path reaches, on a later turn of the event loop."""
        for member in self._members:
            if member is sender or member is _NOBODY:
                continue
            if path.kind is PathKind.UNICAST:
                if path != unicast_path(member.address):
                    continue
                arrival = unicast_path(sender.address)
            elif path in member.paths():
                arrival = path
            else:
                continue
            if self._random.random() < self._loss:
                self.lost += 1
                continue
            self.delivered += 1
            asyncio.get_running_loop().call_soon(member.deliver, datagram, arrival, sender.address)


class MemoryTransport:
    """One session's end of a `MemoryNetwork`."""

    def __init__(
        self,
        network: MemoryNetwork,
        *,
        lans: tuple[str, ...] = ("lan",),
        neighbours: tuple[Address, ...] = (),
    ) -> None:
        """Be on these LANs, and know these neighbours."""
        self._network = network
        self._receiver: Receiver | None = None
        self._lans = lans
        self._neighbours = neighbours
        self.address: Address = ("", 0)
        self.topics: dict[Topic, SenderClass] = {}
        """What the session listens to, as it said last."""

    async def start(self, receiver: Receiver) -> None:
        """Join the network."""
        self.address = self._network.join(self)
        self._receiver = receiver
        receiver.paths_changed(self.paths())

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """Send; LANs that this end is not on are skipped."""
        if self._receiver is None:
            return
        own = self.paths()
        for path in paths:
            if path.kind is PathKind.UNICAST or path in own:
                self._network.carry(datagram, path, self)

    def paths(self) -> tuple[Path, ...]:
        """The LANs and neighbours."""
        lans = tuple(Path(PathKind.LAN, name) for name in self._lans)
        return lans + tuple(unicast_path(address) for address in self._neighbours)

    def topics_changed(self, topics: Mapping[Topic, SenderClass]) -> None:
        """Remember them."""
        self.topics = dict(topics)

    def deliver(self, datagram: bytes, path: Path, source: Address) -> None:
        """Hand over what the network carried."""
        if self._receiver is not None:
            self._receiver.datagram_received(datagram, path, source, time.monotonic())

    async def aclose(self) -> None:
        """Leave the network."""
        self._receiver = None
        self._network.leave(self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


_NOBODY = MemoryTransport.__new__(MemoryTransport)
"""Keeps the place of one that left, so that addresses are not given twice."""
