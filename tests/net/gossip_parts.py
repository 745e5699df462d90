"""Real transports on loopback, on groups of their own, and who listens to them."""

import asyncio
from collections.abc import Callable, Iterable
from random import Random

from typing_extensions import override

from blink_cli.core.gossip import Address, Path, unicast_path
from blink_cli.net.signaling.udp_transport import UdpTransport

LOOPBACK = ("127.0.0.1",)
PATIENCE_S = 10.0
"""Far longer than anything takes, for a machine under load: reached only when something is broken."""


def some_group() -> str:
    """A multicast group and port that no other test uses at the moment, drawn anew each time."""
    random = Random()
    return f"239.255.{random.randrange(1, 255)}.{random.randrange(1, 255)}:{random.randrange(20_000, 32_000)}"


class Listener:
    """Collects what a transport says."""

    def __init__(self) -> None:
        self.datagrams: asyncio.Queue[tuple[bytes, Path, Address]] = asyncio.Queue()
        self.paths: tuple[Path, ...] | None = None
        self.topics: list[bytes] = []

    def datagram_received(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        self.datagrams.put_nowait((datagram, path, source))

    def expected_topics(self) -> list[bytes]:
        return self.topics

    def paths_changed(self, paths: tuple[Path, ...]) -> None:
        self.paths = paths

    async def next(self) -> tuple[bytes, Path, Address]:
        return await asyncio.wait_for(self.datagrams.get(), PATIENCE_S)


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until it holds, without a guess how long that takes."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition belongs to code that sets no event
            await asyncio.sleep(0.005)


class LossyTransport(UdpTransport):
    """A real one that loses a share of what it is given to send, by seed, on each path alone."""

    def __init__(self, group: str, *, interfaces: tuple[str, ...], loss: float, seed: int) -> None:
        super().__init__(group, interfaces=interfaces)
        self._loss = loss
        self._random = Random(seed)

    @override
    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        super().publish(datagram, [path for path in paths if self._random.random() >= self._loss])


def own_path(transport: UdpTransport) -> Path:
    """The unicast way to this transport."""
    host, port = transport.own_address
    return unicast_path(("127.0.0.1" if host == "0.0.0.0" else host, port))
