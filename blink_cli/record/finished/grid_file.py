"""An MP4 of one picture and one sound: H.264 by x264's fastest settings, as in recordings, and AAC, which every player opens."""

from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.recorded_picture import ENCODER, NOMINAL_FPS, OPTIONS, PICTURE_CLOCK_HZ

_SOUND_BITS_PER_S: Final = 128_000


class GridFile:
    """Written from its start to its end, then closed. Belongs to one thread. All calls raise `OSError` when the disk does not take it."""

    def __init__(self, name: str, size: PictureSize, channels: int, *, title: str, created: str) -> None:
        """Begin it.

        Args:
            name: The file.
            size: Of the pictures, both sides even.
            channels: Of the sound, 1 or 2.
            title: Whom it shows.
            created: When the recording began: ISO 8601, UTC, or empty.

        """
        self._container: Any = av.open(name, "w", format="mp4", options={"movflags": "faststart"})
        self._container.metadata["title"] = title
        if created:
            self._container.metadata["creation_time"] = created
        self._pictures: Any = self._container.add_stream(ENCODER, rate=NOMINAL_FPS, options=dict(OPTIONS))
        self._pictures.width, self._pictures.height, self._pictures.pix_fmt = (
            size.width,
            size.height,
            "yuv420p",
        )
        self._pictures.codec_context.time_base = Fraction(1, PICTURE_CLOCK_HZ)
        self._layout = "mono" if channels == 1 else "stereo"
        self._sound: Any = self._container.add_stream(
            "aac", rate=SAMPLE_RATE_HZ, layout=self._layout, bit_rate=_SOUND_BITS_PER_S
        )
        self._fifo = av.AudioFifo()
        self._samples = 0

    def picture(self, frame: av.VideoFrame, at_s: float) -> None:
        """Add a picture, which stands until the next one."""
        frame.pts, frame.time_base = round(at_s * PICTURE_CLOCK_HZ), Fraction(1, PICTURE_CLOCK_HZ)
        self._container.mux(self._pictures.encode(frame))

    def sound(self, block: npt.NDArray[np.float32]) -> None:
        """Add sound: shape (samples,), or (samples, 2)."""
        planes = np.ascontiguousarray(np.atleast_2d(block.T))
        frame = av.AudioFrame.from_ndarray(planes, "fltp", self._layout)
        frame.sample_rate, frame.pts, frame.time_base = (
            SAMPLE_RATE_HZ,
            self._samples,
            Fraction(1, SAMPLE_RATE_HZ),
        )
        self._samples += planes.shape[1]
        self._fifo.write(frame)
        self._encode(partial=False)

    def close(self) -> None:
        """Write what is left, and the index."""
        self._encode(partial=True)
        self._container.mux(self._sound.encode(None))
        self._container.mux(self._pictures.encode(None))
        self._container.close()

    def give_up(self) -> None:
        """Let go of the file, which is not whole."""
        self._container.close()

    def _encode(self, *, partial: bool) -> None:
        size = self._sound.codec_context.frame_size or 1024
        while (piece := self._fifo.read(size)) is not None:
            self._container.mux(self._sound.encode(piece))
        if partial and (rest := self._fifo.read(size, partial=True)) is not None:
            self._container.mux(self._sound.encode(rest))
