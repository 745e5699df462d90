"""What a user can ask of a session. A REPL line and a one-shot command build the same request.

One goes to the session in this process, the other through the control socket; both come back as a value of core/replies.py
or as a `BlinkError`.
"""

from typing import Annotated, Literal

import msgspec

from blink_cli.core.voice import HIGHEST_GAIN_DB, LOWEST_GAIN_DB

RecordingFormat = Literal["mp4", "wav", "mix"]
"""One MP4 of all tracks; a WAV for each participant; a mixdown."""

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
    gain_db: Annotated[float, msgspec.Meta(ge=LOWEST_GAIN_DB, le=HIGHEST_GAIN_DB)]


class SetDevice(_Request, frozen=True, tag="set_device"):
    """Use another device, in the middle of a call too. Replies `DeviceSet`."""

    direction: Annotated[str, msgspec.Meta(pattern="^(input|output)$")]
    device: str


class GetRtpStatistics(_Request, frozen=True, tag="rtp_stats"):
    """Figures of the media, both directions, per peer. Replies `RtpStatistics`."""


class StartRtpLog(_Request, frozen=True, tag="rtp_log_start"):
    """Log every packet of the present call, or else of the next one. Replies `RtpLogState`."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    """Absolute. A folder, which exists or ends with a slash: each call gets a file of its own in it. Else a file that does not exist."""


class PauseRtpLog(_Request, frozen=True, tag="rtp_log_pause"):
    """Write no rows for a while. Replies `RtpLogState`."""


class ResumeRtpLog(_Request, frozen=True, tag="rtp_log_resume"):
    """Write rows again. Replies `RtpLogState`."""


class StopRtpLog(_Request, frozen=True, tag="rtp_log_stop"):
    """End the log and close its file. Replies `RtpLogState`, state off."""


class GetRtpLog(_Request, frozen=True, tag="rtp_log"):
    """How the log stands. Replies `RtpLogState`."""


RtpLogRequest = StartRtpLog | PauseRtpLog | ResumeRtpLog | StopRtpLog | GetRtpLog


class GetIceServers(_Request, frozen=True, tag="ice_servers"):
    """The configured STUN and TURN servers, once each has been asked. Replies `IceServerList`."""


class ReloadContacts(_Request, frozen=True, tag="reload_contacts"):
    """The contacts file changed. Replies `Done`."""


class StartRecording(_Request, frozen=True, tag="record_start"):
    """Record the current call from now on. Replies `RecordingBegun` once the file is on the disk."""

    folder: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
    """Absolute, as the session sees it; made when it is not there."""

    formats: Annotated[tuple[RecordingFormat, ...], msgspec.Meta(min_length=1, max_length=3)] = ("mp4",)
    """The MP4 is always written; wav and mix are made from it in the end."""


class StopRecording(_Request, frozen=True, tag="record_stop"):
    """End the recording and finish its files. Replies `RecordingFiles`."""


class GetRecording(_Request, frozen=True, tag="record_status"):
    """What is being recorded, and what was left unfinished. Replies `RecordingStatus`."""


class MarkRecording(_Request, frozen=True, tag="record_mark"):
    """Put a marker at this moment of the recording. Replies `RecordingMarked`."""

    text: Annotated[str, msgspec.Meta(max_length=1000)]


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
    | StartRtpLog
    | PauseRtpLog
    | ResumeRtpLog
    | StopRtpLog
    | GetRtpLog
    | GetIceServers
    | ReloadContacts
    | StartRecording
    | StopRecording
    | GetRecording
    | MarkRecording
    | Subscribe
)
