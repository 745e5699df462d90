"""The servers, the signals and the sessions of other versions, as they are shown."""

from collections.abc import Sequence
from typing import Protocol

from blink_cli.core.api.replies.network import IceServerList, IceServerState, SignalCounters
from blink_cli.core.api.replies.peers import OtherVersion
from blink_cli.core.endpoint import endpoint_text
from blink_cli.core.gossip import GossipCounters
from blink_cli.core.ids import Did
from blink_cli.core.presence.other_versions import OtherSession
from blink_cli.core.presence.reach import Reach, why_nobody
from blink_cli.net.ice.ice_servers import ServerVerdict
from blink_cli.net.signaling.udp_transport import TransportCounters


def ice_server_list(verdicts: Sequence[ServerVerdict], transport: str) -> IceServerList:
    """The configured servers as they are shown."""
    return IceServerList(
        transport=transport, servers=tuple(_ice_server_state(verdict) for verdict in verdicts)
    )


def _ice_server_state(verdict: ServerVerdict) -> IceServerState:
    address = None if verdict.address is None else endpoint_text(verdict.address)
    kind = verdict.server.kind
    return IceServerState(
        url=verdict.server.url,
        kind=kind,
        alive=bool(verdict.alive),
        in_use=verdict.in_use,
        rtt_ms=None if verdict.rtt_ms is None else round(verdict.rtt_ms, 3),
        outside_address=address if kind == "stun" else None,
        relay_address=address if kind == "turn" else None,
        last_error=verdict.error,
    )


def signal_counters(gossip: GossipCounters, transport: TransportCounters) -> SignalCounters:
    """The counts of the gossip as they are shown."""
    return SignalCounters(
        received=gossip.received,
        delivered=gossip.delivered,
        not_for_us=gossip.not_for_us,
        duplicates=gossip.duplicates,
        malformed=gossip.malformed + gossip.oversize + gossip.other_version,
        unopened=gossip.unopened,
        forged=gossip.forgeries,
        replayed=gossip.replays,
        stale=gossip.stale,
        rate_limited=gossip.rate_limited,
        transmitted=gossip.transmitted,
        repeated=gossip.repeated,
        given_up=gossip.given_up,
        relayed=gossip.relayed,
        send_failures=transport.send_failures,
        flooded=transport.pauses,
    )


def why_nobody_is_seen(
    gossip: GossipCounters, reach: Reach, *, discovery: bool, other_versions: tuple[str, ...]
) -> str:
    """Where the session looks for others, and what may be in the way."""
    other = gossip.malformed + gossip.oversize + gossip.other_version
    return why_nobody(
        reach, heard=gossip.received, other=other, discovery=discovery, other_versions=other_versions
    )


class OtherVersionsKnown(Protocol):
    """Who knows the sessions that speak another version of the protocol."""

    def other_versions(self) -> tuple[OtherSession, ...]:
        """Those heard of lately."""

    def name_of_claim(self, did: Did, claim: str) -> str:
        """What somebody is called here who only says who it is."""


def shown_versions(known: OtherVersionsKnown) -> tuple[OtherVersion, ...]:
    """The sessions that speak another version of the protocol, with their names as they are shown here."""
    return tuple(
        OtherVersion(
            address=other.address,
            did=other.did,
            nickname="" if other.did is None else known.name_of_claim(other.did, other.nickname),
            lowest=other.lowest,
            highest=other.highest,
            newer=other.newer,
        )
        for other in known.other_versions()
    )
