"""The network and a broker as one transport: each carries what goes by its own paths, and the first copy of a signal that comes wins.

What is for the broker goes there, all else to the network. Nothing goes from the one to the other: what is said on the network is not told to
a broker, nor the other way round (`relay_targets`).
"""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Self

from blink_cli.core.gossip.paths import Address, Path
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import Topic
from blink_cli.net.signaling.broker_subjects import is_broker_way
from blink_cli.net.signaling.transport import Receiver, Transport


class LanAndBroker:
    """Implements `Transport`. Owns both: closes what it was given."""

    def __init__(self, lan: Transport, broker: Transport) -> None:
        """Join them; the network's paths come first."""
        self._lan = lan
        self._broker = broker

    async def start(self, receiver: Receiver) -> None:
        """Start both.

        Raises:
            BlinkError: One cannot be opened. Neither is left open then.

        """
        heard = _Joined(receiver, self)
        try:
            await self._lan.start(heard)
            await self._broker.start(heard)
        except BaseException:
            await self.aclose()
            raise

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """Send each way by whom it belongs to."""
        wanted = tuple(paths)
        past_it = tuple(path for path in wanted if is_broker_way(path))
        if past_it:
            self._broker.publish(datagram, past_it)
        if len(past_it) < len(wanted):
            self._lan.publish(datagram, (path for path in wanted if path not in past_it))

    def paths(self) -> tuple[Path, ...]:
        """Those of both."""
        return (*self._lan.paths(), *self._broker.paths())

    def topics_changed(self, topics: Mapping[Topic, SenderClass]) -> None:
        """Tell both."""
        self._lan.topics_changed(topics)
        self._broker.topics_changed(topics)

    async def aclose(self) -> None:
        """Close both."""
        try:
            await self._broker.aclose()
        finally:
            await self._lan.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Joined:
    """Passes on what each says, and tells the paths of both."""

    def __init__(self, receiver: Receiver, both: LanAndBroker) -> None:
        self._receiver = receiver
        self._both = both

    def datagram_received(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        self._receiver.datagram_received(datagram, path, source, arrival_s)

    def expected_topics(self) -> Sequence[bytes]:
        return self._receiver.expected_topics()

    def paths_changed(self, _: tuple[Path, ...]) -> None:
        self._receiver.paths_changed(self._both.paths())
