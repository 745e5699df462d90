"""What the gossip asks the world to do, and what it tells the session."""

import msgspec

from blink_cli.core.gossip.paths import Address, Path, unicast_path
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import DirectSignal, Signal


class Transmit(msgspec.Struct, frozen=True):
    """Send one datagram, of at most 1,200 bytes, on each of these paths. May be lost: the gossip repeats."""

    datagram: bytes
    paths: tuple[Path, ...]


class Received(msgspec.Struct, frozen=True):
    """A signal, new, unchanged and signed by its sender. Whether the sender may say it is for the call machine to judge."""

    sender: Did
    signal: Signal
    call_id: CallId | None
    """The open call on whose topics it came: then its sender holds the group key. None on the peer's own topic."""

    source: Address
    """Of the datagram that completed it: the sender's, or a relay's."""

    path: Path
    """By which path of ours it came."""

    expected: bool = True
    """Whether it came as its sender's signals should: by multicast, or from a unicast neighbour. If not, multicast does not pass."""

    key_id: bytes = b""
    """By which key of its call; empty: by that of the invitation, or to this peer alone."""


class MulticastHeard(msgspec.Struct, frozen=True):
    """A signal of this peer, known already by another way, has come by multicast too."""

    sender: Did
    path: Path


class Acknowledged(msgspec.Struct, frozen=True):
    """A session of the peer has this signal; an offer rings there."""

    peer: Did
    signal: DirectSignal
    call_id: CallId | None


class Noticed(msgspec.Struct, frozen=True):
    """A session says, unsigned, that it is there. A claim: whoever is named may be asked."""

    peer: Did
    nickname: str
    """Harmless; may be empty."""

    source: Address


class OtherVersion(msgspec.Struct, frozen=True):
    """A session speaks other versions of the protocol only. Unsigned: a claim."""

    source: Address
    lowest: int
    highest: int
    peer: Did | None
    """If it says who it is."""

    nickname: str


class Arrival(msgspec.Struct, frozen=True):
    """How and when a datagram came in."""

    path: Path
    """By which path of ours."""

    source: Address
    """From which address, as the network claims."""

    now_s: float
    """Monotonic seconds at which it is read."""

    waited_s: float = 0.0
    """How long it lay in its socket: seconds, when the process was stopped."""

    @property
    def back(self) -> Path:
        """The way straight to its source; whoever overhears how it came overhears that too."""
        return unicast_path(self.source, overheard=self.path.overheard)


class ClockRead(msgspec.Struct, frozen=True):
    """How this peer's wall clock differs from ours."""

    peer: Did
    ahead_s: float
    """Negative: it is behind."""

    proved: bool
    """By an answer to a question of ours. If not, its messages claim so, and the peer, or whoever repeats what it once said, did not answer."""

    route: Path
    """Whence its messages come."""


Told = Received | Acknowledged | MulticastHeard | ClockRead | Noticed | OtherVersion
"""What the session hears."""

GossipEffect = Transmit | Told
