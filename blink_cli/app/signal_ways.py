"""By which ways the signals of a session go: the network, servers that its user named, or both. Without a server nothing is contacted."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from blink_cli.core.api.events import Event, SignalServerConnected, SignalServerFailed
from blink_cli.core.api.replies.network import SignalServerState
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.signal_server import SignalServers
from blink_cli.core.presence.reach import Reach
from blink_cli.net.signaling.lan_and_broker import LanAndBroker
from blink_cli.net.signaling.transport import Transport
from blink_cli.net.signaling.udp_transport import TransportCounters, UdpTransport
from blink_cli.runtime.extras import needs_extra

if TYPE_CHECKING:
    from blink_cli.net.signaling.broker_transport import BrokerTransport
    from blink_cli.net.signaling.nats_connection import ConnectionState


class SignalWays:
    """Belongs to one event loop. The gossip's driver opens and closes `transport`."""

    def __init__(
        self,
        options: SessionOptions,
        chosen: SignalServers,
        publish: Callable[[Event], None],
        changed: Callable[[bool], None],
    ) -> None:
        """Open nothing yet.

        Args:
            options: The session's: group, interfaces, neighbours.
            chosen: The servers.
            publish: Told when a server can be used, and when none can.
            changed: The same: whether one can.

        Raises:
            UsageError: An address cannot be one, or a file that is named cannot be read.
            NotInstalledError: Servers are named, and their client is not installed.

        """
        self._options = options
        self._chosen = chosen
        self._publish = publish
        self._changed = changed
        self._lan = (
            UdpTransport(options.group, interfaces=options.interfaces, neighbours=options.neighbours)
            if chosen.multicast
            else None
        )
        self._broker = self._broker_transport() if chosen.servers else None
        self._told: bool | None = None

    def _broker_transport(self) -> "BrokerTransport":
        with needs_extra("nats", "Signals through a server"):
            from blink_cli.net.signaling.broker_transport import (  # noqa: PLC0415 - an extra, and 60 ms, for who names a server
                BrokerTransport,
            )
        return BrokerTransport(self._chosen.servers, self._chosen.access, self._connection_changed)

    @property
    def transport(self) -> Transport:
        """What the gossip speaks through."""
        if self._lan is None:
            assert self._broker is not None, "settings and options see to it that there is a way"
            return self._broker
        return self._lan if self._broker is None else LanAndBroker(self._lan, self._broker)

    @property
    def port(self) -> int | None:
        """UDP port from which signals go on the network, once it is open; None: they do not."""
        return None if self._lan is None else self._lan.port

    def counters(self) -> TransportCounters:
        """A copy of the counts so far, of both."""
        counters = TransportCounters() if self._lan is None else self._lan.counters()
        if self._broker is not None:
            counters.send_failures += self._broker.send_failures
            counters.pauses += self._broker.floods
        return counters

    def reach(self) -> Reach:
        """Whom signals can reach."""
        broker = self._broker_sentence()
        if self._lan is None:
            return Reach(
                self._options.group, (), (), restricted=False, neighbours=0, multicast=False, broker=broker
            )
        return replace(self._lan.reach(), broker=broker)

    def servers(self) -> tuple[SignalServerState, ...]:
        """How each of the servers stands."""
        state = None if self._broker is None else self._broker.state
        return tuple(
            SignalServerState(
                url=server.url,
                state="unused"
                if state is None or state.server != server
                else "connected"
                if state.problem is None
                else "failed",
                reason=None if state is None or state.server != server else state.problem,
                rtt_s=self._broker.rtt_s
                if self._broker is not None and state is not None and state.server == server
                else None,
            )
            for server in self._chosen.servers
        )

    def notices(self) -> tuple[Event, ...]:
        """What every listener hears first."""
        state = None if self._broker is None else self._broker.state
        return () if state is None or state.problem is None else (_event(state),)

    def _broker_sentence(self) -> str | None:
        if self._broker is None:
            return None
        state = self._broker.state
        if state is None:
            return f"Connecting to {self._chosen.servers[0].url}."
        if state.problem is None:
            return f"Signals go through {state.server.url}."
        return f"The server {state.server.url} {state.problem}."

    def _connection_changed(self, state: "ConnectionState") -> None:
        works = state.problem is None
        if works != self._told:
            self._told = works
            self._publish(_event(state))
            self._changed(works)


def _event(state: "ConnectionState") -> Event:
    if state.problem is None:
        return SignalServerConnected(url=state.server.url)
    return SignalServerFailed(url=state.server.url, reason=state.problem)
