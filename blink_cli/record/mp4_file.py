"""A recording's MP4: Opus tracks side by side, muxed and never encoded.

    while it grows    ftyp moov | moof mdat | moof mdat | …      a fragment is written whole, three times a second
    finished          ftyp mdat(fragments and all)        moov   the index is written behind, then eight bytes turn the fragments into data

A process that dies leaves a fragmented MP4, which players read as it is. Finishing copies nothing, so it takes milliseconds, and needs no
second place on the disk. FFmpeg calls that a hybrid file (`movflags=hybrid_fragmented`).

Media time begins 312 samples (6.5 ms, the encoder's look-ahead) before the recording: that is what an Opus decoder leaves out at the start
(pre-skip, RFC 7845, section 4.2), and the edit list says the same to players that go by it. So a sound stands at its own time in both.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.audio
import av.container
from av.audio.stream import AudioStream

from blink_cli.core.opus_packet import packet_samples
from blink_cli.core.voice import SAMPLE_RATE_HZ
from blink_cli.record.file_lock import lock_growing
from blink_cli.record.mp4_boxes import FrontOfFile, whole_bytes

PRE_SKIP_SAMPLES: Final = 312
"""libopus's look-ahead for voice and music. `lowdelay` senders have 120, so their tracks are 4 ms early."""

FRAGMENT_MS: Final = 300
"""With the hold-back of half a second, what a killed process loses is 0.5 to 0.9 s; 1.5 s are promised, for machines that stall."""

_TIME_BASE: Final = Fraction(1, SAMPLE_RATE_HZ)
_GROWING: Final = {
    "movflags": "hybrid_fragmented+delay_moov+default_base_moof",
    "frag_duration": str(FRAGMENT_MS * 1000),
    "flush_packets": "1",
}
_ORDINARY: Final = {"movflags": "faststart"}


class _FileOnDisk:
    """What the muxer writes to. Bytes reach the system in the call that brings them, or that call fails."""

    def __init__(self, path: Path) -> None:
        # Nobody else may hear a call; a recording that is there is never written over.
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o600)
        lock_growing(self._file)
        self._open = True
        self._place = 0
        self._sound_bytes = 0
        self.failure: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write all of it; half a fragment is taken back."""
        if self.failure is not None:
            raise self.failure
        try:
            os.lseek(self._file, self._place, os.SEEK_SET)
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._file, rest) :]
        except OSError as failure:
            self.failure = failure
            if self._place >= self._sound_bytes:
                os.ftruncate(self._file, self._sound_bytes)
            raise
        self._place += len(data)
        self._sound_bytes = max(self._sound_bytes, self._place)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Read where it stands."""
        os.lseek(self._file, self._place, os.SEEK_SET)
        data = os.read(self._file, size if size >= 0 else max(self._sound_bytes - self._place, 0))
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Stand somewhere else."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._sound_bytes}[whence]
        self._place = origin + offset
        return self._place

    def tell(self) -> int:
        """Where it stands."""
        return self._place

    def seekable(self) -> bool:
        """Finishing goes back to the start."""
        return True

    @property
    def size_bytes(self) -> int:
        """What is on the disk."""
        return self._sound_bytes

    def close(self) -> None:
        """Safe to call twice."""
        if self._open:
            self._open = False
            os.close(self._file)


class Mp4Writer:
    """Writes one growing file. Belongs to one thread; every call can block for as long as the disk does."""

    def __init__(self, path: Path, titles: Sequence[str], *, comment: str) -> None:
        """Create the file.

        Args:
            path: It must not exist.
            titles: One for each track, readable in its `handler_name`.
            comment: For the file as a whole.

        Raises:
            OSError: It cannot be created.

        """
        self._file = _FileOnDisk(path)
        try:
            self._container: Any = av.open(self._file, "w", format="mp4", options=dict(_GROWING))
            self._streams = _add_streams(self._container, titles, comment)
            self._container.start_encoding()
            self._header_bytes = self._file.size_bytes
        except BaseException:
            self._file.close()
            path.unlink()
            raise

    @property
    def readable(self) -> bool:
        """Whether a fragment is on the disk, and so the file one that others can open."""
        return self._file.size_bytes > self._header_bytes

    def write(self, track: int, payload: bytes, place: int, samples: int) -> None:
        """Add one packet behind the last one of its track.

        Raises:
            OSError: The disk does not take it; the file is whole up to the last fragment before.

        """
        _mux(self._container, self._streams[track], payload, place, samples)

    def close(self) -> None:
        """Finish the file: an ordinary MP4 afterwards.

        Raises:
            OSError: The disk does not take the index; the file stays fragmented and readable.

        """
        try:
            self._container.close()
        except av.error.FFmpegError:
            # What happened in our own file it tells in its own words, or not at all.
            if self._file.failure is None:
                raise
        finally:
            self._file.close()
        if self._file.failure is not None:
            raise self._file.failure

    def abandon(self) -> None:
        """Close it as it is, after a failure."""
        if self._file.failure is None:
            self._file.failure = OSError("abandoned")
        # The container is told that nothing can be written any more: it would write its index.
        with suppress(OSError, av.error.FFmpegError):
            self._container.close()
        self._file.close()


class Mp4Reader:
    """Reads the packets of a finished or growing file in their order."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be read, or is no MP4 (FFmpeg's errors are OSErrors too), or has no audio.

        """
        # FFmpeg refuses a file whose last box is torn within its header.
        self._file = FrontOfFile(path, whole_bytes(path))
        try:
            self._container = av.open(self._file, "r", format="mp4")
        except BaseException:
            self._file.close()
            raise
        self.titles = tuple(
            str(stream.metadata.get("handler_name", "")) for stream in self._container.streams.audio
        )
        self.comment = str(self._container.metadata.get("comment", ""))
        duration = self._container.duration
        self.duration_s = 0.0 if duration is None else duration / av.time_base

    def packets(self) -> Iterator[tuple[int, bytes, int, int]]:
        """Each packet as (track, payload, place in samples, samples), up to the end or to where the file is torn."""
        tracks = {stream.index: number for number, stream in enumerate(self._container.streams.audio)}
        first_place: dict[int, int] = {}
        try:
            for packet in self._container.demux(audio=list(range(len(tracks)))):
                if packet.dts is None or packet.size == 0:
                    continue
                payload = bytes(packet)
                track = tracks[packet.stream_index]
                # Files differ in whether their edit list is in the timestamps: a track begins where it begins.
                begin = first_place.setdefault(track, packet.dts)
                yield track, payload, packet.dts - begin, packet_samples(payload)
        except av.error.InvalidDataError:
            return  # a torn last fragment

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()


def open_ordinary(path: Path, titles: Sequence[str], *, comment: str) -> tuple[Any, list[AudioStream]]:
    """An ordinary MP4 to write, its index in front once it is closed: for copies that take their time."""
    container = av.open(str(path), "w", format="mp4", options=dict(_ORDINARY))
    return container, _add_streams(container, titles, comment)


def mux(container: Any, stream: AudioStream, payload: bytes, place: int, samples: int) -> None:
    """Add one packet to what `open_ordinary` gave."""
    _mux(container, stream, payload, place, samples)


def _add_streams(container: Any, titles: Sequence[str], comment: str) -> list[AudioStream]:
    container.metadata["comment"] = comment
    streams = []
    for title in titles:
        # The encoder is never used: it describes the stream (OpusHead), pre-skip included.
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.time_base = _TIME_BASE
        stream.metadata["handler_name"] = title
        streams.append(stream)
    return streams


def _mux(container: Any, stream: AudioStream, payload: bytes, place: int, samples: int) -> None:
    packet = av.Packet(payload)
    packet.stream = stream
    packet.time_base = _TIME_BASE
    packet.pts = packet.dts = place - PRE_SKIP_SAMPLES
    packet.duration = samples
    container.mux_one(packet)
