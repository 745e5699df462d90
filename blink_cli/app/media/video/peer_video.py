"""The pictures of one participant, over all its links: where frames go, and who is asked for a key frame."""

from typing import TYPE_CHECKING, Final, Protocol

from typing_extensions import override

from blink_cli.core.ids import Did
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SenderReport, SentPacket
from blink_cli.core.media.unwrapper import timestamp_difference
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.picture_schedule import PictureSchedule
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ
from blink_cli.core.media.video.video_receiver import Unseal
from blink_cli.core.media.video_feedback import VideoFeedback
from blink_cli.net.link.link_video import LinkVideo
from blink_cli.net.link.video_doors import VideoDoors
from blink_cli.net.link.video_events import VideoEvents

if TYPE_CHECKING:
    from blink_cli.app.media.media_taps import MediaTaps


FAR_TICKS: Final = 5 * VIDEO_CLOCK_HZ
"""A frame that is older than the newest by more than this is of another clock: its sender was started anew."""


class PeerVideoOwner(Protocol):
    """Who keeps the pictures of a call."""

    def agreed(self, peer: "PeerVideo") -> None:
        """Pictures can go to a participant, and come."""

    def came(self, peer: "PeerVideo", picture: CodedPicture) -> None:
        """A frame of a participant, in the order in which a decoder needs them."""

    def key_frame_wanted(self) -> None:
        """Somebody needs a key frame of ours."""


class PeerVideo(VideoEvents):
    """Of one participant, from its first pictures in a call to its end. Belongs to the event loop."""

    __slots__ = ("_newest", "_owner", "_taps", "did", "link", "received", "schedule", "seen", "sent")

    def __init__(self, did: Did, owner: PeerVideoOwner, taps: "MediaTaps") -> None:
        """Have no link yet.

        Args:
            did: Who it is.
            owner: Told what its pictures need.
            taps: Told of every packet.

        """
        self.did = did
        self.link: LinkVideo | None = None
        """What carries its pictures now; the one of a link that has ended is replaced by the next one's."""

        self.seen: LinkVideo | None = None
        """What brings its pictures through a room, where they come so."""

        self.sent = VideoSendCounters()
        self.received = VideoReceiveCounters()
        self.schedule = PictureSchedule()
        """When its pictures are shown."""

        self._owner = owner
        self._taps = taps
        self._newest: int | None = None
        """The timestamp of the last frame that was given on."""

    def open(self, doors: VideoDoors) -> LinkVideo:
        """Carry pictures over a link that stands."""
        self.schedule.begin()
        self.link = LinkVideo(doors, self, sent=self.sent, received=self.received)
        return self.link

    def see(self, doors: VideoDoors, unseal: Unseal) -> LinkVideo:
        """Have its pictures brought through a room."""
        self.schedule.begin()
        self.seen = LinkVideo(doors, self, sent=VideoSendCounters(), received=self.received, unseal=unseal)
        return self.seen

    @property
    def source(self) -> LinkVideo | None:
        """What brings its pictures now; None: they do not come."""
        return self.link if self.seen is None else self.seen

    @property
    def agreed(self) -> bool:
        """Whether pictures can be sent now."""
        return self.link is not None and self.link.state == "agreed"

    # VideoEvents

    @override
    def video_agreed(self) -> None:
        if self.agreed:
            self._owner.agreed(self)

    @override
    def frame_received(self, picture: CodedPicture) -> None:
        # By a direct connection and by a room the same frames come, while a call goes over from one to the other.
        ahead = FAR_TICKS if self._newest is None else timestamp_difference(picture.timestamp, self._newest)
        if ahead > 0 or ahead < -FAR_TICKS:
            self._newest = picture.timestamp
            self._owner.came(self, picture)

    @override
    def key_frame_wanted(self) -> None:
        self._owner.key_frame_wanted()

    @override
    def video_packet_sent(self, packet: SentPacket) -> None:
        self._taps.pictures(self.did, packet)

    @override
    def video_packet_received(self, packet: RtpPacket) -> None:
        self._taps.pictures(self.did, packet)

    @override
    def video_feedback(self, feedback: VideoFeedback) -> None:
        self._taps.pictures(self.did, feedback)

    @override
    def video_reported(self, report: SenderReport | ReceptionReport) -> None:
        if isinstance(report, SenderReport):
            self.schedule.sender_reported(report.ntp_s, report.rtp_timestamp, report.arrival_s)
        self._taps.pictures(self.did, report)
