"""Replies about peers: who is there, what they are called, how loud they are played."""

from typing import Literal

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.ids import Did


class NamedPeer(ReplyPart, frozen=True):
    """A DID and what this profile calls it."""

    did: Did
    nickname: str


class HeardPeer(NamedPeer, frozen=True):
    """A peer that is not played as it comes, because the user said so."""

    gain_db: float
    muted_here: bool


class CallPeer(NamedPeer, frozen=True):
    """Someone of a pending call."""

    in_contacts: bool = False
    """It is called as this profile calls it; what others are called is their own claim."""


class WrongClock(ReplyPart, frozen=True):
    """A peer whose wall clock is not this one."""

    did: Did
    nickname: str
    ahead_s: float
    """Negative: it is behind."""

    proved: bool
    """By its answer; if not, its messages claim so, and it is not heard until the clocks agree."""


class OtherVersion(ReplyPart, frozen=True):
    """A session on the network that speaks another version of the protocol, and cannot be talked to."""

    address: str
    did: Did | None
    """A claim; null if it does not say who it is."""

    nickname: str
    lowest: int
    highest: int
    newer: bool


class Peer(ReplyPart, frozen=True):
    """A session seen on the network, or known from contacts."""

    did: Did
    nickname: str
    address: str | None
    alive: bool
    last_seen_ms: int | None
    """How long ago it was last heard; None when never."""

    in_contacts: bool
    clock_ahead_s: float | None = None
    """How far its wall clock is ahead of this one; negative: behind. None: as far as is known they agree."""

    clock_proved: bool | None = None
    """Whether it said so in answer to a question, or its messages claim it: then it is not heard until the clocks agree."""

    via: Literal["network", "broker"] | None = None
    """How it is heard: by the network, or through a signal server alone, and then `address` is not known. None: it is not."""


class Peers(WholeReply, frozen=True, tag="peers"):
    """`blink peers --json` prints the list itself."""

    peers: tuple[Peer, ...]
    why_nobody: str | None = None
    """If nobody is there: where this session looks, and what may be in the way."""

    other_versions: tuple[OtherVersion, ...] = ()
    """Sessions heard lately that speak another version of the protocol; `status --json` has them too."""


class PeerVolumeSet(WholeReply, frozen=True, tag="peer_volume_set"):
    """How loud a peer is played here from now on, in the call or not."""

    did: Did
    nickname: str
    gain_db: float
    muted_here: bool
    ok: bool = True
    not_remembered: str | None = None
    """Why the choice could not be written down: the next session will not know it."""
