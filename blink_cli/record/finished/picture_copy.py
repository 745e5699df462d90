"""The pictures of a recording that is repaired, copied as they are beside its sound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.record.mp4.boxes import FrontOfFile, boxes_of
from blink_cli.record.mp4.movie import name_with_room

AHEAD_S: Final = 1.0
"""Pictures stand in a file a little before or behind the sound of their time."""

LONGEST_S: Final = 24 * 3600.0
"""A picture that claims to stand for longer, or further behind, is damaged."""


class PictureCopy:
    """Belongs to the thread that copies. A recording without pictures has nothing to copy."""

    def __init__(self, container: Any, part: Path) -> None:
        """Add the tracks of pictures to a container that is not begun.

        Args:
            container: PyAV's, open for writing, with all tracks of sound.
            part: The unfinished file.

        Raises:
            OSError: It cannot be read.
            ValueError: Its tracks cannot be copied.

        """
        self.payload_bytes = 0
        """Of the pictures that were read."""

        self._file = FrontOfFile(part, boxes_of(part).whole_bytes)
        try:
            self._source = av.open(self._file, "r", format="mp4")
            self._streams: dict[int, Any] = {}
            for stream in self._source.streams.video:
                copy = container.add_stream_from_template(stream)
                title = str(stream.metadata.get("handler_name", ""))[:1000]
                copy.metadata["handler_name"] = title
                copy.metadata["title"] = name_with_room(title)
                self._streams[stream.index] = copy
        except BaseException:
            self._file.close()
            raise
        self._container = container
        self._packets = self._read()
        self._next: Any = next(self._packets, None)

    def copy_until(self, place: float) -> None:
        """Copy what belongs before a place of the sound, in samples. Raises `OSError` when it cannot be written."""
        until_s = place / SAMPLE_RATE_HZ + AHEAD_S
        while self._next is not None and float(self._next.pts * self._next.time_base) <= until_s:
            packet = self._next
            packet.stream = self._streams[packet.stream_index]
            self._container.mux_one(packet)
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()
        self._file.close()

    def _read(self) -> Iterator[Any]:
        """Each picture with a place behind the one before it of its track, up to where the file is torn."""
        if not self._streams:
            return
        last: dict[int, int] = {}
        try:
            for packet in self._source.demux(*self._source.streams.video):
                if packet.pts is None or packet.dts is None or packet.size == 0:
                    continue
                self.payload_bytes += packet.size
                before = last.get(packet.stream_index, -1)
                if packet.dts <= before or float(packet.pts * packet.time_base) > LONGEST_S:
                    continue
                last[packet.stream_index] = packet.dts
                yield packet
        except (av.error.FFmpegError, MemoryError):
            return
