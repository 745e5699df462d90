"""Pictures in a recording: how they are encoded, and one of them.

MP4 takes no VP8 (the muxer refuses it), so what calls carry is encoded again. H.264 by x264's fastest settings is what costs least (2 ms for 640 by 360,
VP9 8 ms) and what every player opens; the encoder and the file must agree on these settings, since the file describes the stream before its first picture.
"""

from typing import Final

import msgspec

from blink_cli.core.media.rtp import SenderReport

ENCODER: Final = "libx264"

OPTIONS: Final = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "crf": "25",
    "x264-params": "keyint=300:min-keyint=1:scenecut=0:threads=1:sliced-threads=0",
}
"""One thread, whose work does not come in bursts; key frames are asked for."""

PICTURE_CLOCK_HZ: Final = 90_000
"""Ticks of a picture's place in a recording."""

NOMINAL_FPS: Final = 30

KEY_FRAME_EVERY_S: Final = 2.0
"""Players begin there."""


class PictureTrack(msgspec.Struct, frozen=True):
    """Of one participant: fixed for the whole recording, whatever size its pictures have."""

    width: int
    height: int


class PeerClock(msgspec.Struct, frozen=True, gc=False):
    """What is known of the clock of a peer's pictures."""

    report: SenderReport | None = None
    """Its newest sender report about them."""

    round_trip_s: float | None = None


class RecordedPicture(msgspec.Struct, frozen=True, gc=False):
    """One encoded picture in its place."""

    payload: bytes
    """H.264, with start codes (ITU-T H.264, annex B)."""

    place: int
    """In ticks of `PICTURE_CLOCK_HZ` from the recording's first sample; each behind the one before it."""

    is_key: bool
