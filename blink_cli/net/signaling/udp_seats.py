"""Where a session listens for signals: which sockets it wants for the interfaces that there are.

    per interface and family    a group seat: the multicast group, on this interface only; its path is what is sent on
    per family                  a shared seat for all addresses on Linux, or one for each address of the chosen interfaces

IPv6 multicast does not exist on Linux's loopback, and IPv4's is enough for one machine everywhere: loopback has no IPv6 group seat.
An address that is still being tried for duplicates gets its seats when it can be bound.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from blink_cli.core.gossip.paths import Path, PathKind
from blink_cli.net.host.interfaces import Interface, rank_interfaces

_SHARED_FOR_ALL: Final = sys.platform == "linux"
"""Elsewhere a socket that is bound to all addresses may be given multicast that it did not join."""

IPV4: Final = 4
IPV6: Final = 6


class GroupSeat(msgspec.Struct, frozen=True):
    """The group on one interface. Two equal seats need one socket."""

    version: int
    interface: str
    index: int
    path: Path
    """Its name is the interface's address of this family."""


class SharedSeat(msgspec.Struct, frozen=True):
    """The group's port on one address, or on all."""

    version: int
    address: str | None
    """None: all."""


Seat = GroupSeat | SharedSeat


def wanted_seats(
    interfaces: Iterable[Interface], groups: Mapping[int, object], *, restricted: bool
) -> tuple[Seat, ...]:
    """All seats, those of the most useful interfaces first.

    Args:
        interfaces: That may be used.
        groups: Has a key for each IP version in use.
        restricted: Whether somebody chose the interfaces: then nothing listens on others.

    """
    ranked = rank_interfaces(interfaces)
    seats: list[Seat] = [
        seat for interface in ranked for seat in _group_seats(interface) if seat.version in groups
    ]
    if _SHARED_FOR_ALL and not restricted:
        seats += [SharedSeat(version, None) for version in groups]
    else:
        seats += [
            SharedSeat(version, found.address)
            for interface in ranked
            for found in interface.addresses
            if (version := IPV6 if found.is_ipv6 else IPV4) in groups and not found.tentative
        ]
    return tuple(dict.fromkeys(seats))


def _group_seats(interface: Interface) -> Iterator[GroupSeat]:
    if interface.loopback:
        if interface.ipv4 is not None:
            path = Path(PathKind.LOOPBACK, interface.ipv4, interface.name)
            yield GroupSeat(IPV4, interface.name, interface.index, path)
        return
    if not interface.multicast:
        return
    for version, address in ((IPV4, interface.ipv4), (IPV6, interface.ipv6)):
        if address is not None:
            path = Path(PathKind.LAN, address, interface.name)
            yield GroupSeat(version, interface.name, interface.index, path)
