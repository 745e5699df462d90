"""What a link to one peer is told before it starts, and the states it goes through."""

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiortc import RTCCertificate

GATHERING_TIMEOUT_S: Final = 0.14
"""What a server that died since it was asked last may cost each side. The answerer gathers after the offerer: together they
stay below 0.3 s."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One STUN or TURN server."""

    url: str
    """`stun:HOST[:PORT]`, `turn:HOST[:PORT][?transport=udp|tcp]` or `turns:HOST[:PORT]`."""

    username: str | None = None
    credential: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """How links are made. The defaults are those of a call on one network, which touches no outside server."""

    addresses: tuple[str, ...] = ()
    """Local IP addresses to use, or names of interfaces whose addresses then are; empty means the most promising ones of this machine, and
    loopback when it has no other."""

    heard_from: tuple[str, ...] = ()
    """IP addresses from which the peer's signals come, link-local ones with the zone of ours: the best hint at where it can be reached."""

    avoid_local: tuple[str, ...] = ()
    """Addresses of ours by which an earlier link to this peer died: others are preferred."""

    avoid_remote: tuple[str, ...] = ()
    """Addresses of the peer by which one died."""

    tried_local: frozenset[str] = frozenset()
    """Addresses of ours from which no way was found before: those that there was no room for have their turn now."""

    tried_remote: frozenset[str] = frozenset()
    """Addresses of the peer to which no way was found before."""

    ice_servers: tuple[IceServer, ...] = ()
    """Servers that are known to answer (`IceServers.plan`). Of each kind, the first one is used."""

    relay_only: bool = False
    """Send and receive through the TURN server alone."""

    gathering_timeout_s: float = GATHERING_TIMEOUT_S
    """How long an offer or answer waits for the servers' candidates. Without servers there is no waiting."""

    connect_timeout_s: float = 10.0
    """A link that is not connected this long after both descriptions are known has failed."""

    report_interval_s: float = 1.0
    """Mean time between RTCP reports."""

    first_report_s: float = 0.4
    """When the first report goes out after the link is up: early, so that the sender's redundancy adapts fast."""

    redundancy: bool = True
    """Offer and accept RED (RFC 2198)."""

    dtx: bool = False
    """Ask the peer, by `usedtx=1`, to send nothing while it is silent (RFC 7587, section 6.1)."""

    stereo: bool = False
    """Say that two channels are sent, and wanted."""

    packet_ms: float = 20
    """Length of the packets that are sent."""


@dataclass(frozen=True, slots=True)
class AddressesTried:
    """Between what a link looks for a way."""

    ours: tuple[str, ...]
    """With their interfaces, as they are told to users."""

    left_out: tuple[str, ...]
    """Those of this machine that were not tried, likewise."""

    theirs: tuple[str, ...]
    """Of those that the other side named."""

    used: frozenset[str]
    """Ours again, as addresses alone."""


@dataclass(frozen=True, slots=True)
class LinkNew:
    """Nothing was exchanged yet."""


@dataclass(frozen=True, slots=True)
class LinkConnecting:
    """Both descriptions are known, and ICE or DTLS is at work."""


@dataclass(frozen=True, slots=True)
class LinkConnected:
    """Media can flow both ways."""

    remote_address: tuple[str, int]
    """IP address and UDP port that packets are sent to."""

    setup_s: float
    """Seconds from when both descriptions were known."""


@dataclass(frozen=True, slots=True)
class LinkClosed:
    """It was up, or closed by us, and has ended."""

    reason: str
    """A sentence part, such as `the other side said goodbye`."""

    by_peer: bool
    """Whether the other side ended it."""


@dataclass(frozen=True, slots=True)
class LinkFailed:
    """It never came up, or the network between the two is gone."""

    reason: str


LinkState = LinkNew | LinkConnecting | LinkConnected | LinkClosed | LinkFailed


class LinkCertificate:
    """The DTLS certificate of a session: fresh, ECDSA P-256, valid for 30 days. Every link of the session shares one."""

    @functools.cached_property
    def rtc(self) -> "RTCCertificate":
        """As aiortc wants it. Made when it is asked for first, which takes a millisecond and needs aiortc."""
        from aiortc import RTCCertificate  # noqa: PLC0415 - a session without a link needs none of it

        return RTCCertificate.generateCertificate()
