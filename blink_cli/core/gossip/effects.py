"""What the gossip asks the world to do, and what it tells the session."""

from dataclasses import dataclass

from blink_cli.core.gossip.paths import Address, Path
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import DirectSignal, Signal


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send one datagram, of at most 1,200 bytes, on each of these paths. May be lost: the gossip repeats."""

    datagram: bytes
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Received:
    """A signal, new, unchanged and signed by its sender. Whether the sender may say it is for the call machine to judge."""

    sender: Did
    signal: Signal
    call_id: CallId | None
    """The open call on whose topics it came: then its sender holds the group key. None on the peer's own topic."""

    source: Address
    """Of the datagram that completed it: the sender's, or a relay's."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A session of the peer has this signal."""

    peer: Did
    signal: DirectSignal
    call_id: CallId | None


@dataclass(frozen=True, slots=True)
class Arrival:
    """How and when a datagram came in."""

    path: Path
    """By which path of ours."""

    source: Address
    """From which address, as the network claims."""

    now_s: float
    """Monotonic seconds."""


GossipEffect = Transmit | Received | Acknowledged
