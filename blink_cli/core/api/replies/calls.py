"""Replies about calls and who is in them."""

import msgspec

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.api.replies.loudness import Loudness
from blink_cli.core.api.replies.paths import AddressesTried, MediaPath, RefusedInRoom
from blink_cli.core.api.replies.peers import CallPeer, NamedPeer
from blink_cli.core.call.facts import LinkState, Topology
from blink_cli.core.ids import CallId, Did


class Participant(ReplyPart, frozen=True):
    """Someone in, or invited to, the current call."""

    did: Did
    nickname: str
    self: bool
    link: LinkState
    muted: bool
    deafened: bool
    recording: bool
    talking: bool
    gain_db: float
    """How much louder it is played here."""

    busy: bool = False
    """It rings there, and it is in another call."""

    no_path: AddressesTried | None = None
    """It is in the call, and for some seconds no way for audio to it has been found."""

    path: MediaPath | None = None
    """None while no audio link to it stands."""

    in_contacts: bool = False
    """It is called as this profile calls it; what others are called is their own claim."""

    ringing: bool = False
    """The offer of this session has reached it, it is on the network, and nobody there has decided yet."""

    video: bool = False
    """Its camera is on, by its own word."""

    muted_here: bool = False
    """It is not played here, because the user said so; it does not learn of it."""

    loudness: Loudness | None = None
    """Of its voice as it came, whatever its gain here; one's own as it is sent. None before its audio link stood."""


class CurrentCall(ReplyPart, frozen=True):
    """The call that this session is in."""

    id: CallId
    state: str
    """offering: nobody came yet; joining: no link connected yet; in_call."""

    since: str
    """ISO 8601, UTC."""

    participants: tuple[Participant, ...]
    topology: Topology = Topology.MESH
    """mesh: by a connection to each; sfu: through a room on an SFU, and directly to those who are not in it."""

    sfu: str | None = None
    """The server of that room; null: this session is in none."""

    heard_at_once: int | None = None
    """How many are heard at once in that room; null: everybody, as by connections to each, and while the call is recorded."""

    refused_in_room: RefusedInRoom | None = None
    """Null: from an older build."""


class PendingCall(ReplyPart, frozen=True):
    """A call that can be joined."""

    id: CallId
    caller: CallPeer = msgspec.field(name="from")
    participants: tuple[CallPeer, ...]
    joined: tuple[CallPeer, ...]
    rejected: bool
    left: bool = False
    """This session was in it and left."""

    @property
    def rings(self) -> bool:
        """Whether it still waits for a decision."""
        return not (self.rejected or self.left)


class OfferPlaced(WholeReply, frozen=True, tag="offer_placed"):
    """The call exists and its invitations are on their way."""

    call: CallId
    connected: tuple[Did, ...]
    """Whose audio link stands."""

    left: CallId | None = None
    """The call that this session was in, and left for this one. None: it was in none."""


class CallAccepted(WholeReply, frozen=True, tag="call_accepted"):
    """This session is in the call."""

    call: CallId
    connected: tuple[Did, ...]
    left: CallId | None = None
    """As with an offer."""


class Calls(WholeReply, frozen=True, tag="calls"):
    """Pending calls and the current one."""

    call: CurrentCall | None
    pending_calls: tuple[PendingCall, ...]


class Participants(WholeReply, frozen=True, tag="participants"):
    """Who is in the current call."""

    call: CallId
    participants: tuple[Participant, ...]


class MeshLink(ReplyPart, frozen=True):
    """How one participant receives another one, by its own last word."""

    did: Did
    link: LinkState
    lost_share: float
    """Of the packets of the last seconds, on the way, before any repair; 0 to 1."""


class MeshParticipant(NamedPeer, frozen=True):
    """One row of the mesh: whom this participant hears."""

    self: bool
    present: bool
    """It is in the call, as far as this session believes."""

    hears: tuple[MeshLink, ...]
    """Everybody it takes to be in the call. Who is left out: nothing is known. Empty of who is not there, or said nothing yet."""


class Mesh(WholeReply, frozen=True, tag="call_mesh"):
    """Who has a link to whom. Sessions announce it about every second."""

    call: CallId
    participants: tuple[MeshParticipant, ...]
    """In the order of the offer."""


class MarkMade(WholeReply, frozen=True, tag="mark_made"):
    """The moment is marked: in the event `marked`, and where else."""

    call: CallId
    text: str
    at_s: float
    """Monotonic, as `clocks.monotonic_s`."""

    rtp_log: bool
    """Whether it is a row of a running RTP log."""

    recording_at_s: float | None
    """Seconds from the first sample of the recording that runs; None: none does."""
