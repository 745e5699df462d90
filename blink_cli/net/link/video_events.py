"""What the pictures of a link tell whoever has a use for them."""

from blink_cli.core.media.rtp import ReceptionReport, RtpPacket, SenderReport, SentPacket
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video_feedback import VideoFeedback


class VideoEvents:
    """Hears nothing; a subclass overrides what it wants to hear. Called on the event loop; must be short."""

    __slots__ = ()

    def video_agreed(self) -> None:
        """Both sides are ready: pictures can be sent, and can come."""

    def video_refused(self) -> None:
        """The other side knows no video, or wants none."""

    def frame_received(self, picture: CodedPicture) -> None:
        """A frame that can be decoded, in the order in which a decoder needs them."""

    def key_frame_wanted(self) -> None:
        """The other side cannot go on without a frame that needs no other."""

    def video_packet_received(self, packet: RtpPacket) -> None:
        """An authentic packet of pictures, not a duplicate."""

    def video_packet_sent(self, packet: SentPacket) -> None:
        """A packet of pictures went out."""

    def video_reported(self, report: SenderReport | ReceptionReport) -> None:
        """The peer's RTCP says this of its pictures, or of ours."""

    def video_feedback(self, feedback: VideoFeedback) -> None:
        """One side asks the other for packets or for a key frame."""
