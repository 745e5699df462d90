"""This session's pictures on their way to a room: sent once, for all who subscribe to them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from typing_extensions import override

from blink_cli.core.ids import Did
from blink_cli.core.media.rtp import ReceptionReport, SenderReport, SentPacket
from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_sender import Seal
from blink_cli.core.media.video_feedback import VideoFeedback
from blink_cli.net.link.link_video import LinkVideo
from blink_cli.net.link.video_doors import VideoDoors
from blink_cli.net.link.video_events import VideoEvents

if TYPE_CHECKING:
    from blink_cli.app.media.media_taps import MediaTaps


class RoomShow(VideoEvents):
    """Of one stay in a room. Belongs to the event loop."""

    __slots__ = ("_own", "_taps", "_when_agreed", "_when_wanted", "link", "sent")

    def __init__(
        self, own: Did, taps: "MediaTaps", when_agreed: Callable[[], None], when_wanted: Callable[[], None]
    ) -> None:
        """Have no connection yet.

        Args:
            own: Who this session is: by that name its voice to a room is told too.
            taps: Told of every packet.
            when_agreed: Told that the server takes pictures.
            when_wanted: Told that somebody needs a key frame.

        """
        self.link: LinkVideo | None = None
        self.sent = VideoSendCounters()
        self._own, self._taps = own, taps
        self._when_agreed = when_agreed
        self._when_wanted = when_wanted

    def open(self, doors: VideoDoors, seal: Seal) -> LinkVideo:
        """Send over a connection that stands."""
        self.link = LinkVideo(doors, self, sent=self.sent, received=VideoReceiveCounters(), seal=seal)
        return self.link

    @property
    def agreed(self) -> bool:
        """Whether pictures can be sent now."""
        return self.link is not None and self.link.state == "agreed"

    @override
    def video_agreed(self) -> None:
        self._when_agreed()

    @override
    def key_frame_wanted(self) -> None:
        self._when_wanted()

    @override
    def video_packet_sent(self, packet: SentPacket) -> None:
        self._taps.pictures(self._own, packet)

    @override
    def video_feedback(self, feedback: VideoFeedback) -> None:
        self._taps.pictures(self._own, feedback)

    @override
    def video_reported(self, report: SenderReport | ReceptionReport) -> None:
        self._taps.pictures(self._own, report)
