"""This session's pictures on their way to a room: sent once, for all who subscribe to them."""

from collections.abc import Callable

from typing_extensions import override

from blink_cli.core.media.video.video_counters import VideoReceiveCounters, VideoSendCounters
from blink_cli.core.media.video.video_sender import Seal
from blink_cli.net.link.link_video import LinkVideo
from blink_cli.net.link.video_doors import VideoDoors
from blink_cli.net.link.video_events import VideoEvents


class RoomShow(VideoEvents):
    """Of one stay in a room. Belongs to the event loop."""

    __slots__ = ("_when_agreed", "_when_wanted", "link", "sent")

    def __init__(self, when_agreed: Callable[[], None], when_wanted: Callable[[], None]) -> None:
        """Have no connection yet.

        Args:
            when_agreed: Told that the server takes pictures.
            when_wanted: Told that somebody needs a key frame.

        """
        self.link: LinkVideo | None = None
        self.sent = VideoSendCounters()
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
