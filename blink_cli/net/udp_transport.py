"""Gossip over UDP: one multicast group on every interface, and unicast to neighbours.

    per interface   group socket    bound to GROUP:PORT, joined on this interface only; shared by the sessions of this machine
                    shared socket   bound to ADDRESS:PORT: what a neighbour sends who was given HOST:PORT. Of several sessions on
                                    one machine the operating system picks one, whose gossip passes it on over loopback
    once            own socket      a port of its own: everything is sent from here, so it is also where answers come

An own socket per interface tells by which path a datagram came, which `IP_PKTINFO` would too, at twice the price per
datagram and not everywhere. TTL 1: the group never crosses a router. Needs an event loop with `add_reader`.
"""

import contextlib
import errno
import logging
import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from blink_cli.core.endpoint import parse_endpoint, parse_group
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.gossip.paths import Address, Path, PathKind, unicast_path
from blink_cli.net.interface_watch import InterfaceWatch
from blink_cli.net.interfaces import Interface, choose_interfaces, list_interfaces, require_interfaces
from blink_cli.net.neighbour_names import NeighbourNames
from blink_cli.net.paced_reader import Pace, PacedReader
from blink_cli.net.tasks import TaskOwner
from blink_cli.net.transport import Receiver

_log = logging.getLogger(__name__)

_PLATFORM: Final[str] = sys.platform
"""A plain string to the type checker, which would otherwise skip the branches for other systems."""

_IP_MULTICAST_ALL: Final = 49
"""Linux, ip(7): 0 delivers only what this socket itself joined. Python's socket module does not name it."""

_RECEIVE_BUFFER_BYTES: Final = 262_144
"""Some hundred datagrams: what comes while the event loop is busy for a moment."""

MAX_NEIGHBOURS: Final = 64


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
class _Joined:
    """The sockets of one interface."""

    interface: Interface
    path: Path
    readers: tuple[PacedReader, ...]

    def close(self) -> None:
        for reader in self.readers:
            reader.close()


class UdpTransport:
    """Implements `Transport` (net/transport.py)."""

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
            group: Multicast group and port, `ADDR:PORT`.
            interfaces: IPv4 addresses or names of the interfaces to use; empty: all that are up, also those that come later.
            neighbours: `HOST:PORT` of sessions that multicast does not reach; names are looked up in the background, again and again.
            port: Of the own socket; 0: any.
            pace: How fast each socket is read.

        Raises:
            UsageError: An address cannot be one.

        """
        self._group = parse_group(group)
        self._wanted = interfaces
        if len(neighbours) > MAX_NEIGHBOURS:
            raise UsageError(f"{len(neighbours)} neighbours are more than {MAX_NEIGHBOURS}.")
        self._names = NeighbourNames([parse_endpoint(text) for text in neighbours], self._tell)
        self._port = port
        self._pace = pace or Pace()
        self._joined: dict[str, _Joined] = {}
        """By the interface's address."""

        self._failed: set[str] = set()
        """Paths whose trouble has been reported, until they work again."""

        self._own: socket.socket | None = None
        self._own_port = 0
        self._own_reader: PacedReader | None = None
        self._receiver: Receiver | None = None
        self._tasks = TaskOwner("udp transport")
        self._told: tuple[Path, ...] | None = None
        self._destinations: dict[Path, Address] = {}
        self._counters = TransportCounters()
        self._closed_failures = 0
        self._closed_pauses = 0

    @property
    def port(self) -> int:
        """Of the own socket, from which everything is sent; 0 before the start."""
        return self._own_port

    async def start(self, receiver: Receiver) -> None:
        """Open the sockets and begin to watch the interfaces.

        Raises:
            UsageError: An interface that is wanted is not there.
            BlinkError: The port is taken by a program that does not share it.

        """
        chosen = require_interfaces(self._wanted, list_interfaces())
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
        """Host and port that everything is sent from; the host is 0.0.0.0 unless one interface was chosen."""
        assert self._own is not None, "the own socket exists between start and aclose"
        address: Address = self._own.getsockname()
        return address

    def counters(self) -> TransportCounters:
        """A copy of the counts so far."""
        readers = [reader for joined in self._joined.values() for reader in joined.readers]
        if self._own_reader is not None:
            readers.append(self._own_reader)
        return TransportCounters(
            received=self._counters.received,
            sent=self._counters.sent,
            send_failures=self._counters.send_failures,
            receive_failures=self._closed_failures + sum(reader.failures for reader in readers),
            pauses=self._closed_pauses + sum(reader.pauses for reader in readers),
        )

    def paths(self) -> tuple[Path, ...]:
        """Multicast on each joined interface, then the neighbours whose addresses are known."""
        return tuple(joined.path for joined in self._joined.values()) + tuple(
            unicast_path(address) for address in self._names.addresses
        )

    def publish(self, datagram: bytes, paths: Iterable[Path]) -> None:
        """Send on each path. Never blocks: what the operating system does not take now is lost, and counted."""
        own = self._own
        if own is None:
            return
        for path in paths:
            try:
                if path.kind is PathKind.UNICAST:
                    own.sendto(datagram, self._destination(path))
                elif path.name in self._joined:
                    own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(path.name))
                    own.sendto(datagram, self._group)
                else:
                    self._counters.send_failures += 1
                    continue
            except OSError as reason:
                self._counters.send_failures += 1
                self._report(
                    path.name, f"Signals cannot be sent by {path.name}: {reason.strerror or reason}."
                )
            else:
                self._counters.sent += 1
                self._failed.discard(path.name)

    def _destination(self, path: Path) -> Address:
        known = self._destinations.get(path)
        if known is None:
            if len(self._destinations) > 1_024:
                self._destinations.clear()
            # Not judged as a user's words are: it may be where a stranger claims to be, and the system refuses port 0.
            host, _, port = path.name.rpartition(":")
            known = self._destinations[path] = (host, int(port))
        return known

    def _report(self, what: str, sentence: str) -> None:
        """Say it once, until `what` works again."""
        if what not in self._failed and len(self._failed) < 1_024:
            self._failed.add(what)
            _log.warning("%s", sentence)

    def _open_own(self, chosen: tuple[Interface, ...]) -> None:
        # Who chose one interface does not want to be reached by another.
        host = chosen[0].address if len(self._wanted) == 1 else "0.0.0.0"  # noqa: S104 - all that was not excluded
        own = _udp_socket()
        try:
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            own.bind((host, self._port))
        except OSError as reason:
            own.close()
            raise BlinkError(
                f"UDP port {self._port} on {host} cannot be opened: {reason.strerror}.",
                hint="Choose another port, or leave it out for any free one.",
            ) from reason
        self._own = own
        self._own_port = own.getsockname()[1]
        self._own_reader = PacedReader(own, self._unicast_received, pace=self._pace)

    def _unicast_received(self, datagram: bytes, source: Address) -> None:
        self._received(datagram, unicast_path(source), source)

    def _received(self, datagram: bytes, path: Path, source: Address) -> None:
        if self._receiver is None or self._is_own(source):
            return
        self._counters.received += 1
        self._receiver.datagram_received(datagram, path, source)

    def _is_own(self, source: Address) -> bool:
        """Whether multicast came back to its sender. Not for safety: a source can be spoofed."""
        return source[1] == self._own_port and source[0] in self._joined

    def _chosen_now(self) -> tuple[Interface, ...]:
        return choose_interfaces(self._wanted, list_interfaces())

    def _interfaces_changed(self, chosen: tuple[Interface, ...]) -> bool:
        """Follow them. Returns whether all could be joined; the others are tried again."""
        before = self._interfaces_joined()
        self._follow(chosen, first=False)
        self._tell()
        if self._interfaces_joined() != before:
            self._names.look_again()
        return all(interface.address in self._joined for interface in chosen)

    def _interfaces_joined(self) -> frozenset[Interface]:
        return frozenset(joined.interface for joined in self._joined.values())

    def _follow(self, chosen: tuple[Interface, ...], *, first: bool) -> None:
        """Join interfaces that came, leave those that went or changed."""
        present = {interface.address: interface for interface in chosen}
        for address in [
            address for address, joined in self._joined.items() if present.get(address) != joined.interface
        ]:
            self._close_joined(self._joined.pop(address))
        for address, interface in present.items():
            if address in self._joined:
                continue
            try:
                self._joined[address] = self._join(interface)
                self._failed.discard(address)
            except OSError as reason:
                if first and reason.errno == errno.EADDRINUSE:
                    raise BlinkError(
                        f"UDP port {self._group[1]} is taken by a program that does not share it.",
                        hint="Choose another with --group ADDR:PORT, the same for everyone who is to be reached.",
                    ) from reason
                self._report(
                    address, f"Interface {interface.name} ({address}) cannot be used: {reason.strerror}."
                )

    def _join(self, interface: Interface) -> _Joined:
        kind = PathKind.LOOPBACK if interface.loopback else PathKind.LAN
        path = Path(kind, interface.address)
        with contextlib.ExitStack() as opened:
            group_socket = opened.enter_context(_udp_socket())
            _share_port(group_socket)
            windows = _PLATFORM == "win32"
            # Bound to the group a socket gets nothing but the group; Windows does not allow that.
            group_socket.bind((interface.address if windows else self._group[0], self._group[1]))
            if _PLATFORM == "linux":
                group_socket.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            group_socket.setsockopt(
                socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, _membership(self._group[0], interface)
            )
            sockets = [group_socket]
            if not windows:
                shared_socket = opened.enter_context(_udp_socket())
                _share_port(shared_socket)
                shared_socket.bind((interface.address, self._group[1]))
                sockets.append(shared_socket)
            opened.pop_all()

        def group_received(datagram: bytes, source: Address) -> None:
            self._received(datagram, path, source)

        deliver = [group_received, self._unicast_received]
        readers = tuple(
            PacedReader(sock, callback, pace=self._pace)
            for sock, callback in zip(sockets, deliver, strict=False)
        )
        return _Joined(interface, path, readers)

    def _close_joined(self, joined: _Joined) -> None:
        joined.close()
        self._closed_failures += sum(reader.failures for reader in joined.readers)
        self._closed_pauses += sum(reader.pauses for reader in joined.readers)

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
        while self._joined:
            self._close_joined(self._joined.popitem()[1])
        if self._own_reader is not None:
            self._own_reader.close()
            self._own_reader = None
        self._own = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _udp_socket() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    return sock


def _share_port(sock: socket.socket) -> None:
    """Let several sessions of one machine bind the same port."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if _PLATFORM not in ("linux", "win32"):
        # The BSDs and macOS want this one; on Linux it would shut out sessions of other users.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def _membership(group: str, interface: Interface) -> bytes:
    """The argument of IP_ADD_MEMBERSHIP: by index where that exists (`ip_mreqn`), as addresses can repeat."""
    if _PLATFORM in ("linux", "darwin"):
        return struct.pack(
            "4s4si", socket.inet_aton(group), socket.inet_aton(interface.address), interface.index
        )
    return struct.pack("4s4s", socket.inet_aton(group), socket.inet_aton(interface.address))
