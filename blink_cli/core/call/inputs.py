"""What the call machine is told: values, so that they can be kept, shown and played again. `CallMachine.handle` takes them.

commands     Offering Accepting Rejecting Leaving Showing Ending     refused with StateError, NotFoundError, UsageError
signals      SignalHeard (authenticated, opened), SignalAcknowledged
media        Described Refused Connected Ended Heard Reception       of one epoch of the connection to one peer
contacts     ContactsKnown
rooms        RoomsKnown
room         RoomEntered RoomLost OwnTalk                             the connection to the SFU that all share
links        LinksNotWanted
"""

import msgspec

from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import Signal


class ContactsKnown(msgspec.Struct, frozen=True):
    """These are the contacts now: their calls have places of their own."""

    dids: frozenset[Did]


class RoomsKnown(msgspec.Struct, frozen=True):
    """Which SFUs this session may use, from the next call on; none as long as this was not told."""

    policy: RoomPolicy


class LinksNotWanted(msgspec.Struct, frozen=True):
    """In calls that are entered from now on this session makes no link to these, and they must make none to it: nobody is told so.

    They are participants like all others: heard, shown, given keys, missed when they are silent. Their link stays `absent`.
    """

    dids: frozenset[Did]


class Offering(msgspec.Struct, frozen=True):
    """Invite these peers to a new call and be in it; leaves the current call first.

    Raises:
        UsageError: Nobody is named, this session itself is, or too many are; a room is needed, and no SFU is known.
        StateError: The session is ending.

    """

    peers: tuple[Did, ...]
    """Whom to invite; one named twice is invited once."""

    nickname: str
    """What this session calls itself."""

    wall_ms: int
    """Wall clock in milliseconds, which names this life in the call."""

    via: Via = Via.AUTO
    """Whether its voice goes through a room on an SFU."""


class Accepting(msgspec.Struct, frozen=True):
    """Join a pending call (ringing, rejected before, or left before); leaves the current call first.

    Raises:
        NotFoundError: No such call can be joined.
        StateError: This session is in it already, or is ending.

    """

    call_id: CallId
    nickname: str
    wall_ms: int


class Rejecting(msgspec.Struct, frozen=True):
    """Decline a ringing call and tell everyone invited; it stays listed while somebody is in it.

    Raises:
        NotFoundError: No such call is pending.
        StateError: It was decided before, or is the current call.

    """

    call_id: CallId


class Leaving(msgspec.Struct, frozen=True):
    """Leave the current call; an offer that nobody has followed is withdrawn.

    Raises:
        StateError: This session is not in a call.

    """


class Showing(msgspec.Struct, frozen=True):
    """Show this to everyone from now on, in this call and the next."""

    muted: bool
    deafened: bool
    recording: bool
    video: bool = False
    """The camera is on."""


class Ending(msgspec.Struct, frozen=True):
    """Leave or withdraw and close every topic; nothing happens afterwards. Safe to say twice.

    A Cancel or Leave in the effects should be given a moment to be repeated before the gossip is closed.
    """


class SignalHeard(msgspec.Struct, frozen=True):
    """A signal came: authenticated, decoded and within the bounds of its type."""

    sender: Did
    """Whose key signed it."""

    signal: Signal
    call_id: CallId | None
    """The call by whose key or topic it came; None when it came to this peer's own topic."""

    key_id: bytes = b""
    """By which of the call's keys it came; empty: by that of the invitation."""


class SignalAcknowledged(msgspec.Struct, frozen=True):
    """A direct signal is known to have reached its peer."""

    peer: Did
    signal: Signal


class Described(msgspec.Struct, frozen=True):
    """The media layer has made its half of this dialling: an SDP offer after Dial, an answer after Answer."""

    peer: Did
    epoch: int
    sdp: str


class Refused(msgspec.Struct, frozen=True):
    """No description could be made, or the peer's was not acceptable."""

    peer: Did
    epoch: int
    reason: str
    """For the log; not empty."""


class Connected(msgspec.Struct, frozen=True):
    """ICE and DTLS of this epoch are through: media can flow."""

    peer: Did
    epoch: int


class Ended(msgspec.Struct, frozen=True):
    """The connection of this epoch failed or was closed, and not by us."""

    peer: Did
    epoch: int
    reason: str
    """For the log; not empty."""


class Heard(msgspec.Struct, frozen=True):
    """Authentic RTP or RTCP of the peer has come since this was told last; a few times a second, not for every packet."""

    peer: Did
    epoch: int
    at_s: float
    """Monotonic arrival of the last of it."""


class Reception(msgspec.Struct, frozen=True):
    """How the peer's voice arrived here in the last seconds; said in the next announce."""

    peer: Did
    lost_permille: int
    longest_burst_packets: int


class RoomEntered(msgspec.Struct, frozen=True):
    """This session is in the room of the call on this server and publishes there."""

    url: str
    feed: RoomFeed
    """To be told to the others, who hear it by this."""


class RoomLost(msgspec.Struct, frozen=True):
    """The room on this server could not be entered, or is gone: the server is, or does not answer. Nobody is heard through it any more.

    To be told once for each `EnterRoom`, unless `LeaveRoom` came first.
    """

    url: str
    reason: str
    """For the user and the log; not empty."""


class RoomSilent(msgspec.Struct, frozen=True):
    """Nothing comes from the room's server any more, neither media nor an answer, though it is not given up yet; or something comes again."""

    url: str
    silent: bool


class OwnTalk(msgspec.Struct, frozen=True):
    """This session's voice begins or ends, by its own talk detector; a muted one does not talk. Told whether or not there is a room."""

    talking: bool


RoomInput = RoomEntered | RoomLost | RoomSilent | OwnTalk
MediaInput = Described | Refused | Connected | Ended | Heard | Reception | RoomInput
CallInput = (
    ContactsKnown
    | RoomsKnown
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
