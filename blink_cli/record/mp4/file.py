"""A recording's MP4: Opus tracks side by side, muxed and never encoded.

    while it grows    ftyp moov | moof mdat | moof mdat | …      a fragment is written whole, three times a second
    finished          ftyp mdat(fragments and all)        moov   the index is written behind, then eight bytes turn the fragments into data

A process that dies leaves a fragmented MP4, which players read as it is. Finishing copies nothing, so it takes milliseconds, and needs no
second place on the disk. FFmpeg calls that a hybrid file (`movflags=hybrid_fragmented`).

Media time begins 312 samples (6.5 ms, the encoder's look-ahead) before the recording: that is what an Opus decoder leaves out at the start
(pre-skip, RFC 7845, section 4.2), and the edit list says the same to players that go by it. So a sound stands at its own time in both, but
for `lowdelay` senders, whose tracks are 4 ms early.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import av
import av.audio
import av.container
import msgspec
from av.audio.stream import AudioStream
from av.stream import Disposition

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ
from blink_cli.core.media.opus_packet import STEREO_BIT, packet_samples, with_frame_count
from blink_cli.core.media.recorded_picture import PictureTrack, RecordedPicture
from blink_cli.files.writing import create
from blink_cli.record.failure_text import failure_text
from blink_cli.record.file_lock import lock_growing
from blink_cli.record.mp4.believable_places import longest_samples
from blink_cli.record.mp4.boxes import FrontOfFile, boxes_of
from blink_cli.record.mp4.movie import amend, amended, name_with_room
from blink_cli.record.opus_stream import TIME_BASE, add_opus_stream

if TYPE_CHECKING:
    from blink_cli.record.mp4.picture_stream import PictureStream

FRAGMENT_MS: Final = 300
"""With the hold-back of half a second, what a killed process loses is 0.5 to 0.9 s; 1.5 s are promised, for machines that stall."""

WAITS_FOR_PICTURES_MS: Final = 300
"""FFmpeg writes a packet when every track has something behind it, or after ten seconds: so long would sound wait for pictures whose thread gets no processor."""

_GROWING: Final = {
    "movflags": "hybrid_fragmented+delay_moov+default_base_moof",
    "frag_duration": str(FRAGMENT_MS * 1000),
    "max_interleave_delta": str(WAITS_FOR_PICTURES_MS * 1000),
    "flush_packets": "1",
}
_ORDINARY: Final = {"movflags": "faststart"}

MOST_TRACKS: Final = 256
"""No recording has more; a file that claims to is damaged, or somebody's trap."""

_LONGEST_LABEL: Final = 1_000

_BUFFER_BYTES: Final = 1 << 20
"""The muxer's: a fragment, and the index of a growing file, reach the disk in one write each."""


class Mp4Labels(msgspec.Struct, frozen=True):
    """What a recording's MP4 says in words, for people and for other programs."""

    tracks: tuple[str, ...]
    """One for each; found again in its `handler_name`, and shown by players that look for `name` or `titl`."""

    title: str
    comment: str
    created: str
    """ISO 8601, UTC; of the movie and of its tracks. Empty: not told."""

    pictures: dict[int, PictureTrack] = {}
    """Behind all tracks of sound one of pictures for each of these, which are numbers of tracks of sound."""


class _FileOnDisk:
    """What the muxer writes to. Bytes reach the system in the call that brings them, or that call fails."""

    def __init__(self, path: Path) -> None:
        self._file = create(path)  # nobody else may hear a call
        lock_growing(self._file)
        self._open = True
        self._place = 0
        self._sound_bytes = 0
        self.failure: OSError | None = None
        self.stereo: set[int] = set()
        """Tracks, from 0, in which packets of two channels came."""

    def write(self, data: bytes) -> int:
        """Write all of it; half a fragment is taken back."""
        if self.failure is not None:
            raise self.failure
        if data[4:8] == b"moov" and int.from_bytes(data[:4], "big") == len(data):
            data = amended(bytes(data), self.stereo)
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

    def amend(self) -> None:
        """Once the container is closed. Raises `OSError` when it cannot be written."""
        amend(self._file, self.stereo)

    def close(self) -> None:
        """Safe to call twice."""
        if self._open:
            self._open = False
            os.close(self._file)


class Mp4Writer:
    """Writes one growing file. Belongs to one thread; every call can block for as long as the disk does."""

    def __init__(self, path: Path, about: Mp4Labels) -> None:
        """Create the file.

        Args:
            path: It must not exist.
            about: What stands in it beside the sound.

        Raises:
            OSError: It cannot be created.

        """
        self._file = _FileOnDisk(path)
        try:
            self._container: Any = av.open(
                self._file, "w", format="mp4", options=dict(_GROWING), buffer_size=_BUFFER_BYTES
            )
            self._streams = _add_streams(self._container, about)
            self._pictures = _picture_streams(self._container, about)
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
        if payload[0] & STEREO_BIT:
            self._file.stereo.add(track)
        _mux(self._container, self._streams[track], payload, place, samples)

    def write_picture(self, track: int, picture: RecordedPicture) -> None:
        """Add one picture of whom this track of sound is. Raises as `write`."""
        self._pictures[track].write(picture)

    def end_pictures(self, place: int) -> None:
        """Let the last pictures stand until this place, in ticks of pictures. Raises as `write`."""
        for stream in self._pictures.values():
            stream.end(place)

    def close(self) -> None:
        """Finish the file: an ordinary MP4 afterwards.

        Raises:
            OSError: The disk does not take the index; the file stays fragmented and readable.

        """
        try:
            try:
                self._container.close()
            except av.error.FFmpegError:
                # What happened in our own file it tells in its own words, or not at all.
                if self._file.failure is None:
                    raise
            if self._file.failure is not None:
                raise self._file.failure
            self._file.amend()
        finally:
            self._file.close()

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

    def __init__(self, path: Path, told_s: float | None = None) -> None:
        """Open it.

        Args:
            path: The MP4.
            told_s: How long it was by its sidecar; None without one.

        Raises:
            OSError: It cannot be read.
            ValueError: It is no MP4, or claims what no recording has.
            MemoryError: Its index is too large, or damaged.

        """
        # FFmpeg refuses a file whose last box is torn within its header.
        self._file = FrontOfFile(path, boxes_of(path).whole_bytes)
        try:
            self._container = av.open(self._file, "r", format="mp4")
        except av.error.FFmpegError as failure:  # some of them are OSErrors, some are not
            self._file.close()
            raise ValueError(failure_text(failure)) from failure
        except BaseException:
            self._file.close()
            raise
        streams = self._container.streams.audio
        if not 0 < len(streams) <= MOST_TRACKS:
            self.close()
            raise ValueError(f"it claims to have {len(streams)} tracks of sound")
        self.channels = tuple(
            1 if stream.codec_context is None else min(max(stream.channels or 1, 1), 2) for stream in streams
        )
        """Of each track, 1 or 2; a damaged one, of which not even the codec is known, counts as one."""

        metadata = self._container.metadata
        self.labels = Mp4Labels(
            tracks=tuple(_label(stream.metadata.get("handler_name", "")) for stream in streams),
            title=_label(metadata.get("title", "")),
            comment=_label(metadata.get("comment", "")),
            created=_label(metadata.get("creation_time", "")),
        )
        self._longest = longest_samples(path, self.labels.created, told_s)
        duration = self._container.duration
        told_s = 0.0 if duration is None else duration / av.time_base
        self.duration_s = min(max(told_s, 0.0), self._longest / SAMPLE_RATE_HZ)
        self.payload_bytes = 0
        """Of the packets that were read so far."""

    def packets(self) -> Iterator[tuple[int, bytes, int, int]]:
        """Each packet as (track, payload, place in samples, samples), up to the end or to where the file is torn.

        A place that the file cannot reach is not believed: the packet stands behind the one before it.
        """
        tracks = {stream.index: number for number, stream in enumerate(self._container.streams.audio)}
        first_place: dict[int, int] = {}
        ends = [0] * len(tracks)
        try:
            for packet in self._container.demux(audio=list(range(len(tracks)))):
                track = tracks.get(packet.stream_index)
                if packet.dts is None or packet.size == 0 or track is None:
                    continue
                payload = bytes(packet)
                self.payload_bytes += len(payload)
                # Files differ in whether their edit list is in the timestamps: a track begins where it begins.
                place = packet.dts - first_place.setdefault(track, packet.dts)
                samples = packet_samples(payload)
                if place > max(self._longest, ends[track]):
                    place = ends[track]
                ends[track] = max(place, ends[track]) + samples
                yield track, payload, place, samples
        except (av.error.FFmpegError, MemoryError):
            return  # a torn last fragment, or one whose numbers make no sense

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()


def _label(text: object) -> str:
    return str(text)[:_LONGEST_LABEL]


def open_ordinary(
    name: str, about: Mp4Labels, *, channels: int = 1, pre_skip: int = PRE_SKIP_SAMPLES
) -> tuple[Any, list[AudioStream]]:
    """An ordinary MP4 to write, its index in front once it is closed, and `amend` has been called: for copies that take their time.

    Args:
        name: The file.
        about: What stands in it beside the sound.
        channels: Of each track, 1 or 2.
        pre_skip: What readers leave out at the start, in samples: the look-ahead of the encoder.

    """
    container = av.open(name, "w", format="mp4", options=dict(_ORDINARY))
    return container, _add_streams(container, about, channels, pre_skip)


def mux(
    container: Any,
    stream: AudioStream,
    payload: bytes,
    place: int,
    samples: int,
    *,
    pre_skip: int = PRE_SKIP_SAMPLES,
) -> None:
    """Add one packet to what `open_ordinary` gave."""
    _mux(container, stream, payload, place, samples, pre_skip=pre_skip)


def _add_streams(
    container: Any, about: Mp4Labels, channels: int = 1, pre_skip: int = PRE_SKIP_SAMPLES
) -> list[AudioStream]:
    container.metadata["title"] = about.title
    container.metadata["comment"] = about.comment
    if about.created:
        container.metadata["creation_time"] = about.created  # the muxer dates the tracks as well
    streams = []
    for title in about.tracks:
        stream = add_opus_stream(container, channels=channels, pre_skip=pre_skip)
        stream.metadata["handler_name"] = title
        stream.metadata["title"] = name_with_room(title)
        stream.disposition = Disposition.default  # of several tracks the muxer enables these
        streams.append(stream)
    return streams


def _picture_streams(container: Any, about: Mp4Labels) -> "dict[int, PictureStream]":
    if not about.pictures:
        return {}
    from blink_cli.record.mp4.picture_stream import PictureStream  # noqa: PLC0415 - recordings of voices need none

    return {
        number: PictureStream(container, track, about.tracks[number], name_with_room(about.tracks[number]))
        for number, track in about.pictures.items()
    }


def _mux(
    container: Any,
    stream: AudioStream,
    payload: bytes,
    place: int,
    samples: int,
    *,
    pre_skip: int = PRE_SKIP_SAMPLES,
) -> None:
    packet = av.Packet(with_frame_count(payload))
    packet.stream = stream
    packet.time_base = TIME_BASE
    packet.pts = packet.dts = place - pre_skip
    packet.duration = samples
    container.mux_one(packet)
