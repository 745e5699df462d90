"""What sessions say to each other: the content of every sealed message (docs/protocol.md has the bytes).

    to one peer, sealed to its prekey, acknowledged and repeated  Offer  Cancel  Decline  Busy  NewKey  SessionDescription  Redial
    to one peer, sealed to its long-term key, sent once           Presence  ClockRequest  ClockReply
    to a call, sealed with its current key, again and again       Announce  RoomAnnounce
    to all who were ever invited, sealed with the invitation's    Attending  Leave

The sender is not in here: it is the key that signed the envelope. A signal of one peer can therefore never speak for another.
"""

from typing import Annotated, Final

import msgspec

from blink_cli.core.ids import MAX_PARTICIPANTS, CallId, Did
from blink_cli.core.media.room import MAX_URL_CHARS, RoomFeed
from blink_cli.core.signaling.prekeys import Prekey
from blink_cli.core.signaling.timeline import TIMELINE_KEY_BYTES

MAX_SDP_CHARS: Final = 8_000

CLOCK_NONCE_BYTES: Final = 16

Nickname = Annotated[
    str,
    msgspec.Meta(
        max_length=64,
        pattern="^[^\\x00-\\x1f\\x7f-\\x9f\\u200b\\u200c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$",
    ),
]
"""A claim: without control and direction characters. What else cannot be seen is taken out where it is read, see core/identity/nickname.py."""

DidText = Annotated[Did, msgspec.Meta(min_length=9, max_length=64)]
CallIdText = Annotated[CallId, msgspec.Meta(min_length=32, max_length=32, pattern="^[0-9a-f]*$")]
Counter = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Place = Annotated[int, msgspec.Meta(ge=0, lt=MAX_PARTICIPANTS)]
"""Of a participant in the list of the offer."""


class _Signal(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """MessagePack arrays with the class's short tag first: small, strict, and without field names on the wire."""


GroupKeyBytes = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class CurrentKey(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The key that a call has by now; greater epochs replace smaller ones."""

    epoch: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    key: GroupKeyBytes


class Offer(_Signal, frozen=True, tag="offer"):
    """Come to this call. Everyone invited gets the same one; the sender is one of the participants."""

    call_id: CallIdText
    group_key: GroupKeyBytes
    """Of the invitation: it stays the same as long as the call lasts."""

    participants: Annotated[tuple[DidText, ...], msgspec.Meta(min_length=2, max_length=MAX_PARTICIPANTS)]
    nickname: Nickname
    """What the caller calls itself: a claim."""

    current: CurrentKey | None = None
    """The key that the call has by now, if it has another one."""


class Cancel(_Signal, frozen=True, tag="cancel"):
    """The offer is withdrawn by its sender before anybody came."""

    call_id: CallIdText


class Decline(_Signal, frozen=True, tag="decline"):
    """I do not come (now). Sent to everyone invited, so that nobody waits for me; joining later stays possible."""

    call_id: CallIdText


class Busy(_Signal, frozen=True, tag="busy"):
    """Your offer rings here, and I am in another call. Said once, to the caller alone; what becomes of the offer is for the user to decide."""

    call_id: CallIdText


class NewKey(_Signal, frozen=True, tag="key"):
    """Everything that is not for all who were ever invited is said under this key from now on. By somebody who is in the call, to each who may read on."""

    call_id: CallIdText
    incarnation: Counter
    """The sender's present life in the call."""

    current: CurrentKey
    out: Annotated[tuple[Place, ...], msgspec.Meta(max_length=MAX_PARTICIPANTS)]
    """Who does not get it, because its maker takes them to have declined or left."""


ANY_INCARNATION: Final = 0
"""For the next joining of the receiver, whichever it is."""


class SessionDescription(_Signal, frozen=True, tag="sdp"):
    """One half of a dialling: the dialler's SDP offer or the other side's answer."""

    call_id: CallIdText
    kind: Annotated[str, msgspec.Meta(pattern="^(offer|answer)$")]
    from_incarnation: Counter
    to_incarnation: Counter
    """The incarnation it is meant for: a description for an earlier life of the receiver is ignored. An offer with `ANY_INCARNATION` is the
    caller's while it rings, which is answered upon accepting, whoever dials otherwise."""

    epoch: Counter
    """Grows with the diallings of the dialler, from its incarnation on; an answer repeats its offer's. Older epochs are ignored."""

    sdp: Annotated[str, msgspec.Meta(max_length=MAX_SDP_CHARS)]


class Redial(_Signal, frozen=True, tag="redial"):
    """The side that does not dial has lost the link of this epoch and asks for another."""

    call_id: CallIdText
    from_incarnation: Counter
    to_incarnation: Counter
    epoch: Counter


class Presence(_Signal, frozen=True, tag="presence"):
    """I am here and this is what I call myself. `reply_wanted` asks for the same in return."""

    nickname: Nickname
    reply_wanted: bool
    prekey: Prekey | None = None
    """To which its sender wants to be sealed to from now on. The gossip puts it in and takes it out."""


class ClockRequest(_Signal, frozen=True, tag="clock?"):
    """What is your clock, and your prekey? Believed whatever its own date: all that it does is to be answered."""

    nonce: Annotated[bytes, msgspec.Meta(min_length=CLOCK_NONCE_BYTES, max_length=CLOCK_NONCE_BYTES)]
    """Random: an answer that has it was given after the question."""

    for_prekey: bool = False
    """It is asked to know the prekey: no reason to ask back, nor a sign that dates are not believed."""


class ClockReply(_Signal, frozen=True, tag="clock"):
    """This answer's date is now, on the timeline that my messages are on (core/signaling/timeline.py)."""

    nonce: Annotated[bytes, msgspec.Meta(min_length=CLOCK_NONCE_BYTES, max_length=CLOCK_NONCE_BYTES)]
    timeline: Annotated[bytes, msgspec.Meta(min_length=TIMELINE_KEY_BYTES, max_length=TIMELINE_KEY_BYTES)]
    wall_ms: Counter
    """The wall clock, milliseconds since 1970; it may have been set since the timeline began."""

    prekey: Prekey | None = None


class PeerReception(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How the announcing session receives one other participant."""

    did: DidText
    link: Annotated[str, msgspec.Meta(pattern="^(connecting|connected|lost|absent)$")]
    incarnation: Counter
    loss_permille: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Packets lost on the way in the last seconds, before any repair."""

    longest_burst_packets: Annotated[int, msgspec.Meta(ge=0, lt=2**16)] = 0
    """Longest run of consecutive packets lost in the last seconds."""


class Announce(_Signal, frozen=True, tag="announce"):
    """I am in the call. Repeated about every second, so that everyone converges whatever was lost."""

    incarnation: Counter
    """Names this joining. Larger is newer: wall-clock milliseconds, or one more than any incarnation heard of."""

    sequence: Counter
    nickname: Nickname
    muted: bool
    deafened: bool
    recording: bool
    hears: Annotated[tuple[PeerReception, ...], msgspec.Meta(max_length=MAX_PARTICIPANTS)]
    """Everyone it takes to be in the call, itself left out; and, as `absent`, who announces a life that it believes is over."""


class Out(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Somebody who is taken to have declined, or to have left in this life."""

    place: Place
    incarnation: Counter
    """0: it was never heard in the call."""


class PlaceLoss(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How badly somebody's packets arrive at the announcing session."""

    place: Place
    loss_permille: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    longest_burst_packets: Annotated[int, msgspec.Meta(ge=0, lt=2**16)]


COUNTED_BYTES: Final = 3
"""Of each place: how it is received, and the last two bytes of its incarnation."""

MAX_EXCEPTIONS: Final = 8
"""Named one by one in a RoomAnnounce; the next one names others."""


class RoomAnnounce(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=False, tag="room"):
    """I am in the call, and this is how I stand to a room on an SFU. Says what an Announce says in a size that hardly grows with the call.

    Later builds may say more behind the last field: it is passed over.
    """

    incarnation: Counter
    sequence: Counter
    """Counted with those of announces."""

    nickname: Nickname
    flags: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    """Bits of core/call/room_announcing.py; those that are not known are passed over."""

    counted: Annotated[bytes, msgspec.Meta(max_length=COUNTED_BYTES * MAX_PARTICIPANTS)]
    """Three bytes for each place of the offer."""

    passed_over: Annotated[tuple[Out, ...], msgspec.Meta(max_length=MAX_EXCEPTIONS)]
    """Who announces a life that is not the newest known here, with the newest: it has to take one that is newer still."""

    losses: Annotated[tuple[PlaceLoss, ...], msgspec.Meta(max_length=MAX_EXCEPTIONS)]
    """Whose packets arrive worst."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_URL_CHARS)] | None = None
    """Of the SFU: where I am, or would go."""

    feed: RoomFeed | None = None
    """What I publish there; None: I am not there."""


class Leave(_Signal, frozen=True, tag="leave"):
    """I left the call. Sent a few times, and again whenever somebody's announce still counts me in."""

    incarnation: Counter


class Attending(_Signal, frozen=True, tag="attending"):
    """I am in the call: for those who may come, or come back. Nothing else of it is theirs."""

    incarnation: Counter
    epoch: Counter
    """Of the key that I speak under: who has a greater one gives it to me."""

    out: Annotated[tuple[Out, ...], msgspec.Meta(max_length=MAX_PARTICIPANTS)]
    """Whom I take to have declined or left."""


DirectSignal = (
    Offer
    | Cancel
    | Decline
    | Busy
    | NewKey
    | SessionDescription
    | Redial
    | Presence
    | ClockRequest
    | ClockReply
)
FIRST_WORDS: Final = frozenset({Presence, ClockRequest, ClockReply})
"""Sealed to a peer's long-term key alone: they carry no secret, and some of them are how a prekey is learnt. Nothing else is believed without one."""

CallSignal = Announce | RoomAnnounce | Attending | Leave
Signal = DirectSignal | CallSignal
