"""The network interfaces of this machine, with the addresses of both families: where signals and media can go.

Linux       rtnetlink (net/host/rtnetlink.py): all that is told here
elsewhere   getifaddrs; whether there is a cable, and which addresses are temporary, is not known there
"""

import contextlib
import socket
import sys
from collections.abc import Iterable, Mapping
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final

import ifaddr
import msgspec
from msgspec.structs import replace

from blink_cli.core.errors import UsageError
from blink_cli.net.host import rtnetlink

Network = IPv4Network | IPv6Network

_PLATFORM: Final[str] = sys.platform
"""A plain string to the type checker, which would otherwise skip the branches for other systems."""


class InterfaceAddress(msgspec.Struct, frozen=True):
    """One address of an interface."""

    address: str
    """IPv4, or IPv6 in its short form; a link-local IPv6 address with its zone, `fe80::1%eth0` (RFC 4007, section 11)."""

    prefix_length: int
    temporary: bool = False
    """Made for privacy and given up after some hours (RFC 8981): nothing that lasts should hang on it."""

    tentative: bool = False
    """Being tried for duplicates (RFC 4862, section 5.4), for about 2 s: it cannot be bound yet."""

    deprecated: bool = False
    """Works, but nothing new should begin to use it (RFC 4862, section 5.5.4)."""

    @property
    def is_ipv6(self) -> bool:
        """Its family."""
        return ":" in self.address

    @property
    def is_link_local(self) -> bool:
        """Whether it means something on its own link only."""
        return self.address.startswith(("169.254.", "fe80:"))


class Interface(msgspec.Struct, frozen=True):
    """An interface that is up and has an address."""

    name: str
    index: int
    loopback: bool
    addresses: tuple[InterfaceAddress, ...]
    """In the system's order, link-local ones too."""

    multicast: bool = True
    carrier: bool = True
    """Whether something is at the other end of the cable; True where the system does not tell."""

    has_default_route: bool = False
    """Whether a default route of either family leaves by it."""

    @property
    def ipv4(self) -> str | None:
        """Its first IPv4 address."""
        return next((found.address for found in self.addresses if not found.is_ipv6), None)

    @property
    def ipv6(self) -> str | None:
        """The IPv6 address that lasts longest and can be bound now: a link-local one first, then others in the system's order."""
        usable = [found for found in self.addresses if found.is_ipv6 and not found.tentative]
        usable.sort(key=lambda found: (not found.is_link_local, found.temporary, found.deprecated))
        return usable[0].address if usable else None


def list_interfaces() -> tuple[Interface, ...]:
    """Every interface that is up and has an address, loopback included, in the system's order. 0.1 ms, with a hundred of them 3 ms.

    Raises:
        OSError: The system does not tell now, for want of descriptors or memory.

    """
    if _PLATFORM == "linux":
        # PermissionError: some sandboxes, Android's among them, refuse rtnetlink.
        with contextlib.suppress(PermissionError):
            return _list_by_rtnetlink()
    return _list_by_getifaddrs()


def list_addresses() -> frozenset[str]:
    """Every address of this machine with its interface's name. IPv6 ones that only last hours count too: a path may hang on them.

    Raises:
        OSError: The system does not tell now, for want of descriptors or memory.

    """
    return frozenset(
        f"{interface.name} {found.address}"
        for interface in list_interfaces()
        for found in interface.addresses
        if not found.tentative
    )


def rank_interfaces(interfaces: Iterable[Interface]) -> tuple[Interface, ...]:
    """Those that others are most probably behind come first: default route, loopback, a carrier, then the rest; else as they were."""
    return tuple(
        sorted(
            interfaces,
            key=lambda found: (
                not (found.has_default_route and found.carrier),
                not found.loopback,
                not found.carrier,
                not found.multicast,
            ),
        )
    )


def announced_addresses(interfaces: Iterable[Interface], limit: int) -> tuple[InterfaceAddress, ...]:
    """What others are told of this machine: lasting addresses that can be bound, one of each kind per interface first.

    An interface has up to three kinds: IPv4, IPv6, and link-local IPv6.
    """
    first: list[InterfaceAddress] = []
    more: list[InterfaceAddress] = []
    for interface in interfaces:
        kinds = set()
        for found in interface.addresses:
            if found.tentative or found.temporary or (interface.loopback and found.is_ipv6):
                continue
            kind = (found.is_ipv6, found.is_link_local)
            (more if kind in kinds else first).append(found)
            kinds.add(kind)
    return tuple([*first, *more][:limit])


def shared_networks(present: Iterable[Interface]) -> dict[Network, tuple[int, ...]]:
    """Networks on which this machine is by several adapters, each with the indexes of these. Nearly always there are none."""
    found: dict[Network, dict[int, None]] = {}
    for interface in present:
        if interface.loopback or not interface.carrier:
            continue
        for own in interface.addresses:
            if not own.is_link_local and not own.tentative:
                network = ip_network((own.address, own.prefix_length), strict=False)
                found.setdefault(network, {})[interface.index] = None
    return {network: tuple(indexes) for network, indexes in found.items() if len(indexes) > 1}


def adapters_towards(address: str, shared: Mapping[Network, tuple[int, ...]]) -> tuple[int, ...]:
    """Indexes of the adapters on this address's network, if they are several; `shared` as from `shared_networks`."""
    if not shared or "%" in address:
        return ()
    try:
        wanted = ip_address(address)
    except ValueError:
        return ()
    return next((indexes for network, indexes in shared.items() if wanted in network), ())


def adapters_beside(index: int, shared: Mapping[Network, tuple[int, ...]]) -> tuple[int, ...]:
    """Indexes of the adapters that are on a network with this one, itself among them; none where it is alone on its networks."""
    return next((indexes for indexes in shared.values() if index in indexes), ())


def choose_interfaces(wanted: Iterable[str], present: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """Those of the present interfaces that are wanted; all when nothing is wanted in particular.

    Args:
        wanted: Names mean all addresses of an interface, addresses only themselves; both mean all of the loopback interface, which has no
            IPv6 multicast on Linux. A link-local address may come without its zone.
        present: What there is.

    """
    names = frozenset(wanted)
    if not names:
        return present
    addresses = frozenset(_parsed(name) for name in names)
    chosen = []
    for found in present:
        kept = tuple(
            own for own in found.addresses if not addresses.isdisjoint(_meanings(own.address, found.index))
        )
        if found.name in names or (found.loopback and kept):
            chosen.append(found)
        elif kept:
            chosen.append(replace(found, addresses=kept))
    return tuple(chosen)


def require_interfaces(wanted: Iterable[str], present: tuple[Interface, ...]) -> tuple[Interface, ...]:
    """Choose, and insist that everything wanted is there.

    Raises:
        UsageError: One that is wanted is not there, or not up.

    """
    wanted = tuple(wanted)
    for name in wanted:
        if not choose_interfaces([name], present):
            known = ", ".join(_told(found) for found in present) or "none"
            raise UsageError(
                f"There is no network interface {name}.", hint=f"Interfaces that are up: {known}."
            )
    return choose_interfaces(wanted, present)


def _told(interface: Interface) -> str:
    lasting = [found.address for found in interface.addresses if not found.temporary]
    return f"{lasting[0] if lasting else interface.addresses[0].address} ({interface.name})"


def _parsed(text: str) -> str:
    """An address in the form in which they are compared; whatever else as it is."""
    try:
        return str(IPv6Address(text)) if ":" in text else str(IPv4Address(text))
    except AddressValueError:
        return text


def _meanings(address: str, index: int) -> frozenset[str]:
    """What a user may write for an address: with its zone as a name or a number, or without."""
    bare = address.partition("%")[0]
    return frozenset((address, bare, f"{bare}%{index}"))


def _list_by_rtnetlink() -> tuple[Interface, ...]:
    links = {link.index: link for link in rtnetlink.read_links() if link.flags & rtnetlink.IFF_UP}
    addresses: dict[int, list[InterfaceAddress]] = {}
    for found in rtnetlink.read_addresses():
        link = links.get(found.index)
        if link is None or found.flags & rtnetlink.IFA_F_DADFAILED:
            continue
        addresses.setdefault(found.index, []).append(_address_of(found, link.name))
    defaults = rtnetlink.read_default_routes()
    return tuple(
        Interface(
            name=link.name,
            index=index,
            loopback=bool(link.flags & rtnetlink.IFF_LOOPBACK),
            addresses=tuple(addresses[index]),
            multicast=bool(link.flags & rtnetlink.IFF_MULTICAST),
            carrier=bool(link.flags & rtnetlink.IFF_RUNNING),
            has_default_route=index in defaults,
        )
        for index, link in links.items()
        if index in addresses
    )


def _address_of(found: rtnetlink.AddressMessage, interface: str) -> InterfaceAddress:
    text = socket.inet_ntop(found.family, found.address)
    if found.family == socket.AF_INET:
        return InterfaceAddress(text, found.prefix_length)
    return InterfaceAddress(
        f"{text}%{interface}" if text.startswith("fe80:") else text,
        found.prefix_length,
        temporary=bool(found.flags & rtnetlink.IFA_F_TEMPORARY),
        tentative=bool(found.flags & rtnetlink.IFA_F_TENTATIVE)
        and not found.flags & rtnetlink.IFA_F_OPTIMISTIC,
        deprecated=bool(found.flags & rtnetlink.IFA_F_DEPRECATED),
    )


def _list_by_getifaddrs() -> tuple[Interface, ...]:
    outgoing = _outgoing_addresses()
    found = []
    for adapter in ifaddr.get_adapters():
        index = adapter.index or 0
        addresses = tuple(
            InterfaceAddress(
                str(ip.ip) if ip.is_IPv4 else _with_zone(ip.ip[0], adapter.name, index), ip.network_prefix
            )
            for ip in adapter.ips
        )
        if not addresses:
            continue
        bare = frozenset(own.address.partition("%")[0] for own in addresses)
        found.append(
            Interface(
                name=adapter.name,
                index=index,
                loopback="::1" in bare or any(address.startswith("127.") for address in bare),
                addresses=addresses,
                # Elsewhere an interface that is down has no address, or refuses to be joined, which is noticed then.
                has_default_route=not outgoing.isdisjoint(bare),
            )
        )
    return tuple(found)


def _with_zone(address: str, interface: str, index: int) -> str:
    if not address.startswith("fe80:"):
        return address
    # Windows names its interfaces by GUIDs, and zones by number.
    return f"{address}%{index if _PLATFORM == 'win32' else interface}"


def _outgoing_addresses() -> frozenset[str]:
    """Own addresses from which the rest of the world would be reached. Connecting a UDP socket sends nothing."""
    found = set()
    for family, anywhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        # No such family, or no route to anywhere.
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
            asking.connect((anywhere, 9))
            found.add(str(asking.getsockname()[0]))
    return frozenset(found)
