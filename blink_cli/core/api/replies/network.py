"""Replies about the network: what of it is used, what became of the signals, the servers."""

from typing import Literal

from blink_cli.core.api.replies.document import ReplyPart, WholeReply


class SignalCounters(ReplyPart, frozen=True):
    """What became of the datagrams that carry signals, since the session started: who floods, lies or has a wrong clock shows here."""

    received: int
    """Read from the network. A flood is read at most at 2,000 a second and socket; the rest is dropped by the system."""

    delivered: int
    """Signals that counted."""

    not_for_us: int
    duplicates: int
    malformed: int
    """No datagram of this program, or of another version of it."""

    unopened: int
    """Not sealed for this session, or changed on the way."""

    forged: int
    replayed: int
    stale: int
    """Dated more than five minutes off: a wrong clock, here or there."""

    rate_limited: int
    """Not even opened, because strangers, or one source, sent too many."""

    transmitted: int
    repeated: int
    """Said again for want of an acknowledgement."""

    given_up: int
    relayed: int
    send_failures: int
    """Refused by the system: no route, or no interface."""

    flooded: int
    """Times that a socket was left alone for 20 ms because more came than any call needs."""


class NetworkUse(ReplyPart, frozen=True):
    """What the session was told to use of the network."""

    group: str
    """Multicast group and port of the signals."""

    interfaces: tuple[str, ...]
    """Addresses or names of the interfaces; empty: all that are up."""

    discovery: bool
    """Whether it announces itself by multicast DNS, and looks for others."""

    multicast: bool = True
    """Whether signals go by multicast, and to neighbours."""

    signal_servers: tuple["SignalServerState", ...] = ()
    """That carry signals past the network, as they were named."""

    sfu: "SfuUse | None" = None
    """null: the session is of an older build, and says nothing of it."""


class SfuUse(ReplyPart, frozen=True):
    """Through which SFUs its larger calls go; secrets are not shown."""

    urls: tuple[str, ...]
    """In the order in which they are tried."""

    takes_any: bool
    """Whether those that only others of a call name are used too."""

    ca: str | None
    """The file of the certificate that is to have signed theirs; null: the system's own are trusted."""


class SignalServerState(ReplyPart, frozen=True):
    """A server that carries signals past the network."""

    url: str
    state: Literal["connected", "failed", "unused"]
    """unused: another one of them is."""

    reason: str | None
    """Why it failed: the end of a sentence that begins with the server."""

    rtt_s: float | None
    """To the server and back."""


class IceServerState(ReplyPart, frozen=True):
    """One configured STUN or TURN server; its credentials are not shown."""

    url: str
    kind: str
    """stun or turn"""

    alive: bool
    """It gave an address when it was asked last; for a TURN server the credentials are right too."""

    in_use: bool
    """A link that is made now uses it: the first living one of its kind."""

    rtt_ms: float | None
    outside_address: str | None
    """What a STUN server saw this machine as, `HOST:PORT`."""

    relay_address: str | None
    """What a TURN server gave, `HOST:PORT`."""

    last_error: str | None
    """Why it is not alive."""


class IceServerList(WholeReply, frozen=True, tag="ice_servers"):
    """The configured servers in their order, and whether calls must go through a relay."""

    transport: str
    """all, or relay: through a TURN server only."""

    servers: tuple[IceServerState, ...]
