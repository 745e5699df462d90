"""ICE of one link: the one subclass of aioice's Connection, and all that this program does otherwise than aioice (RFC 8445).

    gathering    on the addresses that were chosen, loopback among them; servers have a short time
    pairing      by the zones of link-local addresses
    checks       started together (connectivity_checks.py), repeated sooner (stun_socket.py), of several nominated ways the best
    the link     which way it goes while it stands (path_watch.py)
    data         what is not STUN waits for DTLS in a queue that has an end

Each method here stands before one of aioice's, marked `override`: one that a new version drops or renames fails `mypy`, and
tests/net/link/test_rtp_seam_contract.py. See docs/rtp_seam.md for every name.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import replace
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any, Final, Protocol

import msgspec
from aioice import Candidate, TransportPolicy
from aioice.candidate import candidate_priority
from aioice.ice import (
    CandidatePair,
    Connection,
    StunProtocol,
    relayed_candidate,
    server_reflexive_candidate,
)
from aioice.stun import Message
from aioice.turn import UDP_SOCKET_BUFFER_SIZE
from typing_extensions import override

from blink_cli.core.media.path_type import IceType, path_type
from blink_cli.net.handed_on import handed_on
from blink_cli.net.ice.address_ranking import LocalAddress, RemoteAddress, rank_remote
from blink_cli.net.ice.connectivity_checks import ConnectivityChecks
from blink_cli.net.ice.local_addresses import (
    ChosenAddresses,
    choose_addresses,
    choose_bindable_addresses,
    leave_by_interface,
)
from blink_cli.net.ice.path_watch import PathWatch
from blink_cli.net.ice.stun_guard import StunGuard
from blink_cli.net.ice.stun_socket import StunSocket
from blink_cli.net.ice.turn_relay import RelayTransport
from blink_cli.net.ice.udp_endpoint import UdpEndpoint, bound_socket
from blink_cli.net.library_parts import RTCIceCandidate, RTCIceGatherer, RTCIceServer, RTCIceTransportPolicy
from blink_cli.net.link_settings import LinkSettings
from blink_cli.net.transport_counters import TransportCounters
from blink_cli.runtime.tasks import TaskOwner

MAX_QUEUED_DTLS: Final = 64
"""Datagrams that wait for aiortc's DTLS; aioice's queue has no end of its own. A handshake is about six."""


class Way(msgspec.Struct, frozen=True):
    """How packets go between the two sides."""

    local: LocalAddress | None
    """None: through a relay."""

    remote: tuple[str, int]
    """IP address and port."""

    kind: IceType = "host"
    """The less direct of the two candidates' types."""

    relay_url: str | None = None
    """Of our TURN server, if it goes through that."""


class Handshake(Protocol):
    """Who learns what DTLS says and hears through a connection."""

    def said(self, datagram: bytes) -> None:
        """A datagram is about to go out."""

    def heard(self) -> None:
        """One came in."""


class IceConnection(Connection):
    """Of one link. Belongs to the event loop that made it."""

    def __init__(
        self,
        stock: Connection,
        settings: LinkSettings,
        counters: TransportCounters,
        handshake: Handshake,
        *,
        new_socket: Callable[["IceConnection"], StunSocket],
        on_moved: Callable[[Way, Way], None],
        on_silent: Callable[[], None],
    ) -> None:
        """Open no socket.

        Args:
            stock: The connection that aiortc made, with its servers; it is not used any further.
            settings: Addresses and timeouts.
            counters: Of what is refused.
            handshake: DTLS's.
            new_socket: Makes the socket of one more candidate.
            on_moved: Told which way was left for which, when nothing came any more by the one in use.
            on_silent: Told that nothing comes by it, again and again while that is so.

        """
        super().__init__(
            ice_controlling=False,
            stun_server=stock.stun_server,
            turn_server=stock.turn_server,
            turn_username=stock.turn_username,
            turn_password=stock.turn_password,
            turn_ssl=stock.turn_ssl,
            turn_transport=stock.turn_transport,
            transport_policy=TransportPolicy.RELAY if settings.relay_only else TransportPolicy.ALL,
        )
        self.nominated: dict[int, CandidatePair] = self._nominated
        """The pair that each component uses; aioice's own dictionary, read for each packet."""

        self.local_of: dict[StunProtocol, LocalAddress] = {}
        """The address that each socket of this machine is bound to."""

        self.guard = StunGuard(self)
        self.paths = PathWatch(self, self.ways, self._moved, on_silent)
        self.checks = ConnectivityChecks(self, is_near=self._is_near, paths=self.paths)
        self._settings = settings
        self._counters = counters
        self._handshake = handshake
        self._new_socket = new_socket
        self._on_moved = on_moved
        self._chosen: ChosenAddresses | None = None
        self._spare_pairs: dict[tuple[StunProtocol, Candidate], CandidatePair] = {}
        self._is_gathered = False
        self._shaken_by: tuple[StunProtocol, tuple[str, int]] | None = None

    # addresses

    @property
    def addresses(self) -> ChosenAddresses:
        """The local addresses that sockets are bound to, or would be now."""
        return self.choose_addresses() if self._chosen is None else self._chosen

    def choose_addresses(self) -> ChosenAddresses:
        """What would be bound if the link were made now.

        Raises:
            OSError: The system does not tell its addresses now.

        """
        return choose_addresses(self._settings, self._settings.heard_from)

    async def bind_addresses(self, towards: Collection[str]) -> None:
        """Choose the addresses that gathering uses, and wait for one that was made just now; none when only a relay may be used."""
        if not self._settings.relay_only:
            self._chosen = await choose_bindable_addresses(
                self._settings, self._settings.heard_from or towards
            )

    @property
    def is_relay_only(self) -> bool:
        """Whether it may send and receive through a TURN server alone."""
        return self._settings.relay_only

    # gathering

    @property
    def sockets(self) -> Sequence[StunProtocol]:
        """Those of all candidates, a relay's among them."""
        return self._protocols

    @override
    def check_start_task(self, pair: CandidatePair) -> None:
        """Start a check, but for one that the other side's asks for while we close: `close` has ended those that it saw, and nobody would end this one."""
        if not self.is_closing:
            super().check_start_task(pair)

    @property
    def is_closing(self) -> bool:
        """Whether it ended by itself, or was ended."""
        return self._closing

    def open(self) -> None:
        """Gathering has ended: the peer's checks are answered from now on, if the guard lets them pass."""
        self._is_gathered = True

    @override
    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: float = 5
    ) -> list[Candidate]:
        # aioice would leave loopback out, tell no zone on some event loops, and wait 5 s for a server that does not answer.
        del addresses, timeout
        if not self._settings.ice_servers:
            return await self._candidates(component)
        # aioice's own tasks would outlive a cancelled gathering, an allocation and its refreshing with them: so it
        # ends in its time, which is short, and what it found is closed with the rest.
        async with TaskOwner("transport", on_failure=_read_by_caller) as owner:
            task = owner.start(self._candidates(component), name="gather candidates")
            try:
                return await asyncio.shield(task)
            except asyncio.CancelledError:
                await asyncio.wait((task,))
                raise

    async def _candidates(self, component: int) -> list[Candidate]:
        chosen = () if self._chosen is None else self._chosen.used
        candidates = [self._bind(component, rank, own) for rank, own in enumerate(chosen)]
        asked = await self._ask_servers(component)
        for protocol, own in self.local_of.items():
            with contextlib.suppress(OSError):  # gone meanwhile: no check will get through
                leave_by_interface(protocol.transport.get_extra_info("socket").fileno(), own)
        return [found for found in candidates if found is not None] + asked

    def _bind(self, component: int, rank: int, own: LocalAddress) -> Candidate | None:
        """Open a socket on one address. None when it cannot be bound now."""
        try:
            sock = bound_socket(own.address)
        except OSError:
            return None
        sock.setsockopt(SOL_SOCKET, SO_RCVBUF, UDP_SOCKET_BUFFER_SIZE)
        protocol = self._new_socket(self)
        transport = UdpEndpoint(sock, protocol)
        self._protocols.append(protocol)
        self.local_of[protocol] = own
        host, port, *_ = transport.get_extra_info("sockname")
        candidate = protocol.local_candidate = Candidate(
            foundation=str(1 + rank),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host", 65535 - rank),
            host=host,
            port=port,
            type="host",
        )
        return candidate

    async def _ask_servers(self, component: int) -> list[Candidate]:
        """What the servers give within their time."""
        asking: list[Coroutine[Any, Any, tuple[Candidate, StunProtocol | None]]] = []
        if self.stun_server is not None:
            asking += [
                server_reflexive_candidate(protocol, self.stun_server)
                for protocol in self.local_of
                if ":" not in protocol.local_candidate.host  # aioice looks its server's name up as IPv4
            ]
        if self.turn_server is not None:
            asking.append(
                relayed_candidate(
                    component=component,
                    hide_related_address=self._settings.relay_only,
                    protocol_factory=lambda: self._new_socket(self),
                    turn_server=self.turn_server,
                    turn_username=self.turn_username,
                    turn_password=self.turn_password,
                    turn_ssl=self.turn_ssl,
                    turn_transport=self.turn_transport,
                )
            )
        if not asking:
            return []
        found = []
        async with TaskOwner("servers", on_failure=_read_by_caller) as owner:
            tasks = [owner.start(one, name="ask a server") for one in asking]
            done, _ = await asyncio.wait(tasks, timeout=self._settings.gathering_timeout_s)
            for task in tasks:
                if task in done and task.exception() is None:
                    candidate, relay = task.result()
                    found.append(candidate)
                    if relay is not None:
                        self._protocols.append(relay)
        return found

    # pairs

    @override
    def _pair_remote_candidate(self, remote_candidate: Candidate) -> None:
        # aioice knows nothing of zones.
        for protocol in self._protocols:
            if self._can_pair(protocol, remote_candidate) and not self._find_pair(protocol, remote_candidate):
                self._check_list.append(CandidatePair(protocol, remote_candidate))

    def _can_pair(self, protocol: StunProtocol, remote: Candidate) -> bool:
        return protocol.local_candidate.can_pair_with(remote) and self.zone_of(protocol) == zone_of(
            remote._network_host  # noqa: SLF001 - where its datagrams come from
        )

    def zone_of(self, protocol: StunProtocol) -> str:
        """The zone of a socket's link-local address; empty for any other, and for a relay."""
        own = self.local_of.get(protocol)
        return "" if own is None else zone_of(own.address)

    def own_address(self, protocol: StunProtocol) -> str | None:
        """Which address of this machine a socket speaks from, to the peer or to our relay; None: it is not known any more."""
        own = self.local_of.get(protocol)
        if own is not None:
            return own.address
        relay: Any = protocol.transport
        return relay.own_address if isinstance(relay, RelayTransport) else None

    def _is_near(self, pair: CandidatePair) -> bool:
        own = self.local_of.get(pair.protocol)
        return own is not None and own.reaches(pair.remote_addr[0])

    def ways(self) -> list[CandidatePair]:
        """Every pair by which the peer might be reached, those too that never had to be checked."""
        found = []
        for protocol in self._protocols:
            for remote in self._remote_candidates:
                if self._can_pair(protocol, remote):
                    pair = self._find_pair(protocol, remote) or self._spare_pairs.get((protocol, remote))
                    if pair is None:
                        pair = self._spare_pairs[protocol, remote] = CandidatePair(protocol, remote)
                    found.append(pair)
        return found

    def known_to(self, protocol: StunProtocol) -> list[tuple[str, int]]:
        """Where the peer may speak from to this socket: every way that was ever found to work, or may yet."""
        pairs = [*self.ways(), *self._nominated.values()]
        return [pair.remote_addr for pair in pairs if pair.protocol is protocol]

    def trusted_by(self, protocol: StunProtocol) -> list[tuple[str, int]]:
        """Those of them that the peer named, or has proved to be its own."""
        guard = self.guard
        return [
            address
            for address in self.known_to(protocol)
            if guard.is_told(address) or guard.trusts(protocol, address)
        ]

    @property
    def way(self) -> Way | None:
        """How packets go now; None while no way is known to work."""
        pair = self._nominated.get(1)
        if pair is None or not (self.paths.stands or pair.state.name == "SUCCEEDED"):
            return None  # the other side's word alone: what we say by it may get lost
        return self._way_told(pair)

    def _moved(self, left: CandidatePair, taken: CandidatePair) -> None:
        self._on_moved(self._way_told(left), self._way_told(taken))

    def _way_told(self, pair: CandidatePair) -> Way:
        local = self.local_of.get(pair.protocol)
        return Way(
            local,
            pair.remote_addr,
            kind=path_type(pair.local_candidate.type, pair.remote_candidate.type),
            relay_url=self._relay_url() if local is None else None,
        )

    def _relay_url(self) -> str | None:
        urls = (server.url for server in self._settings.ice_servers)
        return next((url for url in urls if url.startswith("turn")), None)

    # the other side's candidates

    def worth_checking(self, candidates: Sequence[RTCIceCandidate]) -> list[RTCIceCandidate]:
        """Of the other side's candidates those to which a way is looked for, once gathered; link-local ones once for each zone of ours."""
        named = [RemoteAddress(candidate.ip, is_direct=candidate.type == "host") for candidate in candidates]
        ranked = rank_remote(
            named,
            () if self._chosen is None else self._chosen.used,
            heard_from=self._settings.heard_from,
            avoid=self._settings.avoid_remote,
            tried=self._settings.tried_remote,
        )
        return [scoped for position in ranked for scoped in self.in_our_zones(candidates[position])]

    def in_our_zones(self, candidate: RTCIceCandidate) -> list[RTCIceCandidate]:
        """A link-local candidate as it is reached from each of our interfaces: it comes without a zone, which is ours to add."""
        if not candidate.ip.startswith("fe80:"):
            return [candidate]
        zones = {zone_of(own.address): None for own in self.local_of.values()}
        return [replace(candidate, ip=f"{candidate.ip}%{zone}") for zone in zones if zone]

    # checks

    @override
    def request_received(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        # While a server is asked for our addresses nobody knows our name; the guard stands only afterwards.
        if self._is_gathered:
            super().request_received(message, addr, protocol)
        else:
            self._counters.stun_refused += 1

    @override
    def _check_periodic(self) -> bool:
        return self.checks.start()

    @override
    def check_incoming(self, message: Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        if not self.paths.stands:
            super().check_incoming(message, addr, protocol)
            with handed_on():
                self.checks.repeat(addr, protocol)
                if self.guard.is_told(addr):
                    self.checks.take_nominated(addr, protocol)
            return
        # The link stands: which way it goes is decided in one place. aioice still learns of a peer behind a new address.
        known = True
        with handed_on():
            known = self.checks.nominates_known(message, addr, protocol)
        if not known:
            super().check_incoming(message, addr, protocol)

    @override
    def check_complete(self, pair: CandidatePair) -> None:
        before = self._nominated.get(pair.component)
        super().check_complete(pair)
        with handed_on():
            self.checks.completed(pair, before)

    # data

    @override
    def data_received(self, data: bytes, component: int) -> None:
        # What is not STUN comes here from aioice, whose queue would take everything that anyone sends.
        if not data or not 19 < data[0] < 64:
            self._counters.datagrams_malformed += 1
        elif self._queue.qsize() >= MAX_QUEUED_DTLS:
            self._counters.datagrams_overflowed += 1
        else:
            with handed_on():
                self._handshake.heard()
                super().data_received(data, component)

    def shaken_by(self, protocol: StunProtocol, source: tuple[str, int]) -> None:
        """A datagram of the handshake is about to come from there, where the other side is trusted to be."""
        self._shaken_by = protocol, source

    @override
    async def sendto(self, data: bytes, component: int) -> None:
        self._handshake.said(data)  # also what could not go out now
        if self._shaken_by is None or self.paths.stands:
            await super().sendto(data, component)
        else:
            # The other side trusts the way by which it speaks; ours, whose copies follow, it may not know yet.
            protocol, address = self._shaken_by
            await protocol.send_data(data, address)


class IceGatherer(RTCIceGatherer):
    """aiortc's, around a connection of ours: what aiortc makes itself is aioice's own."""

    def __init__(self, settings: LinkSettings, connect: Callable[[Connection], IceConnection]) -> None:
        """Gather nothing yet.

        Args:
            settings: The servers, and whether a relay is all that may be used.
            connect: Makes the connection with the servers of the one that it is given.

        """
        super().__init__(
            iceServers=[RTCIceServer(s.url, s.username, s.credential) for s in settings.ice_servers],
            iceTransportPolicy=RTCIceTransportPolicy.RELAY
            if settings.relay_only
            else RTCIceTransportPolicy.ALL,
        )
        self.connection = connect(self._connection)
        """Ours, with which RTCIceTransport goes on."""

        self._connection = self.connection

    @property
    def servers_answered(self) -> bool:
        """Whether, once gathered, each kind of server that was given has yielded a candidate."""
        found = {candidate.type for candidate in self.getLocalCandidates()}
        given = self.connection
        is_relay_missing = given.turn_server is not None and "relay" not in found
        is_address_missing = (
            given.stun_server is not None and not given.is_relay_only and "srflx" not in found
        )
        return not (is_relay_missing or is_address_missing)


def zone_of(address: str) -> str:
    """The zone of a link-local address; empty for any other."""
    return address.partition("%")[2]


def _read_by_caller(name: str, failure: BaseException) -> None:
    """Say nothing of a failure that is raised where the task is awaited."""
