"""What happened among peers and on the network: what the rules of presence tell."""

from blink_cli.core.fact import Fact
from blink_cli.core.ids import Did


class PeerAppeared(Fact, frozen=True):
    """A session of this identity is heard on the network."""

    did: Did
    nickname: str


class PeerVanished(Fact, frozen=True):
    """Nothing is heard of it any more."""

    did: Did
    nickname: str


class PeerClockDiffers(Fact, frozen=True):
    """A peer's wall clock is not ours. Told once for each peer, and again when the difference has changed by a minute or more."""

    did: Did
    nickname: str
    ahead_s: float
    """Negative: it is behind."""

    proved: bool
    """By its answer. If not, its messages claim so and it does not answer: an older build, which cannot be talked to until the clocks agree."""


class PeerClockAgrees(Fact, frozen=True):
    """What `PeerClockDiffers` told is over."""

    did: Did
    nickname: str


class ProtocolDiffers(Fact, frozen=True):
    """A session on the network speaks another version of the protocol, and cannot be talked to. Told once for each address."""

    address: str
    did: Did | None
    """What it says of itself, unsigned; null if it does not."""

    nickname: str
    lowest: int
    highest: int
    """The versions that it speaks."""

    newer: bool
    """Than what this session speaks; else older."""


class MulticastStopped(Fact, frozen=True):
    """Signals do not arrive by multicast any more, and come straight from those who were heard. Told once, until it passes again."""

    interface: str | None
    """Its name; None: nothing has ever come by multicast."""


class MulticastResumed(Fact, frozen=True):
    """Signals arrive by multicast again."""

    interface: str | None


PresenceFact = (
    PeerAppeared
    | PeerVanished
    | PeerClockDiffers
    | PeerClockAgrees
    | ProtocolDiffers
    | MulticastStopped
    | MulticastResumed
)
