"""What the call machine asks the world to do. Data only: the app carries it out, the simulation plays it out.

Frozen and slotted; in the order in which the machine returned them.
"""

from dataclasses import dataclass

from blink_cli.core.call.facts import CallFact
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import CallSignal, DirectSignal


@dataclass(frozen=True, slots=True)
class SendToPeer:
    """Seal to one peer; repeat with backoff until acknowledged or stopped (`StopSending`)."""

    peer: Did
    signal: DirectSignal
    call_id: CallId
    """The call it belongs to: its topic for descriptions, and what `StopSending` names."""


@dataclass(frozen=True, slots=True)
class ConfirmOffer:
    """Acknowledge the offer of this call that has just come from this peer: the call is known here, and rang.

    One that finds no place, or is not believed, is not confirmed: its caller goes on, and sees that it has not been delivered.
    """

    peer: Did
    call_id: CallId


@dataclass(frozen=True, slots=True)
class StopSending:
    """Forget unacknowledged direct signals of this call: to one peer, or to all when `peer` is None."""

    call_id: CallId
    peer: Did | None


@dataclass(frozen=True, slots=True)
class SendToCall:
    """Seal with the group key and publish; `copies` more follow at short distances (a Leave has no next second)."""

    call_id: CallId
    signal: CallSignal
    copies: int
    straight: bool = False
    """Also to the address of every participant that was heard lately, as copies do: news must arrive where multicast does not pass."""

    key_id: bytes = b""
    """Under which key of the call; empty: that of the invitation."""


@dataclass(frozen=True, slots=True)
class UseKey:
    """Listen under this key of a call too, whose topics are open; what is said to the call may name it."""

    call_id: CallId
    group_key: bytes


@dataclass(frozen=True, slots=True)
class DropKey:
    """Forget this key of a call. That of the invitation goes with the topics."""

    call_id: CallId
    key_id: bytes


@dataclass(frozen=True, slots=True)
class OpenTopics:
    """Listen to the call's topics from now on."""

    call_id: CallId
    group_key: bytes
    participants: tuple[Did, ...]
    """Everyone invited."""


@dataclass(frozen=True, slots=True)
class CloseTopics:
    """Stop listening and forget the group key."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class Dial:
    """Make a new connection to this peer and report its offer with `local_description`. Replaces an older epoch's."""

    call_id: CallId
    peer: Did
    epoch: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Make a new connection from this offer and report the answer with `local_description`. Replaces an older one."""

    call_id: CallId
    peer: Did
    epoch: int
    sdp: str


@dataclass(frozen=True, slots=True)
class ApplyAnswer:
    """Give the answer to the connection of this epoch."""

    call_id: CallId
    peer: Did
    epoch: int
    sdp: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close the connection of this epoch, if it still stands."""

    call_id: CallId
    peer: Did
    epoch: int


@dataclass(frozen=True, slots=True)
class StartMedia:
    """The source track runs from now on: this session is in the call."""

    call_id: CallId


@dataclass(frozen=True, slots=True)
class StopMedia:
    """Stop source and sinks; no link of the call stands any more."""

    call_id: CallId


CallEffect = (
    SendToPeer
    | ConfirmOffer
    | StopSending
    | SendToCall
    | UseKey
    | DropKey
    | OpenTopics
    | CloseTopics
    | Dial
    | Answer
    | ApplyAnswer
    | Hangup
    | StartMedia
    | StopMedia
    | Emit[CallFact]
)
