"""A track as an Ogg Opus file: the packets as they are, without a codec.

    MP4 packets of a track ──> gaps filled with silence ──> pages of a second: OpusHead, OpusTags, packets

The first 312 samples are the pre-skip, which every reader leaves out, and the end is padded to that of the longest track: so the file is as
long as the WAV of the same track, and a sound stands at the same time in both.

Source: RFC 7845 (Ogg Opus); the muxer is FFmpeg's.
"""

from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES
from blink_cli.core.media.opus_packet import with_frame_count
from blink_cli.record.opus_stream import TIME_BASE, add_opus_stream
from blink_cli.record.recording.filler import GRID_SAMPLES, silence


class OggOpusWriter:
    """Writes one file into what is open. Blocks for as long as the disk does."""

    def __init__(
        self, file: BinaryIO, title: str, created: str, *, channels: int = 1, pre_skip: int = PRE_SKIP_SAMPLES
    ) -> None:
        """Begin.

        Args:
            file: Open for writing, at its start; whoever opened it closes it.
            title: Whom or what it holds.
            created: When the recording began, ISO 8601; empty: not told.
            channels: 1 or 2.
            pre_skip: What readers leave out at the start, in samples: the look-ahead of the encoder.

        """
        self._container: Any = av.open(file, "w", format="ogg")
        self._container.metadata["title"] = title
        if created:
            self._container.metadata["date"] = created
        self._stream: AudioStream = add_opus_stream(self._container, channels=channels, pre_skip=pre_skip)
        self.end = 0
        """Samples so far, pre-skip included."""

    def write(self, payload: bytes, place: int, samples: int) -> None:
        """Add the packet that begins `place` samples behind the track's start. One that lasts nothing is left out.

        Raises:
            OSError: The disk does not take it.

        """
        self.pad(place)
        if samples:
            self._mux(with_frame_count(payload), samples)

    def pad(self, end: int) -> None:
        """Be silent up to there; nothing if the track goes on beyond. Raises as `write`."""
        missing = (end - self.end) // GRID_SAMPLES * GRID_SAMPLES
        if missing > 0:
            for filler in silence(missing):
                self._mux(filler.payload, filler.samples)

    def close(self) -> None:
        """Write what is buffered. Raises as `write`."""
        self._container.close()

    def _mux(self, payload: bytes, samples: int) -> None:
        packet = av.Packet(payload)
        packet.stream = self._stream
        packet.time_base = TIME_BASE
        packet.pts = packet.dts = (
            self.end - PRE_SKIP_SAMPLES
        )  # which the muxer takes off again, whatever the head says
        packet.duration = samples
        self._container.mux_one(packet)
        self.end += samples
