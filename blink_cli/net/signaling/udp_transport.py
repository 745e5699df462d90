"""Gossip over UDP: multicast on every interface, by IPv4 and IPv6, and unicast to neighbours.

    group sockets    one for each interface and family (net/signaling/udp_seats.py): multicast
    shared sockets   bound to the group's port: what a neighbour sends who was given HOST:PORT. Of several sessions on one machine the
                     operating system picks one, whose gossip passes it on over loopback
    own sockets      one for each family, with the same port of its own: everything is sent from here, so it is also where answers come

A socket per interface tells by which path a datagram came, which `IP_PKTINFO` would too, at twice the price per datagram and not
everywhere; and no bound on the memberships of one socket is met (Linux allows 20, net.ipv4.igmp_max_memberships). Needs an event loop
with `add_reader`.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from blink_cli.core.endpoint import group_text, parse_endpoint, parse_group
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.gossip.paths import Address, Path, PathKind, unicast_path
from blink_cli.core.presence.reach import Reach
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.topics import Topic
from blink_cli.net.host.interface_watch import InterfaceWatch
from blink_cli.net.host.interfaces import (
    Interface,
    Network,
    adapters_beside,
    adapters_towards,
    choose_interfaces,
    list_interfaces,
    require_interfaces,
    shared_networks,
)
from blink_cli.net.host.zones import Zones
from blink_cli.net.signaling.neighbour_names import NeighbourNames
from blink_cli.net.signaling.paced_reader import Pace, PacedReader
from blink_cli.net.signaling.transport import Receiver
from blink_cli.net.signaling.udp_seats import IPV4, IPV6, GroupSeat, Seat, SharedSeat, wanted_seats
from blink_cli.net.signaling.udp_sockets import FamilySockets, Ipv4Sockets, Ipv6Sockets
from blink_cli.runtime.tasks import TaskOwner

_log = logging.getLogger(__name__)

MAX_NEIGHBOURS: Final = 64

_SAME_PORT_TRIES: Final = 16
"""A port that is free for one family is nearly always free for the other."""

FRESH_ADDRESS_S: Final = 3.0
"""How long the start waits for the address that it was told to use: duplicate address detection takes up to 2 s."""

_FRESH_LOOK_S: Final = 0.1


@dataclass(slots=True)
class TransportCounters:
    """Counts since the start."""

    received: int = 0
    sent: int = 0
    """One per path."""

    send_failures: int = 0
    """Refused by the operating system: no route, interface down, buffer full."""

    receive_failures: int = 0
    pauses: int = 0
    """Times that a socket was left alone because it was flooded."""


@dataclass(slots=True)
class _OwnSocket:
    """What everything of one family is sent from."""

    sock: socket.socket
    reader: PacedReader


class _Destination(msgspec.Struct, frozen=True):
    """Where a unicast path leads."""

    version: int
    raw: Any
    """What `sendto` takes."""

    by_adapter: tuple[tuple[int, Any], ...]
    """Where several interfaces are on its network, each datagram goes by all of them: the index of each, and what `sendmsg` takes there."""


class UdpTransport:
    """Implements `Transport` (net/signaling/transport.py)."""

    def __init__(
        self,
        group: str,
        *,
        interfaces: tuple[str, ...] = (),
        neighbours: tuple[str, ...] = (),
        port: int = 0,
        pace: Pace | None = None,
    ) -> None:
        """Describe the transport; nothing is opened yet.

        Args:
            group: Multicast group and port, as `parse_group` reads them.
            interfaces: Addresses or names of the interfaces to use; empty: all that are up, also those that come later.
            neighbours: `HOST:PORT` of sessions that multicast does not reach; names are looked up in the background, again and again.
            port: Of the own sockets; 0: any.
            pace: How fast each socket is read.

        Raises:
            UsageError: An address cannot be one.

        """
        known = parse_group(group)
        self._zones = Zones()
        self._families: dict[int, FamilySockets] = {IPV6: Ipv6Sockets(known.ipv6, known.port, self._zones)}
        if known.ipv4 is not None:
            self._families = {IPV4: Ipv4Sockets(known.ipv4, known.port), **self._families}
        self._group_port = known.port
        self._group_text = group_text(known)
        self._wanted = interfaces
        if len(neighbours) > MAX_NEIGHBOURS:
            raise UsageError(f"{len(neighbours)} neighbours are more than {MAX_NEIGHBOURS}.")
        self._names = NeighbourNames([parse_endpoint(text) for text in neighbours], self._tell)
        self._port = port
        self._pace = pace or Pace()
        self._seats: dict[Seat, PacedReader] = {}
        self._groups: dict[Path, GroupSeat] = {}
        """Of the group seats that are open, by what is sent on, in the order of their rank."""

        self._own: dict[int, _OwnSocket] = {}
        """By IP version."""

        self._own_addresses: frozenset[str] = frozenset()
        """Without zones: of two interfaces on one network each hears the other, in its own zone."""

        self._refused: dict[str, str] = {}
        """Interfaces of which nothing could be joined, each with the system's reason."""

        self._failed: set[object] = set()
        """Paths and seats whose trouble has been reported, until they work again."""

        self._own_port = 0
        self._receiver: Receiver | None = None
        self._tasks = TaskOwner("udp transport")
        self._told: tuple[Path, ...] | None = None
        self._destinations: dict[Path, _Destination] = {}
        self._shared_networks: dict[Network, tuple[int, ...]] = {}

        self._counters = TransportCounters()
        self._closed_failures = 0
        self._closed_pauses = 0

    @property
    def port(self) -> int:
        """Of the own sockets, from which everything is sent; 0 before the start."""
        return self._own_port

    async def start(self, receiver: Receiver) -> None:
        """Open the sockets and begin to watch the interfaces.

        Raises:
            UsageError: An interface that is wanted is not there.
            BlinkError: The port is taken by a program that does not share it.

        """
        chosen = await self._settled_interfaces()
        self._zones.update(chosen)
        self._receiver = receiver
        try:
            self._open_own(chosen)
            self._follow(chosen, first=True)
            self._names.start()
            self._tell()
        except BaseException:
            await self.aclose()
            raise
        watch = InterfaceWatch(self._chosen_now, self._interfaces_changed)
        self._tasks.start(watch.run(), name="watch interfaces")

    @property
    def own_address(self) -> Address:
        """Host and port that everything is sent from; the host is 0.0.0.0 or :: unless one interface was chosen. IPv4 where it is used."""
        assert self._own, "own sockets exist between start and aclose"
        address: Address = next(iter(self._own.values())).sock.getsockname()[:2]
        return address

    def counters(self) -> TransportCounters:
        """A copy of the counts so far."""
        readers = [*self._seats.values(), *(own.reader for own in self._own.values())]
        return TransportCounters(
            received=self._counters.received,
            sent=self._counters.sent,
            send_failures=self._counters.send_failures,
            receive_failures=self._closed_failures + sum(reader.failures for reader in readers),
            pauses=self._closed_pauses + sum(reader.pauses for reader in readers),
        )

    def paths(self) -> tuple[Path, ...]:
        """Multicast on each joined interface, then the neighbours whose addresses are known."""
        return (*self._groups, *self._names.paths)

    def reach(self) -> Reach:
        """Whom multicast and neighbours reach at the moment."""
        lans = (seat.interface for seat in self._groups.values() if seat.path.kind is PathKind.LAN)
        return Reach(
            group=self._group_text,
            networks=tuple(dict.fromkeys(lans)),
            refused=tuple(self._refused.items()),
            restricted=bool(self._wanted),
            neighbours=len(self._names.paths),
        )

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """Send on each path. Never blocks: what the operating system does not take now is lost, and counted."""
        if not self._own:
            return
        for path in paths:
            try:
                if path.kind is PathKind.UNICAST:
                    self._send_to_neighbour(datagram, path)
                elif (seat := self._groups.get(path)) is not None:
                    own = self._own[seat.version].sock
                    self._families[seat.version].send_to_group(own, datagram, seat.index, path.name)
                else:
                    self._counters.send_failures += 1
                    continue
            except OSError as reason:
                self._counters.send_failures += 1
                self._report_path(path, reason)
            else:
                self._counters.sent += 1
                self._failed.discard(path)

    def topics_changed(self, topics: Mapping[Topic, SenderClass]) -> None:
        """Nothing to do: multicast brings all topics."""

    def _send_to_neighbour(self, datagram: bytes, path: Path) -> None:
        target = self._destination(path)
        own = self._own.get(target.version)
        if own is None:
            raise OSError(errno.EAFNOSUPPORT, f"IPv{target.version} is not in use here")
        if not target.by_adapter:
            own.sock.sendto(datagram, target.raw)
            return
        refusals = []
        for index, raw in target.by_adapter:
            try:
                self._families[target.version].send_by(own.sock, datagram, index, raw)
            except OSError as reason:
                refusals.append(reason)
        if len(refusals) == len(target.by_adapter):
            raise refusals[0]

    def _destination(self, path: Path) -> _Destination:
        known = self._destinations.get(path)
        if known is None:
            if len(self._destinations) > 1_024:
                self._destinations.clear()
            # Not judged as a user's words are: it may be where a stranger claims to be, and the system refuses port 0.
            host, _, port = path.name.rpartition(":")
            bare = host.removeprefix("[").removesuffix("]")
            version = IPV6 if ":" in bare else IPV4
            family = self._families.get(version)
            raw = (bare, int(port)) if family is None else family.destination((bare, int(port)))
            # The system would send by the first of two adapters on one network, also when that one is dead behind the switch.
            by_adapter = () if len(self._wanted) == 1 else self._by_adapter(bare, raw)
            known = self._destinations[path] = _Destination(version, raw, by_adapter)
        return known

    def _by_adapter(self, host: str, raw: Any) -> tuple[tuple[int, Any], ...]:
        if "%" not in host:
            return tuple((index, raw) for index in adapters_towards(host, self._shared_networks))
        # A link-local address is meant on one adapter's link: those that share a network with it are on the same link.
        address, port, flow, zone = raw
        return tuple(
            (index, (address, port, flow, index)) for index in adapters_beside(zone, self._shared_networks)
        )

    def _report_path(self, path: Path, reason: OSError) -> None:
        """Say once that a path does not send, until it works again; not while another way to the same neighbour does."""
        others = [other for other in self._names.paths if other.shares_link(path) and other != path]
        if path in self._failed or len(self._failed) >= 1_024:
            return
        self._failed.add(path)
        if path.kind is not PathKind.UNICAST or all(other in self._failed for other in others):
            by = f"{path.link} ({path.name})" if path.kind is not PathKind.UNICAST else path.link or path.name
            _log.warning("Signals cannot be sent by %s: %s.", by, reason.strerror or reason)

    async def _settled_interfaces(self) -> tuple[Interface, ...]:
        """Those that are wanted; of one that was only just plugged in, when its addresses can be bound."""
        patience_s = FRESH_ADDRESS_S
        while True:
            chosen = require_interfaces(self._wanted, list_interfaces())
            fresh = len(self._wanted) == 1 and all(
                found.tentative for interface in chosen for found in interface.addresses
            )
            if not fresh or patience_s <= 0:
                return chosen
            await asyncio.sleep(_FRESH_LOOK_S)
            patience_s -= _FRESH_LOOK_S

    def _open_own(self, chosen: tuple[Interface, ...]) -> None:
        hosts = self._own_hosts(chosen)
        for attempt in range(_SAME_PORT_TRIES):
            may_try_again = self._port == 0 and attempt + 1 < _SAME_PORT_TRIES
            with ExitStack() as opened:
                sockets: dict[int, socket.socket] = {}
                port = self._port
                try:
                    for version, host in hosts.items():
                        if (sock := self._open_one_own(version, host, port)) is not None:
                            sockets[version] = opened.enter_context(sock)
                            port = sock.getsockname()[1]
                except OSError as reason:
                    if may_try_again and reason.errno == errno.EADDRINUSE:
                        continue
                    raise BlinkError(
                        f"UDP port {port} on {host} cannot be opened: {reason.strerror}.",
                        hint="Choose another port, or leave it out for any free one.",
                    ) from reason
                opened.pop_all()
                break
        self._own_port = port
        for version, sock in sockets.items():
            self._own[version] = _OwnSocket(
                sock,
                PacedReader(
                    sock, self._unicast_received, pace=self._pace, expected_topics=self._expected_topics
                ),
            )

    def _open_one_own(self, version: int, host: str, port: int) -> socket.socket | None:
        try:
            return self._families[version].own(host, port)
        except OSError as reason:
            if reason.errno in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT) and len(self._families) > 1:
                # A kernel without one family has no addresses of it either.
                _log.debug("This system has no IPv%d: %s", version, reason)
                return None
            raise

    def _own_hosts(self, chosen: tuple[Interface, ...]) -> Mapping[int, str]:
        """The address to bind in each family that is used."""
        if len(self._wanted) != 1:
            return {version: family.anywhere for version, family in self._families.items()}
        # Who chose one interface does not want to be reached by another.
        hosts = {}
        for version, family in self._families.items():
            own = [
                found.address
                for interface in chosen
                for found in interface.addresses
                if found.is_ipv6 == (version == IPV6) and not found.tentative
            ]
            if own:
                # A socket has one address; IPv6 needs the link-local one and those that others can be reached from.
                hosts[version] = own[0] if version == IPV4 or len(own) == 1 else family.anywhere
        return hosts or {version: family.anywhere for version, family in self._families.items()}

    def _expected_topics(self) -> Sequence[bytes]:
        return () if self._receiver is None else self._receiver.expected_topics()

    def _unicast_received(self, datagram: bytes, raw_source: Any, arrival_s: float) -> None:
        source = self._zones.address(raw_source)
        self._received(datagram, unicast_path(source), source, arrival_s)

    def _received(self, datagram: bytes, path: Path, source: Address, arrival_s: float) -> None:
        if self._receiver is None or self._is_own(source):
            return
        self._counters.received += 1
        self._receiver.datagram_received(datagram, path, source, arrival_s)

    def _is_own(self, source: Address) -> bool:
        """Whether multicast came back to its sender. Not for safety: a source can be spoofed."""
        return source[1] == self._own_port and _without_zone(source[0]) in self._own_addresses

    def _chosen_now(self) -> tuple[Interface, ...]:
        return choose_interfaces(self._wanted, list_interfaces())

    def _interfaces_changed(self, chosen: tuple[Interface, ...]) -> bool:
        """Follow them. Returns whether all could be joined; the others are tried again."""
        before = set(self._seats)
        settled = self._follow(chosen, first=False)
        self._tell()
        if self._seats.keys() != before:
            self._names.look_again()
        return settled

    def _follow(self, chosen: tuple[Interface, ...], *, first: bool) -> bool:
        """Open seats on interfaces that came, close those of interfaces that went or changed. Returns whether all are open."""
        self._own_addresses = frozenset(
            _without_zone(found.address) for interface in chosen for found in interface.addresses
        )
        self._zones.update(chosen)
        self._shared_networks = shared_networks(chosen)
        self._destinations.clear()
        wanted = wanted_seats(chosen, self._own, restricted=bool(self._wanted))
        for seat in self._seats.keys() - set(wanted):
            self._close_seat(self._seats.pop(seat))
        refused: dict[str, list[GroupSeat]] = {}
        self._refused = {}
        for seat in wanted:
            if seat in self._seats:
                continue
            try:
                self._seats[seat] = self._open_seat(seat)
                self._failed.discard(seat)
            except OSError as reason:
                if first and reason.errno == errno.EADDRINUSE:
                    raise BlinkError(
                        f"UDP port {self._group_port} is taken by a program that does not share it.",
                        hint="Choose another with --group ADDR:PORT, the same for everyone who is to be reached.",
                    ) from reason
                if isinstance(seat, GroupSeat):
                    self._refused[seat.interface] = reason.strerror or str(reason)
                if seat not in self._failed:
                    self._failed.add(seat)
                    if isinstance(seat, GroupSeat):
                        refused.setdefault(reason.strerror or str(reason), []).append(seat)
                    else:
                        _log.warning(
                            "Neighbours cannot send to %s: %s.", seat.address or "this machine", reason
                        )
        for sentence, seats in refused.items():
            names = ", ".join(f"{seat.interface} ({seat.path.name})" for seat in seats)
            _log.warning("Signals cannot use %s: %s.", names, sentence)
        self._groups = {
            seat.path: seat for seat in wanted if isinstance(seat, GroupSeat) and seat in self._seats
        }
        # What is gone has no trouble any more; containers come and go by the thousand.
        self._failed &= {*wanted, *self.paths()}
        return all(seat in self._seats for seat in wanted)

    def _open_seat(self, seat: Seat) -> PacedReader:
        family = self._families[seat.version]
        if isinstance(seat, SharedSeat):
            shared = family.shared(seat.address or family.anywhere)
            return PacedReader(
                shared, self._unicast_received, pace=self._pace, expected_topics=self._expected_topics
            )
        path = seat.path
        zone = f"%{path.name.partition('%')[2]}"

        def group_received(datagram: bytes, raw_source: Any, arrival_s: float) -> None:
            source = self._zones.address(raw_source)
            # Systems without IP_MULTICAST_ALL deliver what was joined on another interface here as well.
            if not ("%" in source[0] and "%" in path.name and not source[0].endswith(zone)):
                self._received(datagram, path, source, arrival_s)

        return PacedReader(
            family.group(seat.index, path.name),
            group_received,
            pace=self._pace,
            expected_topics=self._expected_topics,
        )

    def _close_seat(self, reader: PacedReader) -> None:
        reader.close()
        self._closed_failures += reader.failures
        self._closed_pauses += reader.pauses

    def _tell(self) -> None:
        paths = self.paths()
        if paths != self._told and self._receiver is not None:
            self._told = paths
            self._receiver.paths_changed(paths)

    async def aclose(self) -> None:
        """Leave the groups and close all sockets. Safe to call twice, and after a start that failed."""
        self._receiver = None
        await self._names.aclose()
        await self._tasks.aclose()
        self._groups = {}
        while self._seats:
            self._close_seat(self._seats.popitem()[1])
        while self._own:
            self._close_seat(self._own.popitem()[1].reader)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _without_zone(address: str) -> str:
    return address.partition("%")[0]
