"""The seam between the gossip and whatever carries its datagrams.

Now: UDP multicast and unicast neighbours (net/udp_transport.py), and memory, for tests (net/memory_transport.py). An engine
for wide areas becomes another implementation; all of them pass tests/net/test_transport_conformance.py.
"""

from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from blink_cli.core.gossip.paths import Address, Path


class Receiver(Protocol):
    """Who is told. Called on the event loop; must neither block nor raise."""

    def datagram_received(self, datagram: bytes, path: Path, source: Address) -> None:
        """A datagram came: bytes from a stranger, of any length and content."""

    def paths_changed(self, paths: tuple[Path, ...]) -> None:
        """These are all paths from now on. Told once at the start, then at every change."""


class Transport(Protocol):
    """Carries datagrams of up to 1,200 bytes; may lose, repeat and reorder them. Belongs to one event loop.

    `async with` opens and closes it. Closing is safe to repeat, and after it nothing is received and publishing does nothing.
    """

    async def start(self, receiver: Receiver) -> None:
        """Open, and tell the receiver from now on.

        Raises:
            BlinkError: It cannot be opened; the sentence says what is in the way. Nothing is left open then.

        """
        ...

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """Send on each of these paths, at once or never. A path that is gone, or cannot send now, is skipped and counted.

        A UNICAST path that is not among `paths()` is sent to all the same: the gossip learns such addresses.
        """
        ...

    def paths(self) -> tuple[Path, ...]:
        """What can be sent on: multicast per interface, and the neighbours that were configured."""
        ...

    async def aclose(self) -> None:
        """Close everything. Safe to call twice, before start, and after it failed."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None: ...
