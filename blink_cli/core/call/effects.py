"""What the call machine asks the world to do. Data only: the app carries it out, the simulation plays it out.

Frozen and slotted; in the order in which the machine returned them.
"""

import msgspec

from blink_cli.core.call.facts import CallFact
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.fact import Emit
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import CallSignal, DirectSignal


class SendToPeer(msgspec.Struct, frozen=True):
    """Seal to one peer; repeat with backoff until acknowledged or stopped (`StopSending`)."""

    peer: Did
    signal: DirectSignal
    call_id: CallId
    """The call it belongs to: its topic for descriptions, and what `StopSending` names."""


class ConfirmOffer(msgspec.Struct, frozen=True):
    """Acknowledge the offer of this call that has just come from this peer: the call is known here, and rang.

    One that finds no place, or is not believed, is not confirmed: its caller goes on, and sees that it has not been delivered.
    """

    peer: Did
    call_id: CallId


class StopSending(msgspec.Struct, frozen=True):
    """Forget unacknowledged direct signals of this call: to one peer, or to all when `peer` is None."""

    call_id: CallId
    peer: Did | None


class SendToCall(msgspec.Struct, frozen=True):
    """Seal with the group key and publish; `copies` more follow at short distances (a Leave has no next second)."""

    call_id: CallId
    signal: CallSignal
    copies: int
    straight: bool = False
    """Also to the address of every participant that was heard lately, as copies do: news must arrive where multicast does not pass."""

    key_id: bytes = b""
    """Under which key of the call; empty: that of the invitation."""


class UseKey(msgspec.Struct, frozen=True):
    """Listen under this key of a call too, whose topics are open; what is said to the call may name it."""

    call_id: CallId
    group_key: bytes


class DropKey(msgspec.Struct, frozen=True):
    """Forget this key of a call. That of the invitation goes with the topics."""

    call_id: CallId
    key_id: bytes


class OpenTopics(msgspec.Struct, frozen=True):
    """Listen to the call's topics from now on."""

    call_id: CallId
    group_key: bytes
    participants: tuple[Did, ...]
    """Everyone invited."""


class CloseTopics(msgspec.Struct, frozen=True):
    """Stop listening and forget the group key."""

    call_id: CallId


class DescribeEarly(msgspec.Struct, frozen=True):
    """It rings there: make a connection's offer for this peer if that saves time once it accepts, and report it with `local_description`.

    A later `Dial` or `Answer` takes its place; `Hangup` gives it up, and `ApplyAnswer` is the answer to it.
    """

    call_id: CallId
    peer: Did
    epoch: int


class Dial(msgspec.Struct, frozen=True):
    """Make a new connection to this peer and report its offer with `local_description`. Replaces an older epoch's."""

    call_id: CallId
    peer: Did
    epoch: int


class Answer(msgspec.Struct, frozen=True):
    """Make a new connection from this offer and report the answer with `local_description`. Replaces an older one."""

    call_id: CallId
    peer: Did
    epoch: int
    sdp: str


class ApplyAnswer(msgspec.Struct, frozen=True):
    """Give the answer to the connection of this epoch."""

    call_id: CallId
    peer: Did
    epoch: int
    sdp: str


class Hangup(msgspec.Struct, frozen=True):
    """Close the connection of this epoch, or hear no more in the room by this epoch, if it still stands."""

    call_id: CallId
    peer: Did
    epoch: int


class StartMedia(msgspec.Struct, frozen=True):
    """The source track runs from now on: this session is in the call."""

    call_id: CallId


class StopMedia(msgspec.Struct, frozen=True):
    """Stop source and sinks; no link of the call stands any more."""

    call_id: CallId


class EnterRoom(msgspec.Struct, frozen=True):
    """Publish in the call's room on this server, and make the room if there is none; told by `RoomEntered` or `RoomLost`."""

    call_id: CallId
    url: str
    invitation_key: bytes
    """Room and pin follow from it (core/media/room.py)."""


class LeaveRoom(msgspec.Struct, frozen=True):
    """Publish there no more; nobody is heard through it any more. Nothing is told of it from now on."""

    call_id: CallId


class UseRoomKeys(msgspec.Struct, frozen=True):
    """Seal what is published by keys that follow from the current key; open what the others publish by it or by a former one.

    Comes before `EnterRoom`, and again whenever one of them changes.
    """

    call_id: CallId
    current: GroupKey
    former: tuple[GroupKey, ...]


class HearInRoom(msgspec.Struct, frozen=True):
    """Hear a participant by what it publishes in the room; told by `Connected` of this epoch, or `Ended`.

    Its direct connection, if there is one, stays: it has another epoch.
    """

    call_id: CallId
    peer: Did
    epoch: int
    feed: RoomFeed


class PeerTalks(msgspec.Struct, frozen=True):
    """A participant that is heard in the room begins to talk, or ends, by its own word."""

    call_id: CallId
    peer: Did
    talking: bool


MediaEffect = (
    DescribeEarly
    | Dial
    | Answer
    | ApplyAnswer
    | Hangup
    | StartMedia
    | StopMedia
    | EnterRoom
    | LeaveRoom
    | UseRoomKeys
    | HearInRoom
    | PeerTalks
)
"""For what carries the voice."""

CallEffect = (
    SendToPeer
    | ConfirmOffer
    | StopSending
    | SendToCall
    | UseKey
    | DropKey
    | OpenTopics
    | CloseTopics
    | MediaEffect
    | Emit[CallFact]
)
