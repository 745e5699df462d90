"""Multicast: sent and heard on each interface, and whether that of others arrives."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from ipaddress import ip_address, ip_network
from typing import Final

from blink_cli.core.endpoint import parse_group
from blink_cli.doctor.finding import Finding, failed, fine, warning
from blink_cli.doctor.interfaces import used_interfaces
from blink_cli.doctor.situation import Situation
from blink_cli.net.host.interfaces import Interface
from blink_cli.net.signaling.multicast_probe import SeatHeard, probe_multicast

NAME: Final = "multicast"
OTHERS: Final = "multicast-others"


def look(situation: Situation) -> Iterator[Finding]:
    """Send to the group of the session on each interface and listen for it, and for others."""
    group = situation.network.group
    interfaces = used_interfaces(situation)
    heard = probe_multicast(parse_group(group), interfaces)
    names = tuple(dict.fromkeys(one.interface for one in heard))
    passing = {one.interface for one in heard if one.own_heard and not one.loopback}
    for name in names:
        seats = [one for one in heard if one.interface == name]
        yield judged(name, seats, group, elsewhere=bool(passing - {name}))
    silent = [one.name for one in interfaces if not one.loopback and one.name not in names]
    if silent:
        # Tunnels have none as a rule: that is a failure only where there is nothing else.
        tell = warning if passing else failed
        yield tell(
            f"{NAME}:{silent[0]}" if len(silent) == 1 else NAME,
            f"{', '.join(silent)}: no multicast: the interface has it switched off, or has no address that can be used yet",
            f"`ip link set {silent[0]} multicast on`; through a tunnel, `--neighbour HOST:PORT` reaches a session.",
        )
    peers = _peers_beside(situation, interfaces)
    if not peers:
        return
    arriving = {other for one in heard for other in one.others}
    if not arriving:
        # Of two or three datagrams a bad wireless network may lose all.
        arriving |= {other for one in probe_multicast(parse_group(group), interfaces) for other in one.others}
    yield judged_others(peers, arriving)


def judged(interface: str, seats: Sequence[SeatHeard], group: str, *, elsewhere: bool) -> Finding:
    """Say what became of one interface's families. One of them is enough for signals to pass.

    Args:
        interface: Its name.
        seats: Its families.
        group: Multicast group and port.
        elsewhere: Whether multicast passes on another interface to others, so that this one may not matter.

    """
    name = f"{NAME}:{interface}"
    port = group.rpartition(":")[2]
    passing = [one for one in seats if one.own_heard]
    troubles = [_trouble(one) for one in seats if not one.own_heard]
    others = sorted({other for one in seats for other in one.others})
    heard = f"; others heard: {', '.join(others)}" if others else ""
    if not troubles:
        versions = " and ".join(f"IPv{one.version}" for one in seats)
        return fine(name, f"what is sent to {group} comes back by {versions}{heard}")
    what = f"{'; '.join(troubles)} (group {group}){heard}"
    if all(one.refusal is not None for one in seats if not one.own_heard):
        remedy = (
            "Another program may keep the port for itself, or this system refuses further memberships: `blink doctor udp-port interfaces` looks."
            " `--neighbour HOST:PORT` reaches a session meanwhile."
        )
        return warning(name, what, remedy) if passing or elsewhere else failed(name, what, remedy)
    remedy = (
        f"Let UDP port {port} in and out, multicast included: `ufw allow {port}/udp`, `firewall-cmd --add-port={port}/udp`, or"
        f" `nft insert rule inet filter input udp dport {port} accept`. Where it cannot be, `--neighbour HOST:PORT` reaches a session."
    )
    return warning(name, what, remedy) if passing or elsewhere else failed(name, what, remedy)


def _trouble(seat: SeatHeard) -> str:
    if seat.refusal is not None:
        return f"IPv{seat.version}: {seat.refusal}"
    return f"IPv{seat.version}: what is sent does not come back: a firewall of this machine drops it"


def judged_others(peers: Mapping[str, str], arriving: AbstractSet[str]) -> Finding:
    """Say whether the multicast of others arrives: if none does, something between us drops it.

    Args:
        peers: Names of those who are there on our networks, by their addresses.
        arriving: Addresses whose multicast was heard.

    """
    heard = [name for host, name in peers.items() if host in arriving]
    if arriving:
        # A peer has addresses of both families, and is known here by one of them.
        named = f": {', '.join(heard)}" if heard else ""
        return fine(OTHERS, f"multicast of others arrives{named}")
    named = ", ".join(f"{name} ({host})" for host, name in peers.items())
    return failed(
        OTHERS,
        f"peers are there, and no multicast of theirs arrives: {named}",
        "Something between drops it: a firewall on either side, client isolation of the access point, or a switch whose IGMP snooping has"
        " no querier. Signals go straight to known peers; new ones need `--neighbour HOST:PORT`.",
    )


def _peers_beside(situation: Situation, interfaces: Sequence[Interface]) -> dict[str, str]:
    """Names of the peers that the session hears from one of our networks, by address: multicast crosses no router."""
    if situation.running is None:
        return {}
    networks = [
        ip_network(f"{found.address.partition('%')[0]}/{found.prefix_length}", strict=False)
        for one in interfaces
        if not one.loopback
        for found in one.addresses
    ]
    own = {found.address.partition("%")[0] for one in interfaces for found in one.addresses}
    peers = {
        _host_of(peer.address): peer.nickname
        for peer in situation.running.peers.peers
        if peer.alive and peer.address is not None
    }
    return {
        host: name
        for host, name in peers.items()
        if host not in own and any(ip_address(host) in network for network in networks)
    }


def _host_of(address: str) -> str:
    return address.rpartition(":")[0].strip("[]").partition("%")[0]
