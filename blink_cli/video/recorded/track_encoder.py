"""Encodes the pictures of one participant for a recording: all in the size of its track, whatever they come in."""

from fractions import Fraction
from typing import Final

import av
from av.codec.context import Flags
from av.video.frame import PictureType

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.media.recorded_picture import (
    ENCODER,
    KEY_FRAME_EVERY_S,
    NOMINAL_FPS,
    OPTIONS,
    PICTURE_CLOCK_HZ,
    PictureTrack,
    RecordedPicture,
)
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.picture import Picture, black

KEY_FRAME_EVERY: Final = int(KEY_FRAME_EVERY_S * PICTURE_CLOCK_HZ)
_DIMMED: Final = 3
"""By how much the last picture is darker under the sign."""


class TrackEncoder:
    """Of one track. Belongs to one thread."""

    def __init__(self, track: PictureTrack) -> None:
        """Begin with the sign on black."""
        self._size = PictureSize(track.width, track.height)
        self._fitter = Fitter(self._size)
        context = av.VideoCodecContext.create(ENCODER, "w")
        context.width, context.height, context.pix_fmt = track.width, track.height, "yuv420p"
        context.framerate, context.time_base = Fraction(NOMINAL_FPS), Fraction(1, PICTURE_CLOCK_HZ)
        context.flags |= Flags.global_header
        context.options = dict(OPTIONS)
        self._context = context
        self._last = black(self._size, 0.0)
        self._signed: Picture | None = None
        self._key_place: int | None = None

    def picture(self, picture: Picture, place: int) -> list[RecordedPicture]:
        """Encode a picture in its place, behind those before."""
        if picture.size != self._size:
            picture = self._fitter.fit(frame_of(picture), 0, None)
        self._last, self._signed = picture, None
        return self._encode(picture, place)

    def again(self, place: int) -> list[RecordedPicture]:
        """Encode the last picture once more."""
        return self._encode(self._last, place)

    def nothing(self, place: int) -> list[RecordedPicture]:
        """Encode the last picture, dark and with a sign on it: there is none from here on."""
        if self._signed is None:
            self._signed = with_sign(self._last)
        return self._encode(self._signed, place)

    def _encode(self, picture: Picture, place: int) -> list[RecordedPicture]:
        frame = frame_of(picture)
        frame.pts, frame.time_base = place, Fraction(1, PICTURE_CLOCK_HZ)
        if self._key_place is None or place - self._key_place >= KEY_FRAME_EVERY:
            frame.pict_type = PictureType.I
            self._key_place = place
        return [
            RecordedPicture(bytes(packet), place, packet.is_keyframe)
            for packet in self._context.encode(frame)
        ]


def with_sign(picture: Picture) -> Picture:
    """Return a picture dark, with two bars in its middle, as players show what stands still."""
    y = picture.y // _DIMMED
    y += 16 - 16 // _DIMMED  # black stays black
    height, width = y.shape
    side = max(4, min(height, width) // 4)
    top, left = (height - side) // 2, (width - side) // 2
    for begin in (left, left + side - side // 3):
        y[top : top + side, begin : begin + side // 3] = 180
    u, v = (128 + (plane.astype("i2") - 128) // _DIMMED for plane in (picture.u, picture.v))
    for plane in (u, v):
        plane[top // 2 : (top + side) // 2, left // 2 : (left + side) // 2] = 128
    return Picture(y, u.astype("u1"), v.astype("u1"), picture.timestamp, picture.captured_at)
