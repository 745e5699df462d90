"""Tells what comes for the pictures of a link from what comes for its voice, both over one transport (RFC 8843, section 9.2).

    RTP:  its SSRC is one that the agreement on pictures named --> LinkVideo
    RTCP: an offer or answer of pictures, or reports on them   --> LinkVideo, made when the first of either side wants pictures
    all else is the voice's

Apart from `LinkVideo`, since a link that carries a voice alone imports nothing of that. Belongs to the event loop.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from blink_cli.net.link.video_doors import VideoDoors, is_video_message

if TYPE_CHECKING:
    from blink_cli.net.link.link_video import LinkVideo


class PictureDemultiplexer:
    """Of one link."""

    def __init__(self, doors: Callable[[], VideoDoors | None]) -> None:
        """Know of no pictures.

        Args:
            doors: What the link lets its pictures use; None while there can be none.

        """
        self.open_video: Callable[[VideoDoors], LinkVideo | None] | None = None
        """Makes what carries the pictures, when somebody wants some; None: the other side hears nothing of video."""

        self.video: LinkVideo | None = None
        """What carries them; None while nobody wanted any."""

        self.ssrcs: frozenset[int] = frozenset()
        """The streams that are pictures; replaced, never changed: whoever goes the round looks at it."""

        self._doors = doors

    def with_video(self) -> "LinkVideo | None":
        """What carries the pictures, made now if nobody wanted any before; None where there can be none."""
        if self.video is None and self.open_video is not None:
            doors = self._doors()
            if doors is not None:
                self.video = self.open_video(doors)
        return self.video

    def expect(self, ssrcs: Collection[int]) -> None:
        """Take these streams for pictures from now on."""
        self.ssrcs = frozenset(ssrcs)

    def rtp_received(self, data: bytes, arrival_s: float) -> None:
        """Take a decrypted packet of one of `ssrcs`."""
        if self.video is not None:
            self.video.rtp_received(data, arrival_s)

    def rtcp_received(self, data: bytes, arrival_s: float) -> bool:
        """Take a decrypted compound packet. Returns whether it is about pictures alone.

        Raises:
            WireError: It is, and cannot be read.

        """
        if is_video_message(data):
            video = self.with_video()
            if video is not None:
                video.message(data)
            return True
        return self.video is not None and self.video.rtcp_received(data, arrival_s)

    def close(self) -> None:
        """Do nothing any more."""
        if self.video is not None:
            self.video.close()
