"""Which of this machine's addresses a link offers, and which of a peer's it tries: ranked by what is known, and only then cut.

    where the peer's signals come from ---.
    interfaces, subnets, default routes --+--> ranked --> the first few are used, the rest is named as left out
    what died before ---------------------'

Pure: values in, ranked values out.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeVar

import msgspec
from typing_extensions import override

from blink_cli.net.host.interfaces import Interface, InterfaceAddress

MAX_LOCAL_ADDRESSES: Final = 12
"""Each is a socket of every link and a line of every description, which so stays within a few datagrams."""

MAX_LOCAL_ADDRESSES_AGAIN: Final = 32
"""The same once no way was found over the first ones."""

ALWAYS_TRIED: Final = 4
"""The most promising addresses are tried at every dialling, whatever came of them before; of the others first those that never were."""

MAX_REMOTE_CANDIDATES: Final = 16
"""Each is an address that we send a few checks to on the word of the other side."""

MAX_INDIRECT_CANDIDATES: Final = 4
"""Of those, so many may be reflexive or relayed ones: they work where no direct way does, so a hundred direct ones must not crowd them out."""

T = TypeVar("T")

_Network = IPv4Network | IPv6Network

# How promising an address is, best first.
_PEER_SPEAKS_TO_IT: Final = 0
_PEERS_SUBNET: Final = 1
_PEERS_INTERFACE: Final = 2
_DEFAULT_ROUTE: Final = 3
_CONNECTED: Final = 4
_REPEATED: Final = 5
_PASSING: Final = 6
_NO_CARRIER: Final = 7


class LocalAddress(msgspec.Struct, frozen=True):
    """One address of this machine that a link may use."""

    address: str
    """A link-local IPv6 address with its zone."""

    interface: str
    index: int
    """Of the interface."""

    subnet: _Network | None
    """None where it is not known."""

    is_near: bool = False
    """Whether the peer's signals come by its interface."""

    is_tentative: bool = False
    """Whether it cannot be bound yet."""

    shares_subnet: bool = False
    """Whether another interface is on the same subnet: routing would send everything to it by one of the two, whatever address it comes from."""

    @override
    def __str__(self) -> str:
        """As it is told to users."""
        bare = self.address.partition("%")[0]
        return f"{bare} ({self.interface})" if self.interface else bare

    def reaches(self, host: str) -> bool:
        """Whether an address is on this one's subnet, so that no router is needed."""
        return self.subnet is not None and _holds(self.subnet, self.interface, host)


def rank_local(
    interfaces: Iterable[Interface],
    *,
    heard_from: Collection[str] = (),
    spoken_from: Collection[str] = (),
    avoid: Collection[str] = (),
    wanted: Collection[str] = (),
) -> tuple[LocalAddress, ...]:
    """Every address of these interfaces, the most promising first. Loopback is there only when it is wanted, or nothing else is there.

    First by where the peer's signals come from; then interfaces with a default route, then others; further addresses of one subnet, those
    that pass away, and those without a cable come last. Within each kind the interfaces take turns.

    Args:
        interfaces: Those that are up.
        heard_from: Addresses from which the peer's signals come, link-local ones with the zone of ours.
        spoken_from: Addresses of ours that the system would speak from to those.
        avoid: Addresses of ours by which a link to this peer died: they come after others that are as near.
        wanted: Only these addresses; empty: all.

    """
    everything = list(interfaces)
    present = everything if wanted else [found for found in everything if not found.loopback] or everything
    subnets = [
        (found.index, network)
        for found in present
        for own in found.addresses
        if (network := _subnet_of(own)) is not None and not network.is_link_local
    ]
    ranked = []
    for order, interface in enumerate(present):
        near = any(
            own.address in spoken_from
            or any(_holds(_subnet_of(own), interface.name, host) for host in heard_from)
            for own in interface.addresses
        )
        turns: Counter[int] = Counter()
        seen: set[_Network] = set()
        offered = _worth_offering(interface, heard_from, wanted)
        for own in sorted(offered, key=lambda own: own.temporary or own.deprecated):
            network = _subnet_of(own)
            promise = _promise(
                interface,
                own,
                near=near,
                repeated=network in seen,
                heard_from=heard_from,
                spoken_from=spoken_from,
            )
            if network is not None:
                seen.add(network)
            is_shared = network is not None and any(
                index != interface.index and network.version == other.version and network.overlaps(other)
                for index, other in subnets
            )
            local = LocalAddress(
                own.address,
                interface.name,
                interface.index,
                network,
                is_near=near and promise <= _PEERS_INTERFACE,
                is_tentative=own.tentative,
                shares_subnet=is_shared,
            )
            turns[promise] += 2 if own.address.startswith("fe80:") else 1
            # An address by which a link died stands behind all that are near, and before the rest.
            group = min(max(promise, _PEERS_INTERFACE), _NO_CARRIER)
            ranked.append(((group, own.address in avoid, promise, turns[promise], order), local))
    ranked.sort(key=lambda entry: entry[0])
    return tuple(local for _, local in ranked)


def _promise(
    interface: Interface,
    own: InterfaceAddress,
    *,
    near: bool,
    repeated: bool,
    heard_from: Collection[str],
    spoken_from: Collection[str],
) -> int:
    rules = (
        (not interface.carrier, _NO_CARRIER),
        (own.address in spoken_from, _PEER_SPEAKS_TO_IT),
        (own.temporary or own.deprecated, _PASSING),
        (repeated, _REPEATED),
        (any(_holds(_subnet_of(own), interface.name, host) for host in heard_from), _PEERS_SUBNET),
        (near, _PEERS_INTERFACE),
        (interface.has_default_route, _DEFAULT_ROUTE),
        (True, _CONNECTED),
    )
    return next(promise for holds, promise in rules if holds)


def _worth_offering(
    interface: Interface, heard_from: Collection[str], wanted: Collection[str]
) -> list[InterfaceAddress]:
    """What is wanted; of link-local IPv6 only what reaches somebody whom the interface's other IPv6 addresses may not reach."""
    if wanted:
        return [own for own in interface.addresses if own.address in wanted]
    lasting = any(own.is_ipv6 and not own.is_link_local for own in interface.addresses)
    if not lasting or any(host.startswith("fe80:") for host in heard_from):
        return list(interface.addresses)
    return [own for own in interface.addresses if not own.address.startswith("fe80:")]


class RemoteAddress(msgspec.Struct, frozen=True):
    """Where one candidate of the peer's is."""

    host: str
    is_direct: bool
    """A host candidate, and not one behind a NAT or on a relay."""


def rank_remote(
    candidates: Sequence[RemoteAddress],
    local: Sequence[LocalAddress],
    *,
    heard_from: Collection[str] = (),
    avoid: Collection[str] = (),
    tried: Collection[str] = (),
) -> tuple[int, ...]:
    """Positions of the candidates that are worth a check, the most promising first, at most `MAX_REMOTE_CANDIDATES`.

    Args:
        candidates: In the order in which the peer named them, which counts among equals.
        local: Our addresses that are used.
        heard_from: Addresses from which the peer's signals come.
        avoid: Addresses of the peer's by which a link died.
        tried: Addresses of the peer's to which no way was found before.

    """
    bare = frozenset(host.partition("%")[0] for host in heard_from)
    families = frozenset(":" in own.address for own in local)

    def promise(position: int) -> tuple[bool, bool, bool, bool]:
        host = candidates[position].host
        return (
            bool(families) and (":" in host) not in families,
            host in avoid,
            host not in bare,
            not any(own.reaches(host) for own in local),
        )

    ranked = untried_first(
        sorted(range(len(candidates)), key=promise), lambda position: candidates[position].host in tried
    )
    indirect = [position for position in ranked if not candidates[position].is_direct]
    direct = [position for position in ranked if candidates[position].is_direct]
    kept_indirect = indirect[: max(MAX_INDIRECT_CANDIDATES, MAX_REMOTE_CANDIDATES - len(direct))]
    kept = {*direct[: MAX_REMOTE_CANDIDATES - len(kept_indirect)], *kept_indirect}
    return tuple(position for position in ranked if position in kept)


def untried_first(ranked: Sequence[T], was_tried: Callable[[T], bool]) -> list[T]:
    """The first few as they are, then what was never tried."""
    return [*ranked[:ALWAYS_TRIED], *sorted(ranked[ALWAYS_TRIED:], key=was_tried)]


def _subnet_of(own: InterfaceAddress) -> _Network | None:
    try:
        return ip_network((own.address.partition("%")[0], own.prefix_length), strict=False)
    except ValueError:
        return None


def _holds(subnet: _Network | None, interface: str, host: str) -> bool:
    """Whether a subnet that an interface is on holds an address; what is link-local and of another zone it does not."""
    bare, _, zone = host.partition("%")
    if subnet is None or (zone and zone != interface):
        return False
    try:
        address: IPv4Address | IPv6Address = ip_address(bare)
    except ValueError:
        return False
    return address in subnet
