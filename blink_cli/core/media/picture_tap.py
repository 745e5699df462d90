"""Who listens in on a call's pictures besides its voices."""

from typing import TypeAlias

from blink_cli.core.ids import Did
from blink_cli.core.media.media_tap import MediaTap
from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SenderReport, SentPacket
from blink_cli.core.media.video_feedback import VideoFeedback

OfPictures: TypeAlias = RtpPacket | SentPacket | SenderReport | ReceptionReport | VideoFeedback
"""An authentic packet of pictures, no duplicate, before frames are made of it; one that went out, for the first time or again; what the peer says of the clock of its
pictures, or of those that it is sent; what one side asks the other for."""


class PictureTap(MediaTap):
    """A `MediaTap` that is told of pictures too."""

    def pictures(self, peer: Did, what: OfPictures) -> None:
        """Something passed between this peer and us."""
