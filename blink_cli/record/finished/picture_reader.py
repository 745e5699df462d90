"""The pictures of a recording, all tracks together, in the order of time: what stands on each at a moment."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av

from blink_cli.record.mp4.boxes import FrontOfFile, boxes_of

_MOST_HELD_BYTES: Final = 16 << 20
"""Encoded pictures of tracks that are read before another one: files interleave at most a second."""


class PictureReader:
    """Reads one recording from its start to its end, once. Belongs to one thread."""

    def __init__(self, path: Path) -> None:
        """Open it.

        Raises:
            OSError: It cannot be read.

        """
        self._file = FrontOfFile(path, boxes_of(path).whole_bytes)
        try:
            self._container = av.open(self._file, "r", format="mp4")
        except BaseException:
            self._file.close()
            raise
        streams = self._container.streams.video
        self.titles = tuple(str(stream.metadata.get("handler_name", "")) for stream in streams)
        """Of each track, as that of its sound."""

        for stream in streams:
            stream.codec_context.thread_count = 1  # as of the sound: what is read here competes with a call
        self._numbers = {stream.index: number for number, stream in enumerate(streams)}
        self._waiting: list[deque[Any]] = [deque() for _ in streams]
        self._held_bytes = 0
        self._packets: Iterator[Any] = self._container.demux(*streams) if streams else iter(())
        self._ended = not streams

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()
        self._file.close()

    def until(self, at_s: float) -> dict[int, av.VideoFrame]:
        """Return the newest picture of each track that begins after the last call's moment and not after this one; moments only grow."""
        found: dict[int, av.VideoFrame] = {}
        for number, waiting in enumerate(self._waiting):
            while True:
                while not waiting and not self._ended and self._held_bytes < _MOST_HELD_BYTES:
                    self._read()
                if not waiting or float(waiting[0].pts * waiting[0].time_base) > at_s:
                    break
                packet = waiting.popleft()
                self._held_bytes -= packet.size
                try:
                    frames = packet.decode()
                except av.error.FFmpegError:
                    continue  # damaged: the picture before it stands
                if frames:
                    found[number] = frames[-1]
        return found

    def _read(self) -> None:
        try:
            packet = next(self._packets, None)
        except (av.error.FFmpegError, MemoryError):  # a torn last fragment
            packet = None
        if packet is None:
            self._ended = True
        elif packet.size and packet.pts is not None and packet.stream_index in self._numbers:
            self._waiting[self._numbers[packet.stream_index]].append(packet)
            self._held_bytes += packet.size
