"""What a session answers: one of these, to each request. `--json` prints them as they stand, with `schema`: names and meanings are promises to scripts."""

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

Reply = (
    EchoStarted
    | EchoTestBegun
    | EchoVerdict
    | Status
    | Trace
    | Done
    | Peers
    | OfferPlaced
    | CallAccepted
    | Calls
    | Participants
    | PeerVolumeSet
    | DeviceSet
    | VideoSet
    | ProcessingSet
    | PictureShown
    | SnapshotSaved
    | CodecSet
    | CodecShown
    | ImpairmentShown
    | RtpStatistics
    | Levels
    | Mesh
    | MarkMade
    | StatisticsReset
    | RtpLogState
    | IceServerList
    | RecordingBegun
    | RecordingFiles
    | RecordingStatus
    | RecordingMarked
)
