"""Encoded pictures to payloads of RTP and back, by the rules of their codec."""

from blink_cli.core.media.video import h264_payload, vp8_payload
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.picture_payload import MAX_PAYLOAD_BYTES, PicturePayload
from blink_cli.core.media.video_codec import VideoCodec


def cut(picture: CodedPicture, picture_id: int, most_bytes: int = MAX_PAYLOAD_BYTES) -> list[bytes]:
    """Payloads of one picture, in their order.

    Args:
        picture: Not empty.
        picture_id: Grows by one with each picture; said where the codec's payloads have a place for it.
        most_bytes: Of one payload; `MAX_PAYLOAD_BYTES` at most.

    """
    most_bytes = min(most_bytes, MAX_PAYLOAD_BYTES)
    if picture.codec is VideoCodec.H264:
        return h264_payload.cut(picture.payload, most_bytes)
    return vp8_payload.cut(picture.payload, picture_id, most_bytes)


def read(codec: VideoCodec, payload: bytes) -> PicturePayload:
    """Take one payload apart.

    Raises:
        WireError: It is cut off, or carries nothing.

    """
    if codec is VideoCodec.H264:
        return h264_payload.read(payload)
    return vp8_payload.read(payload)
