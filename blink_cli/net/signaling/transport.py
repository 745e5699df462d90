"""The seam between the gossip and whatever carries its datagrams.

Now: UDP multicast and unicast neighbours (net/signaling/udp_transport.py), and memory, for tests (net/signaling/memory_transport.py). An engine
for wide areas becomes another implementation; all of them pass tests/net/signaling/test_transport_conformance.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from blink_cli.core.gossip.paths import Address, Path
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import Topic


class Receiver(Protocol):
    """Who is told. Called on the event loop; must neither block nor raise."""

    def datagram_received(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        """A datagram came, at this monotonic time: bytes from a stranger, of any length and content."""

    def expected_topics(self) -> Sequence[bytes]:
        """Those of contacts, invited ones and calls, the most important first: what is to be heard in a flood.

        Asked for during one only, often: cheap, and the same object until a topic changes.
        """

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

    def topics_changed(self, topics: Mapping[Topic, SenderClass]) -> None:
        """These are all topics that the session listens to from now on, and whose words come on each; at most 20 times a second.

        Multicast needs none of it, but for a filter in a flood: also for the session are datagrams on the topic of zeros (`NEIGHBOUR_TOPIC`), knocks
        of strangers, which no table names (core/signaling/topics.py), and what it relays. A broker is asked for exactly these.
        """
        ...

    async def aclose(self) -> None:
        """Close everything. Safe to call twice, before start, and after it failed."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None: ...
