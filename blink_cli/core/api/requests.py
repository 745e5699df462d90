"""What a user can ask of a session. A REPL line and a one-shot command build the same request.

One goes to the session in this process, the other through the control socket; both come back as the reply that the request names
(`PlaceOffer(Request[OfferPlaced])`), or as a `BlinkError`.
"""

from typing import Annotated, Any, Final, Generic, Literal, TypeVar, get_args

import msgspec

from blink_cli.core.api.replies.calls import CallAccepted, Calls, MarkMade, Mesh, OfferPlaced, Participants
from blink_cli.core.api.replies.codec import CodecSet, CodecShown
from blink_cli.core.api.replies.devices import DeviceSet
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.replies.echo import EchoStarted, EchoTestBegun, EchoVerdict
from blink_cli.core.api.replies.impairment import ImpairmentShown
from blink_cli.core.api.replies.loudness import Levels
from blink_cli.core.api.replies.network import IceServerList
from blink_cli.core.api.replies.peers import Peers, PeerVolumeSet
from blink_cli.core.api.replies.pictures import PictureShown, SnapshotSaved
from blink_cli.core.api.replies.processing import ProcessingSet
from blink_cli.core.api.replies.recordings import (
    RecordingBegun,
    RecordingFiles,
    RecordingMarked,
    RecordingStatus,
)
from blink_cli.core.api.replies.rtp_log import RtpLogState
from blink_cli.core.api.replies.statistics import RtpStatistics, StatisticsReset
from blink_cli.core.api.replies.status import Status, Trace
from blink_cli.core.api.replies.video import VideoSet
from blink_cli.core.api.reply import Reply
from blink_cli.core.api.session_options import CodecKey, CodecOptions
from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from blink_cli.core.call.room_policy import Via
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import MAX_PARTICIPANTS
from blink_cli.core.media.processing_settings import ProcessingChoice

RecordingFormat = Literal["mp4", "wav", "opus", "mix"]
"""One MP4 of all tracks; a WAV for each participant; a mixdown."""

NonNegativeSeconds = Annotated[float, msgspec.Meta(ge=0)]


_NO_NUL: Final = r"\A[^\0]*\Z"
PathText = Annotated[str, msgspec.Meta(min_length=1, max_length=4096, pattern=_NO_NUL)]
"""A path. It need not be UTF-8: see core/text/json_text.py."""


R = TypeVar("R", bound=Reply)
R_co = TypeVar("R_co", bound=Reply, covariant=True)


class Request(
    msgspec.Struct, Generic[R_co], frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """What can be asked, with the reply that it gets. On the control socket: one JSON object, its kind in `type`."""


class GetStatus(Request[Status], frozen=True, tag="status"):
    """The whole session at a glance."""


class GetTrace(Request[Trace], frozen=True, tag="trace"):
    """The last steps of the rules of calls: what they were told, and what they wanted. Ask again for what did not fit into one reply."""

    first: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The number of the first step that is wanted; the session's first is 0."""


class Quit(Request[Done], frozen=True, tag="quit"):
    """End the session. It is answered before it goes."""


class GetPeers(Request[Peers], frozen=True, tag="peers"):
    """Peers seen."""


class PlaceOffer(Request[OfferPlaced], frozen=True, tag="offer"):
    """Invite."""

    peers: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=MAX_PARTICIPANTS)]
    """Nicknames, DIDs, or prefixes that fit one only."""

    wait_s: NonNegativeSeconds | None = None
    """Reply only when the first invited peer's audio link is connected; `NotFoundError` when none is in this time."""

    discover_s: NonNegativeSeconds = 2.0
    """How long to look for a named peer that has not been seen yet; as long as `wait_s` where that is more."""

    via: Via = Via.AUTO
    """How its voice goes: `sfu`, `mesh`, or by the call's size."""

    withdraw: bool = False
    """Leave the call again, and so withdraw the offer, if nobody is connected in `wait_s`."""


class AcceptCall(Request[CallAccepted], frozen=True, tag="accept"):
    """Join a pending call."""

    call: str | None = None
    """Id or prefix; None where one fits."""

    wait_s: NonNegativeSeconds | None = None
    """Also wait for an offer that has not come yet, and until the first audio link is connected."""


class RejectCall(Request[Done], frozen=True, tag="reject"):
    """Decline a pending call; it stays listed while it goes on."""

    call: str | None = None


class LeaveCall(Request[Done], frozen=True, tag="leave"):
    """Leave the current call."""


class GetCalls(Request[Calls], frozen=True, tag="calls"):
    """Pending calls and the current one."""


class GetParticipants(Request[Participants], frozen=True, tag="participants"):
    """Who is in the current call."""


class SetMuted(Request[Done], frozen=True, tag="set_muted"):
    """Pause or play the source track."""

    muted: bool


class SetDeafened(Request[Done], frozen=True, tag="set_deafened"):
    """Pause or play all sink tracks."""

    deafened: bool


class SetVideo(Request[VideoSet], frozen=True, tag="set_video"):
    """Turn the camera on or off, in the current call."""

    on: bool


class SetCamera(Request[VideoSet], frozen=True, tag="set_camera"):
    """Use another camera, in the middle of a call too; one that is off stays off."""

    camera: Annotated[str, msgspec.Meta(pattern=_NO_NUL)]


class SetGain(Request[PeerVolumeSet], frozen=True, tag="gain"):
    """How loud one peer is played here, now and later."""

    peer: str
    gain_db: Annotated[float, msgspec.Meta(ge=LOWEST_GAIN_DB, le=HIGHEST_GAIN_DB)]


class SetPeerMuted(Request[PeerVolumeSet], frozen=True, tag="set_peer_muted"):
    """Play one peer, or not, here, now and later. The peer does not learn of it."""

    peer: str
    muted: bool


class SetDevice(Request[DeviceSet], frozen=True, tag="set_device"):
    """Use another device, in the middle of a call too."""

    direction: Annotated[str, msgspec.Meta(pattern="^(input|output)$")]
    device: Annotated[str, msgspec.Meta(pattern=_NO_NUL)]


class SetProcessing(Request[ProcessingSet], frozen=True, tag="set_processing"):
    """Change what is done to the microphone's sound, in the middle of a call too, and remember it in the profile."""

    choice: ProcessingChoice


class SetCodec(Request[CodecSet], frozen=True, tag="codec_set"):
    """Encode otherwise from the next frame on, in the middle of a call too."""

    changes: CodecOptions = CodecOptions()
    """What changes; None of it stays as it is."""

    to_default: tuple[CodecKey, ...] = ()
    """Names of those that are as the settings file says again, or as they are by themselves."""

    once: bool = False
    """For this call only. Otherwise for every call, and remembered."""


Way = Literal["in", "out"]
"""What comes to this session, or what it sends."""

BOTH_WAYS: Final[tuple[Way, ...]] = get_args(Way)


class SetImpairment(Request[ImpairmentShown], frozen=True, tag="impair"):
    """Make links bad on purpose, or good again, until the session ends. Calls of later too; signals are not meant."""

    peer: str | None = None
    """Nickname, DID or prefix; None: everybody."""

    ways: Annotated[tuple[Way, ...], msgspec.Meta(min_length=1, max_length=2)] = BOTH_WAYS
    words: Annotated[tuple[PathText, ...], msgspec.Meta(max_length=32)] = ()
    """Each `key=value`, as docs/impairment.md has them; a path in them is absolute. None: not impaired."""


class GetImpairment(Request[ImpairmentShown], frozen=True, tag="impairment"):
    """What is impaired on purpose."""


class GetCodec(Request[CodecShown], frozen=True, tag="codec"):
    """How voice is encoded."""


class GetRtpStatistics(Request[RtpStatistics], frozen=True, tag="rtp_stats"):
    """Figures of the media, both directions, per peer."""

    total: bool = False
    """From the beginning of the call, whatever was reset since."""


class GetLevels(Request[Levels], frozen=True, tag="levels"):
    """How loud everybody of the current call is now. Cheap: for who draws level bars."""


class GetMesh(Request[Mesh], frozen=True, tag="mesh"):
    """Who of the current call has a link to whom, and how it does, by each one's own word."""


class Mark(Request[MarkMade], frozen=True, tag="mark"):
    """Mark this moment of the current call: an event, a row of the RTP log, a marker of the recording, where these run."""

    text: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    """Empty: `mark 1`, `mark 2` and so on."""


class ResetStatistics(Request[StatisticsReset], frozen=True, tag="stats_reset"):
    """Count the figures of the current call from now on. The totals stay."""


class StartRtpLog(Request[RtpLogState], frozen=True, tag="rtp_log_start"):
    """Log every packet of the present call, or else of the next one."""

    path: PathText
    """Absolute. A folder, which exists or ends with a slash: each call gets a file of its own in it. Else a file that does not exist."""

    decisions: bool = False
    """Whether a file beside it tells what the playout does, and why."""

    replayable: bool = False
    """Whether a file beside it holds what `lab replay` needs: everybody's voice. All in the call are shown that this session records."""

    payload: bool = False
    """Whether it holds what every packet carries: everybody's voice, too, and shown in the same way."""


class PauseRtpLog(Request[RtpLogState], frozen=True, tag="rtp_log_pause"):
    """Write no rows for a while."""


class ResumeRtpLog(Request[RtpLogState], frozen=True, tag="rtp_log_resume"):
    """Write rows again."""


class StopRtpLog(Request[RtpLogState], frozen=True, tag="rtp_log_stop"):
    """End the log and close its file."""


class GetRtpLog(Request[RtpLogState], frozen=True, tag="rtp_log"):
    """How the log stands."""


class GetIceServers(Request[IceServerList], frozen=True, tag="ice_servers"):
    """The configured STUN and TURN servers, once each has been asked."""


class ReloadContacts(Request[Done], frozen=True, tag="reload_contacts"):
    """The contacts file changed."""


class StartRecording(Request[RecordingBegun], frozen=True, tag="record_start"):
    """Record the current call from now on. It is answered once the file is on the disk."""

    folder: PathText
    """Absolute, as the session sees it; made when it is not there."""

    formats: Annotated[tuple[RecordingFormat, ...], msgspec.Meta(min_length=1, max_length=4)] = ("mp4",)
    """The MP4 is always written; wav and mix are made from it in the end."""

    processing: bool = False
    """Also write what the microphone hears, what the speaker plays meanwhile, and what is sent, as files that lie on each other."""

    pictures: bool | None = None
    """Whether to record what is seen of everybody beside what they say; None: if there is something to be seen as it begins."""


class StopRecording(Request[RecordingFiles], frozen=True, tag="record_stop"):
    """End the recording and finish its files."""

    loudness: bool = False
    """Whether to measure how loud each participant is, although nothing else wants the sound decoded: a second for two minutes of one."""


class GetRecording(Request[RecordingStatus], frozen=True, tag="record_status"):
    """What is being recorded, and what was left unfinished."""


class MarkRecording(Request[RecordingMarked], frozen=True, tag="record_mark"):
    """Put a marker at this moment of the recording."""

    text: Annotated[str, msgspec.Meta(max_length=1000)]


MOST_SHOWN_PIXELS: Final = 60_000
"""Of a picture in a reply: 320 by 187. In base64 that is 240 kB, which a line of the control socket holds."""


class GetPicture(Request[PictureShown], frozen=True, tag="picture"):
    """The newest picture of a participant, as small as it is shown. Asked again and again, it is a stream at the pace of who looks."""

    peer: str | None = None
    """Nickname, DID or prefix; None: oneself."""

    width: Annotated[int, msgspec.Meta(ge=2, le=1920)] = 160
    height: Annotated[int, msgspec.Meta(ge=2, le=1080)] = 90
    """Into which it is fitted, its shape kept; smaller still where it would have more than 60,000 pixels."""

    than: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The number of the picture that is known: only a newer one counts."""

    wait_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    """How long to wait for one."""


class SaveSnapshot(Request[SnapshotSaved], frozen=True, tag="snapshot"):
    """Write the newest picture of a participant, as large as it came, into a file."""

    path: PathText
    """Absolute; ends in .png, .jpg, .jpeg or .webp, which says what is written."""

    peer: str | None = None
    """As of `GetPicture`."""

    replace: bool = False
    """Whether a file of this name is replaced."""

    wait_s: Annotated[float, msgspec.Meta(ge=0, le=60)] = 2.0
    """How long to wait for a picture where there is none yet."""


class StartEcho(Request[EchoStarted], frozen=True, tag="echo_start"):
    """Start an echo peer beside this session, on this machine, for one call. It ends after it, and with the session."""

    stretch_s: Annotated[float, msgspec.Meta(ge=0, le=30)] = 4.0
    """How long it listens before it says what it heard; 0: at once."""


class StopEcho(Request[Done], frozen=True, tag="echo_stop"):
    """End the echo peer beside this session, if one runs."""

    pid: int | None = None
    """Only if it is this one still; None: whichever runs."""


class BeginEchoTest(Request[EchoTestBegun], frozen=True, tag="echo_test_begin"):
    """Keep what is sent and what comes back, in the present call or the next, for `EndEchoTest`; two minutes at most. An earlier test is forgotten."""


class EndEchoTest(Request[EchoVerdict], frozen=True, tag="echo_test_end"):
    """Leave the call, if it still goes on, and say what came back of what was sent."""

    test: int | None = None
    """Of `EchoTestBegun`; None: whichever was begun last."""


class Subscribe(Request[Status], frozen=True, tag="subscribe"):
    """Send every event from now on. The reply is the snapshot that the events continue."""


AnyRequest = (
    GetStatus
    | GetTrace
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
    | SetVideo
    | SetCamera
    | SetGain
    | SetPeerMuted
    | SetDevice
    | SetProcessing
    | SetCodec
    | GetCodec
    | SetImpairment
    | GetImpairment
    | GetRtpStatistics
    | GetLevels
    | GetMesh
    | Mark
    | ResetStatistics
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
    | GetPicture
    | SaveSnapshot
    | StartEcho
    | StopEcho
    | BeginEchoTest
    | EndEchoTest
    | Subscribe
)
"""Every request there is."""


def reply_type(kind: type[Request[R]]) -> type[R]:
    """Return the type of the reply that requests of a kind get.

    Raises:
        TypeError: It is not a request of its own, but a base of some.

    """
    named = [base for base in getattr(kind, "__orig_bases__", ()) if get_args(base)]
    if len(named) != 1 or kind is Request:
        raise TypeError(f"{kind.__name__} names no reply")
    reply: type[R] = get_args(named[0])[0]
    return reply


def checked_reply(request: Request[R], reply: Any) -> R:
    """Return a reply as the type that its request promises.

    Raises:
        BlinkError: It is another: the session is of a version that this program does not understand.

    """
    if not isinstance(reply, reply_type(type(request))):
        raise other_reply(request, type(reply).__name__)
    return reply


def other_reply(request: Request[Any], got: str) -> BlinkError:
    """Return the error of a reply that is not the one which the request names; `got` says what it is instead."""
    return BlinkError(
        f"The session answered with {got} where {reply_type(type(request)).__name__} was expected.",
        hint="End it and start it again with this version: `blink quit`.",
    )
