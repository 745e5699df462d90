"""Packets of one stream put together to frames, in the order in which a decoder needs them.

    packets --> frame complete? --> does it follow the last one? --> decoder
                                        | no: something is missing
                                        '--> it comes (asked for), or a complete key frame lies behind it, or `gave_up`: ask for a key frame

Pure. Belongs to the event loop.
"""

from dataclasses import dataclass
from typing import Final

from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.picture_payload import PicturePayload
from blink_cli.core.media.video_codec import VideoCodec

MAX_BUFFERED: Final = 1_024
"""Packets: two seconds of 4 Mb/s. A peer that sends more of what cannot be put together loses all of it."""

MAX_FRAME_PACKETS: Final = 512
"""Half a megabyte."""


@dataclass(slots=True)
class _Piece:
    timestamp: int
    ends: bool
    arrival_s: float
    codec: VideoCodec
    payload: PicturePayload | None
    """None: a packet that only filled the line."""

    @property
    def begins_key(self) -> bool:
        return self.payload is not None and self.payload.begins_key


class FrameAssembler:
    """Of one stream."""

    def __init__(self) -> None:
        """Wait for a key frame."""
        self._pieces: dict[int, _Piece] = {}
        self._next: int | None = None
        """Which number the next frame begins with; None: a key frame is awaited."""

        self._highest: int | None = None
        self.dropped = 0
        """Frames that were passed over; whoever counts them sets it back."""

    @property
    def awaits_key(self) -> bool:
        """Whether nothing can be shown before a key frame."""
        return self._next is None

    @property
    def waits_for(self) -> int | None:
        """The first extended number that is missing of what should be shown next; None when nothing is."""
        number = self._next
        highest = self._highest
        if number is None or highest is None or number > highest:
            return None
        while number in self._pieces:
            number += 1
        return number if number < highest else None

    def lose_reference(self) -> None:
        """Show nothing before a key frame: the decoder cannot go on, or too much is missing."""
        self._next = None

    def put(
        self,
        sequence: int,
        timestamp: int,
        payload: PicturePayload | None,
        arrival_s: float,
        *,
        ends: bool,
        codec: VideoCodec = VideoCodec.VP8,
    ) -> list[CodedPicture]:
        """Take one packet, and return the frames that can be decoded now.

        Args:
            sequence: Extended.
            timestamp: Of the frame, as on the wire.
            payload: What it carries; None: nothing.
            arrival_s: Monotonic.
            ends: It is the last one of its frame.
            codec: Of its frame.

        """
        if (self._next is not None and sequence < self._next) or sequence in self._pieces:
            return []
        if len(self._pieces) >= MAX_BUFFERED:
            self._pieces.clear()
            self._next = None
        self._pieces[sequence] = _Piece(timestamp, ends, arrival_s, codec, payload)
        self._highest = sequence if self._highest is None else max(self._highest, sequence)
        out = self._follow()
        if not out and self._skip_to_key(sequence):
            out = self._follow()
        return out

    def _follow(self) -> list[CodedPicture]:
        """Take all frames that follow each other."""
        out: list[CodedPicture] = []
        while self._next is not None:
            piece = self._pieces.get(self._next)
            if piece is not None and piece.payload is None:
                del self._pieces[self._next]
                self._next += 1
                continue
            end = self._end_of(self._next)
            if end is None:
                break
            frame = self._take(self._next, end)
            self._next = end + 1
            if frame is not None:
                out.append(frame)
        return out

    def _end_of(self, begin: int) -> int | None:
        """The number of the last packet of the frame that begins there, if all are there."""
        number = begin
        first = self._pieces.get(begin)
        while first is not None and number - begin < MAX_FRAME_PACKETS:
            piece = self._pieces.get(number)
            if piece is None or piece.timestamp != first.timestamp:
                return None
            if piece.ends:
                return number
            number += 1
        return None

    def _take(self, begin: int, end: int) -> CodedPicture | None:
        pieces = [self._pieces.pop(number) for number in range(begin, end + 1)]
        payloads = [piece.payload for piece in pieces if piece.payload is not None]
        if not payloads or not payloads[0].begins_frame:
            return None
        return CodedPicture(
            b"".join(payload.data for payload in payloads),
            pieces[0].timestamp,
            any(payload.begins_key for payload in payloads),
            arrived_at=max(piece.arrival_s for piece in pieces),
            codec=pieces[0].codec,
        )

    def _skip_to_key(self, sequence: int) -> bool:
        """Go on with the key frame that a packet has completed, passing over what is before it."""
        begin = sequence
        while (piece := self._pieces.get(begin)) is not None and not piece.begins_key:
            begin -= 1
        if piece is None or self._end_of(begin) is None:
            return False
        passed = [number for number in self._pieces if number < begin]
        self.dropped += sum(self._pieces[number].ends for number in passed)
        for number in passed:
            del self._pieces[number]
        self._next = begin
        return True
