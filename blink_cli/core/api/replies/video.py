"""Replies about the camera, and about pictures that are sent and come."""

from blink_cli.core.api.replies.document import ReplyPart, WholeReply
from blink_cli.core.ids import Did


class VideoSent(ReplyPart, frozen=True):
    """The pictures that go to one participant, with the names of W3C's outbound-rtp."""

    frames_sent: int
    key_frames_sent: int
    packets_sent: int
    bytes_sent: int
    """Payload octets, those of packets that went again included."""

    retransmitted_packets_sent: int
    packets_discarded: int
    nack_count: int
    pli_count: int
    fir_count: int
    target_bitrate: int
    """Bits a second that the line to it takes, by what arrives there."""

    queue_ms: float
    """How long packets stand in a queue on the way there, by the same."""

    fraction_lost: float | None
    """By the peer's last report, 0 to 1; null before the first."""

    rtt_s: float | None
    mime_type: str | None = None
    """How they are encoded, `video/VP8` or `video/H264`; null while nothing is sent."""


class VideoReceived(ReplyPart, frozen=True):
    """The pictures that come from one participant, with the names of W3C's inbound-rtp."""

    packets_received: int
    packets_lost: int
    bytes_received: int
    retransmitted_packets_received: int
    frames_received: int
    frames_decoded: int
    key_frames_decoded: int
    frames_dropped: int
    frame_width: int | None
    frame_height: int | None
    frames_per_second: float | None
    freeze_count: int
    total_freezes_duration: float
    total_decode_time: float
    jitter: float
    nack_count: int
    pli_count: int
    mime_type: str | None = None
    """How the newest one is encoded, `video/VP8` or `video/H264`; null before the first."""


class VideoStatistics(ReplyPart, frozen=True):
    """The pictures of one link, both ways."""

    sent: VideoSent
    received: VideoReceived


class PeerVideoFigures(ReplyPart, frozen=True):
    """Of one participant."""

    did: Did
    agreed: bool
    """Whether both sides are ready for pictures."""

    sent: VideoSent
    received: VideoReceived


class VideoState(ReplyPart, frozen=True):
    """The camera, and the pictures of the call."""

    on: bool
    camera: str
    frames_captured: int = 0
    frames_encoded: int = 0
    key_frames_encoded: int = 0
    frames_held_back: int = 0
    """Taken and not encoded, since a line had no room, or fewer frames are better than worse ones."""

    total_encode_time: float = 0.0
    """Seconds of processor time."""

    target_bitrate: int | None = None
    """Bits a second that the encoder is asked for; null while it sends to nobody."""

    mime_type: str | None = None
    """How pictures are encoded, `video/VP8` or `video/H264`; null while they are sent to nobody."""

    frame_width: int | None = None
    """Of the newest picture that was encoded, in pixels; null while none is sent."""

    frame_height: int | None = None
    peers: tuple[PeerVideoFigures, ...] = ()
    room: VideoSent | None = None
    """What goes to the room of an SFU, once for all in it; null where nothing does."""


class VideoSet(WholeReply, frozen=True, tag="video_set"):
    """The camera is as it was asked for."""

    on: bool
    camera: str
