"""What the call machine asks the world to do. Data only: the app carries it out, the simulation plays it out.

Frozen and slotted; in the order in which the machine returned them.
"""

from dataclasses import dataclass

from blink_cli.core.events import Event
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import CallSignal, DirectSignal


@dataclass(frozen=True, slots=True)
class SendToPeer:
    """Seal to one peer; repeat with backoff until acknowledged or stopped (`StopSending`)."""

    peer: Did
    signal: DirectSignal
    call_id: CallId
    """The call it belongs to: its topic for descriptions, and what `StopSending` names."""


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


@dataclass(frozen=True, slots=True)
class OpenTopics:
    """Listen to the call's topics from now on."""

    call_id: CallId
    group_key: bytes


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


@dataclass(frozen=True, slots=True)
class Emit:
    """Tell the user interfaces."""

    event: Event


CallEffect = (
    SendToPeer
    | StopSending
    | SendToCall
    | OpenTopics
    | CloseTopics
    | Dial
    | Answer
    | ApplyAnswer
    | Hangup
    | StartMedia
    | StopMedia
    | Emit
)
