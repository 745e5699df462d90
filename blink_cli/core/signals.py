"""What sessions say to each other: the content of every sealed message (docs/protocol.md has the bytes).

    to one peer, sealed to its key, acknowledged and repeated     Offer  Cancel  Decline  Busy  SessionDescription  Redial
    to one peer, sealed to its key, sent once                     Presence
    to a call, sealed with its group key, sent again and again    Announce  Leave

The sender is not in here: it is the key that signed the envelope. A signal of one peer can therefore never speak for another.
"""

from typing import Annotated, Final

import msgspec

from blink_cli.core.names import CallId, Did

MAX_PARTICIPANTS: Final = 32
"""More than a mesh carries; a bound on what an offer can make us keep."""

MAX_SDP_CHARS: Final = 8_000

Nickname = Annotated[
    str,
    msgspec.Meta(
        max_length=64, pattern="^[^\\x00-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$"
    ),
]
"""A claim, shown in terminals: without control and direction characters."""

DidText = Annotated[Did, msgspec.Meta(min_length=9, max_length=64)]
CallIdText = Annotated[CallId, msgspec.Meta(min_length=32, max_length=32, pattern="^[0-9a-f]*$")]
Counter = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class _Signal(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """MessagePack arrays with the class's short tag first: small, strict, and without field names on the wire."""


class Offer(_Signal, frozen=True, tag="offer"):
    """Come to this call. Everyone invited gets the same one; the sender is one of the participants."""

    call_id: CallIdText
    group_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    participants: Annotated[tuple[DidText, ...], msgspec.Meta(min_length=2, max_length=MAX_PARTICIPANTS)]
    nickname: Nickname
    """What the caller calls itself: a claim."""


class Cancel(_Signal, frozen=True, tag="cancel"):
    """The offer is withdrawn by its sender before anybody came."""

    call_id: CallIdText


class Decline(_Signal, frozen=True, tag="decline"):
    """I do not come (now). Sent to everyone invited, so that nobody waits for me; joining later stays possible."""

    call_id: CallIdText


class Busy(_Signal, frozen=True, tag="busy"):
    """Your offer rings here, and I am in another call. Said once, to the caller alone; what becomes of the offer is for the user to decide."""

    call_id: CallIdText


class SessionDescription(_Signal, frozen=True, tag="sdp"):
    """One half of a dialling: the dialler's SDP offer or the other side's answer."""

    call_id: CallIdText
    kind: Annotated[str, msgspec.Meta(pattern="^(offer|answer)$")]
    from_instance: Counter
    to_instance: Counter
    """The instance it is meant for: a description for an earlier life of the receiver is ignored."""

    epoch: Counter
    """Grows with the diallings of the dialler, from its instance on; an answer repeats its offer's. Older epochs are ignored."""

    sdp: Annotated[str, msgspec.Meta(max_length=MAX_SDP_CHARS)]


class Redial(_Signal, frozen=True, tag="redial"):
    """The side that does not dial has lost the link of this epoch and asks for another."""

    call_id: CallIdText
    from_instance: Counter
    to_instance: Counter
    epoch: Counter


class Presence(_Signal, frozen=True, tag="presence"):
    """I am here and this is what I call myself. `reply_wanted` asks for the same in return."""

    nickname: Nickname
    reply_wanted: bool


class Hearing(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """How the announcing session receives one other participant."""

    did: DidText
    link: Annotated[str, msgspec.Meta(pattern="^(connecting|connected|lost|absent)$")]
    instance: Counter
    loss_permille: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    """Packets lost on the way in the last seconds, before any repair."""

    longest_burst_packets: Annotated[int, msgspec.Meta(ge=0, lt=2**16)] = 0
    """Longest run of consecutive packets lost in the last seconds."""


class Announce(_Signal, frozen=True, tag="announce"):
    """I am in the call. Repeated about every second, so that everyone converges whatever was lost."""

    instance: Counter
    """Names this joining. Larger is newer: wall-clock milliseconds, or one more than any instance heard of."""

    sequence: Counter
    nickname: Nickname
    muted: bool
    deafened: bool
    recording: bool
    hears: Annotated[tuple[Hearing, ...], msgspec.Meta(max_length=MAX_PARTICIPANTS)]
    """Everyone it takes to be in the call, itself left out; and, as `absent`, who announces a life that it believes is over."""


class Leave(_Signal, frozen=True, tag="leave"):
    """I left the call. Sent a few times, and again whenever somebody's announce still counts me in."""

    instance: Counter


Signal = Offer | Cancel | Decline | Busy | SessionDescription | Redial | Presence | Announce | Leave
DirectSignal = Offer | Cancel | Decline | Busy | SessionDescription | Redial | Presence
CallSignal = Announce | Leave
