"""What a link to one peer is told before it starts, and the states it goes through."""

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from blink_cli.net.library_parts import RTCCertificate

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


class LinkSettings(msgspec.Struct, frozen=True):
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

    dred: int | None = None
    """The version of DRED that our libopus writes and reads; None: none."""

    retransmission: bool = True
    """Whether lost packets may be asked for again, in both directions (RFC 4585)."""

    counts_reception: bool = True
    """Whether the streams that come are counted, and reported of (RFC 3550); what brings others' streams within its own leaves that to these."""

    audio_level: bool = True
    """Offer to say in each packet how loud it is (RFC 6464)."""

    dtx: bool = False
    """Ask the peer, by `usedtx=1`, to send nothing while it is silent (RFC 7587, section 6.1)."""

    stereo: bool = False
    """Say that two channels are sent, and wanted."""

    packet_ms: float = 20
    """Length of the packets that are sent."""


class AddressesTried(msgspec.Struct, frozen=True):
    """Between what a link looks for a way."""

    ours: tuple[str, ...]
    """With their interfaces, as they are told to users."""

    left_out: tuple[str, ...]
    """Those of this machine that were not tried, likewise."""

    theirs: tuple[str, ...]
    """Of those that the other side named."""

    used: frozenset[str]
    """Ours again, as addresses alone."""


class LinkNew(msgspec.Struct, frozen=True):
    """Nothing was exchanged yet."""


class LinkConnecting(msgspec.Struct, frozen=True):
    """Both descriptions are known, and ICE or DTLS is at work."""


class LinkConnected(msgspec.Struct, frozen=True):
    """Media can flow both ways."""

    remote_address: tuple[str, int]
    """IP address and UDP port that packets are sent to."""

    setup_s: float
    """Seconds from when both descriptions were known."""


class LinkClosed(msgspec.Struct, frozen=True):
    """It was up, or closed by us, and has ended."""

    reason: str
    """A sentence part, such as `the other side said goodbye`."""

    by_peer: bool
    """Whether the other side ended it."""


class LinkFailed(msgspec.Struct, frozen=True):
    """It never came up, or the network between the two is gone."""

    reason: str


LinkState = LinkNew | LinkConnecting | LinkConnected | LinkClosed | LinkFailed


class LinkCertificate:
    """The DTLS certificate of a session: fresh, ECDSA P-256, valid for 30 days. Every link of the session shares one."""

    @functools.cached_property
    def rtc(self) -> "RTCCertificate":
        """As aiortc wants it. Made when it is asked for first, which takes a millisecond and needs aiortc."""
        from blink_cli.net.library_parts import RTCCertificate  # noqa: PLC0415 - a session without a link needs none of it

        return RTCCertificate.generateCertificate()
