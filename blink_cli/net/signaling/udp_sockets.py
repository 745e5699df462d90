"""The sockets of the gossip, for each family: what differs between IPv4 and IPv6, and between systems, is here.

    own      sends everything, and gets what is sent to it; a port of its own
    group    gets one multicast group on one interface; shared by the sessions of this machine
    shared   gets what is sent to an address and the group's port; of the sessions of one machine the system picks one

A group socket hears its own interface only: on Linux a socket otherwise gets what any program has joined anywhere (IP_MULTICAST_ALL,
IPV6_MULTICAST_ALL). Time to live, or hop limit, is 1: the group never crosses a router. Where multicast cannot be had, as with IPv6 on
Linux's loopback, the join or the first datagram fails with an OSError.

Source: ip(7), ipv6(7), RFC 3493.
"""

import contextlib
import socket
import struct
import sys
from typing import Any, Final, Protocol

from blink_cli.core.gossip.paths import Address
from blink_cli.net.host.zones import Zones

_PLATFORM: Final[str] = sys.platform
"""A plain string to the type checker, which would otherwise skip the branches for other systems."""

_IP_MULTICAST_ALL: Final = 49
_IPV6_MULTICAST_ALL: Final = 29
"""Linux: 0 delivers only what this socket itself joined. Python's socket module names neither."""

_IP_PKTINFO: Final = 8
_IPV6_PKTINFO: Final = 50
"""Linux: a `struct in_pktinfo` or `in6_pktinfo` beside a datagram names the interface that it leaves by; with it the address it is from."""

_RECEIVE_BUFFER_BYTES: Final = 262_144
"""Some hundred datagrams: what comes while the event loop is busy for a moment."""


class FamilySockets(Protocol):
    """Opens and uses the sockets of one family. All that is opened is bound and does not block."""

    anywhere: str
    """The address to bind for all addresses."""

    def own(self, host: str, port: int) -> socket.socket:
        """Bind to this address, or `anywhere`, and port; 0: any.

        Raises:
            OSError: It cannot be bound.

        """

    def group(self, index: int, address: str) -> socket.socket:
        """Join the group on the interface with this index and this address of the family.

        Raises:
            OSError: It cannot be joined.

        """

    def shared(self, address: str) -> socket.socket:
        """Bind to this address, or `anywhere`, and the group's port.

        Raises:
            OSError: It cannot be bound.

        """

    def send_to_group(self, own: socket.socket, datagram: bytes, index: int, address: str) -> None:
        """Send to the group by the interface with this index and address.

        Raises:
            OSError: It is not sent.

        """

    def send_by(self, own: socket.socket, datagram: bytes, index: int, destination: Any) -> None:
        """Send to one address by the interface with this index, where the system can; else as it likes.

        Raises:
            OSError: It is not sent.

        """

    def destination(self, address: Address) -> Any:
        """What `sendto` takes.

        Raises:
            OSError: There is no such zone.

        """


class Ipv4Sockets:
    """See `FamilySockets`."""

    anywhere = "0.0.0.0"  # noqa: S104 - bound only when nobody chose otherwise

    def __init__(self, group: str, port: int) -> None:
        """Know the group and the port of the shared sockets."""
        self._group = group
        self._port = port

    def own(self, host: str, port: int) -> socket.socket:
        """See `FamilySockets`."""
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(_udp_socket(socket.AF_INET))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
            sock.bind((host, port))
            opened.pop_all()
        return sock

    def group(self, index: int, address: str) -> socket.socket:
        """See `FamilySockets`."""
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(_udp_socket(socket.AF_INET))
            _share_port(sock)
            # Bound to the group a socket gets nothing but the group; Windows does not allow that.
            sock.bind((address if _PLATFORM == "win32" else self._group, self._port))
            if _PLATFORM == "linux":
                sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            membership = socket.inet_aton(self._group) + socket.inet_aton(address)
            if _PLATFORM in ("linux", "darwin"):
                membership += struct.pack("i", index)  # ip_mreqn: addresses can repeat
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
            opened.pop_all()
        return sock

    def shared(self, address: str) -> socket.socket:
        """See `FamilySockets`."""
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(_udp_socket(socket.AF_INET))
            _share_port(sock)
            sock.bind((address, self._port))
            if _PLATFORM == "linux":
                sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
            opened.pop_all()
        return sock

    def send_to_group(self, own: socket.socket, datagram: bytes, index: int, address: str) -> None:
        """See `FamilySockets`."""
        del index
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
        own.sendto(datagram, (self._group, self._port))

    def send_by(self, own: socket.socket, datagram: bytes, index: int, destination: Any) -> None:
        """See `FamilySockets`."""
        _send_by(own, datagram, destination, (socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("@i8x", index)))

    def destination(self, address: Address) -> Any:
        """See `FamilySockets`."""
        return address


class Ipv6Sockets:
    """See `FamilySockets`. Sockets are for IPv6 alone, so that each family has its own port space and no address looks like another."""

    anywhere = "::"

    def __init__(self, group: str, port: int, zones: Zones) -> None:
        """Know the group, the port of the shared sockets, and the zones of addresses."""
        self._group = group
        self._port = port
        self._zones = zones

    def own(self, host: str, port: int) -> socket.socket:
        """See `FamilySockets`."""
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(_ipv6_socket())
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
            sock.bind(self.destination((host, port)))
            opened.pop_all()
        return sock

    def group(self, index: int, address: str) -> socket.socket:
        """See `FamilySockets`."""
        del address
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(_ipv6_socket())
            _share_port(sock)
            # With its zone a link-local group binds the socket to the interface; Windows allows no bind to a group.
            host = self.anywhere if _PLATFORM == "win32" else self._group
            sock.bind((host, self._port, 0, 0 if host == self.anywhere else index))
            _hear_own_groups_only(sock)
            membership = socket.inet_pton(socket.AF_INET6, self._group) + struct.pack("@I", index)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
            opened.pop_all()
        return sock

    def shared(self, address: str) -> socket.socket:
        """See `FamilySockets`."""
        with contextlib.ExitStack() as opened:
            sock = opened.enter_context(_ipv6_socket())
            _share_port(sock)
            sock.bind(self.destination((address, self._port)))
            _hear_own_groups_only(sock)
            opened.pop_all()
        return sock

    def send_to_group(self, own: socket.socket, datagram: bytes, index: int, address: str) -> None:
        """See `FamilySockets`."""
        del address
        own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        own.sendto(datagram, (self._group, self._port, 0, index))

    def send_by(self, own: socket.socket, datagram: bytes, index: int, destination: Any) -> None:
        """See `FamilySockets`."""
        _send_by(
            own, datagram, destination, (socket.IPPROTO_IPV6, _IPV6_PKTINFO, struct.pack("@16xi", index))
        )

    def destination(self, address: Address) -> Any:
        """See `FamilySockets`."""
        return self._zones.socket_address(address)


def _send_by(
    own: socket.socket, datagram: bytes, destination: Any, interface: tuple[int, int, bytes]
) -> None:
    """`interface` is a control message (cmsg(3)): level, type and data."""
    if _PLATFORM == "linux":
        own.sendmsg([datagram], [interface], 0, destination)
    else:
        own.sendto(datagram, destination)


def _ipv6_socket() -> socket.socket:
    sock = _udp_socket(socket.AF_INET6)
    try:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    except OSError:
        sock.close()
        raise
    return sock


def _hear_own_groups_only(sock: socket.socket) -> None:
    if _PLATFORM == "linux":
        # Linux before 4.20 does not know it; there the group's zone alone keeps other interfaces out.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)


def _udp_socket(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    return sock


def _share_port(sock: socket.socket) -> None:
    """Let several sessions of one machine bind the same port."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if _PLATFORM not in ("linux", "win32"):
        # The BSDs and macOS want this one; on Linux it would shut out sessions of other users.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
