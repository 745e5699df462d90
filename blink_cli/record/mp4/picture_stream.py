"""The pictures' side of a recording's MP4: tracks of H.264 beside those of Opus, muxed and never encoded here.

A picture stands until the next one: so each is written when the next one is known, and the last one when the recording ends.
"""

from fractions import Fraction
from typing import Any, Final

import av
from av.codec.context import Flags
from av.stream import Disposition
from av.video.stream import VideoStream

from blink_cli.core.media.recorded_picture import (
    ENCODER,
    NOMINAL_FPS,
    OPTIONS,
    PICTURE_CLOCK_HZ,
    PictureTrack,
    RecordedPicture,
)

TIME_BASE: Final = Fraction(1, PICTURE_CLOCK_HZ)


class PictureStream:
    """One track. Belongs to the thread that writes."""

    def __init__(self, container: Any, track: PictureTrack, title: str, name: str) -> None:
        """Add a track to a container that is not begun.

        Args:
            container: PyAV's, open for writing.
            track: How large its pictures are.
            title: As of the sound's track.
            name: The same with room for what is amended.

        """
        # The encoder of the stream is never used: it describes it.
        stream: VideoStream = container.add_stream(ENCODER, rate=NOMINAL_FPS, options=dict(OPTIONS))
        stream.width, stream.height, stream.pix_fmt = track.width, track.height, "yuv420p"
        stream.codec_context.flags |= Flags.global_header
        stream.codec_context.time_base = TIME_BASE
        stream.time_base = TIME_BASE
        stream.metadata["handler_name"] = title
        stream.metadata["title"] = name
        stream.disposition = Disposition.default
        self._container = container
        self._stream = stream
        self._pending: RecordedPicture | None = None

    def write(self, picture: RecordedPicture) -> None:
        """Take a picture behind the last one; that one is written.

        Raises:
            OSError: The disk does not take it.

        """
        pending, self._pending = self._pending, picture
        if pending is not None:
            self._mux(pending, picture.place)

    def end(self, place: int) -> None:
        """The recording ends here: the last picture stands until then. Raises as `write`."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self._mux(pending, max(place, pending.place + 1))

    def _mux(self, picture: RecordedPicture, end: int) -> None:
        packet = av.Packet(picture.payload)
        packet.stream = self._stream
        packet.time_base = TIME_BASE
        packet.pts = packet.dts = picture.place
        packet.duration = end - picture.place
        packet.is_keyframe = picture.is_key
        self._container.mux_one(packet)
