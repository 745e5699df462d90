"""What the call machine is told: values, so that they can be kept, shown and played again. `CallMachine.handle` takes them.

commands     Offering Accepting Rejecting Leaving Showing Ending     refused with StateError, NotFoundError, UsageError
signals      SignalHeard (authenticated, opened), SignalAcknowledged
media        Described Refused Connected Ended Heard Reception       of one epoch of the connection to one peer
contacts     ContactsKnown
links        LinksNotWanted
"""

from dataclasses import dataclass

from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import Signal


@dataclass(frozen=True, slots=True)
class ContactsKnown:
    """These are the contacts now: their calls have places of their own."""

    dids: frozenset[Did]


@dataclass(frozen=True, slots=True)
class LinksNotWanted:
    """In calls that are entered from now on this session makes no link to these, and they must make none to it: nobody is told so.

    They are participants like all others: heard, shown, given keys, missed when they are silent. Their link stays `absent`.
    """

    dids: frozenset[Did]


@dataclass(frozen=True, slots=True)
class Offering:
    """Invite these peers to a new call and be in it; leaves the current call first.

    Raises:
        UsageError: Nobody is named, this session itself is, or too many are.
        StateError: The session is ending.

    """

    peers: tuple[Did, ...]
    """Whom to invite; one named twice is invited once."""

    nickname: str
    """What this session calls itself."""

    wall_ms: int
    """Wall clock in milliseconds, which names this life in the call."""


@dataclass(frozen=True, slots=True)
class Accepting:
    """Join a pending call (ringing, rejected before, or left before); leaves the current call first.

    Raises:
        NotFoundError: No such call can be joined.
        StateError: This session is in it already, or is ending.

    """

    call_id: CallId
    nickname: str
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Rejecting:
    """Decline a ringing call and tell everyone invited; it stays listed while somebody is in it.

    Raises:
        NotFoundError: No such call is pending.
        StateError: It was decided before, or is the current call.

    """

    call_id: CallId


@dataclass(frozen=True, slots=True)
class Leaving:
    """Leave the current call; an offer that nobody has followed is withdrawn.

    Raises:
        StateError: This session is not in a call.

    """


@dataclass(frozen=True, slots=True)
class Showing:
    """Show this to everyone from now on, in this call and the next."""

    muted: bool
    deafened: bool
    recording: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """Leave or withdraw and close every topic; nothing happens afterwards. Safe to say twice.

    A Cancel or Leave in the effects should be given a moment to be repeated before the gossip is closed.
    """


@dataclass(frozen=True, slots=True)
class SignalHeard:
    """A signal came: authenticated, decoded and within the bounds of its type."""

    sender: Did
    """Whose key signed it."""

    signal: Signal
    call_id: CallId | None
    """The call by whose key or topic it came; None when it came to this peer's own topic."""

    key_id: bytes = b""
    """By which of the call's keys it came; empty: by that of the invitation."""


@dataclass(frozen=True, slots=True)
class SignalAcknowledged:
    """A direct signal is known to have reached its peer."""

    peer: Did
    signal: Signal


@dataclass(frozen=True, slots=True)
class Described:
    """The media layer has made its half of this dialling: an SDP offer after Dial, an answer after Answer."""

    peer: Did
    epoch: int
    sdp: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No description could be made, or the peer's was not acceptable."""

    peer: Did
    epoch: int
    reason: str
    """For the log; not empty."""


@dataclass(frozen=True, slots=True)
class Connected:
    """ICE and DTLS of this epoch are through: media can flow."""

    peer: Did
    epoch: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The connection of this epoch failed or was closed, and not by us."""

    peer: Did
    epoch: int
    reason: str
    """For the log; not empty."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Authentic RTP or RTCP of the peer has come since this was told last; a few times a second, not for every packet."""

    peer: Did
    epoch: int
    at_s: float
    """Monotonic arrival of the last of it."""


@dataclass(frozen=True, slots=True)
class Reception:
    """How the peer's voice arrived here in the last seconds; said in the next announce."""

    peer: Did
    lost_permille: int
    longest_burst_packets: int


MediaInput = Described | Refused | Connected | Ended | Heard | Reception
CallInput = (
    ContactsKnown
    | LinksNotWanted
    | Offering
    | Accepting
    | Rejecting
    | Leaving
    | Showing
    | Ending
    | SignalHeard
    | SignalAcknowledged
    | MediaInput
)
