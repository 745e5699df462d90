"""What a user can ask of a session. A REPL line and a one-shot command build the same request.

One goes to the session in this process, the other through the control socket; both come back as a value of core/replies.py
or as a `BlinkError`.
"""

from typing import Annotated

import msgspec

NonNegativeSeconds = Annotated[float, msgspec.Meta(ge=0)]


class _Request(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """On the control socket: one JSON object, its kind in `type`."""


class GetStatus(_Request, frozen=True, tag="status"):
    """The whole session at a glance. Replies `Status`."""


class Quit(_Request, frozen=True, tag="quit"):
    """End the session. Replies `Done` before it goes."""


class GetPeers(_Request, frozen=True, tag="peers"):
    """Peers seen. Replies `Peers`."""


class PlaceOffer(_Request, frozen=True, tag="offer"):
    """Invite. Replies `OfferPlaced`."""

    peers: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=32)]
    """Nicknames, DIDs, or prefixes that fit one only."""

    wait_s: NonNegativeSeconds | None = None
    """Reply only when the first invited peer's audio link is connected; `NotFoundError` when none is in this time."""

    discover_s: NonNegativeSeconds = 2.0
    """How long to look for a named peer that has not been seen yet."""


class AcceptCall(_Request, frozen=True, tag="accept"):
    """Join a pending call. Replies `CallAccepted`."""

    call: str | None = None
    """Id or prefix; None where one fits."""

    wait_s: NonNegativeSeconds | None = None
    """Also wait for an offer that has not come yet, and until the first audio link is connected."""


class RejectCall(_Request, frozen=True, tag="reject"):
    """Decline a pending call; it stays listed while it goes on. Replies `Done`."""

    call: str | None = None


class LeaveCall(_Request, frozen=True, tag="leave"):
    """Leave the current call. Replies `Done`."""


class GetCalls(_Request, frozen=True, tag="calls"):
    """Pending calls and the current one. Replies `Calls`."""


class GetParticipants(_Request, frozen=True, tag="participants"):
    """Who is in the current call. Replies `Participants`."""


class SetMuted(_Request, frozen=True, tag="set_muted"):
    """Pause or play the source track. Replies `Done`."""

    muted: bool


class SetDeafened(_Request, frozen=True, tag="set_deafened"):
    """Pause or play all sink tracks. Replies `Done`."""

    deafened: bool


class SetGain(_Request, frozen=True, tag="gain"):
    """How loud one peer is played here. Replies `Done`."""

    peer: str
    gain_db: Annotated[float, msgspec.Meta(ge=-60, le=20)]


class SetDevice(_Request, frozen=True, tag="set_device"):
    """Use another device, in the middle of a call too. Replies `DeviceSet`."""

    direction: Annotated[str, msgspec.Meta(pattern="^(input|output)$")]
    device: str


class GetRtpStatistics(_Request, frozen=True, tag="rtp_stats"):
    """Figures of the media, both directions, per peer. Replies `RtpStatistics`."""


class GetIceServers(_Request, frozen=True, tag="ice_servers"):
    """The configured STUN and TURN servers, once each has been asked. Replies `IceServerList`."""


class ReloadContacts(_Request, frozen=True, tag="reload_contacts"):
    """The contacts file changed. Replies `Done`."""


class Subscribe(_Request, frozen=True, tag="subscribe"):
    """Send every event from now on. Replies `Status`, the snapshot that the events continue."""


Request = (
    GetStatus
    | Quit
    | GetPeers
    | PlaceOffer
    | AcceptCall
    | RejectCall
    | LeaveCall
    | GetCalls
    | GetParticipants
    | SetMuted
    | SetDeafened
    | SetGain
    | SetDevice
    | GetRtpStatistics
    | GetIceServers
    | ReloadContacts
    | Subscribe
)
