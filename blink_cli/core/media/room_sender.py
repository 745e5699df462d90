"""Our stream in a room: frames and reports, each made as for a link and then sealed whole.

    EncodedFrame --> RtpSender: copies, header with level --> FrameKey --> the payload of an outer packet
    report ---------------------------------------------------^

What the server sees of it is a steady stream of packets that are all alike but for their length. Pure; one thread at a time (`RoomUpload`).
"""

from collections.abc import Iterable
from typing import Final

from blink_cli.core.ids import Did
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.redundancy_policy import RedundancyPlan
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.media.room_keys import frame_key
from blink_cli.core.media.room_stream import INNER_LEVEL_ID
from blink_cli.core.media.rtcp import (
    MAX_REPORT_BLOCKS,
    BlockOnWire,
    write_report,
)
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_sender import RtpSender, SendCounters
from blink_cli.core.media.sent_reports import SentReports
from blink_cli.core.sframe.frame_key import FrameKey

OPUS_TYPE: Final = 111
RED_TYPE: Final = 63
"""Payload types of the inner packets."""

ONSET_COPIES: Final = 8
"""While a word begins: 160 ms back, as far as receivers of RED look (`red.unpack`). Who gives it a slot hears it from its first sound, although that
was known for one some 50 ms late, told, and acted on."""

ONSET_FRAMES: Final = 10
"""For so many frames each has these copies: 200 ms, in which a slot is found on a line of 50 ms."""

AUDIBLE_DBOV: Final = -50
"""Frames that are softer are the room and not the word: they are not repeated, since a listener would hear the word that much later."""


class RoomSender:
    """Of one publishing."""

    def __init__(self, own: Did, stream_id: bytes, group_key: bytes, *, ssrc: int, sequence: int) -> None:
        """Begin a stream.

        Args:
            own: Who sends.
            stream_id: New and random: its keys were never used.
            group_key: The current one of the call.
            ssrc: Random.
            sequence: Random.

        """
        self.sent: Final = SentReports()
        self._own = own
        self._stream_id = stream_id
        media = MediaFormat(OPUS_TYPE, RED_TYPE, INNER_LEVEL_ID)
        self._rtp = RtpSender(ssrc, sequence, media, most_copies=ONSET_COPIES)
        self._key: FrameKey = frame_key(group_key, own, stream_id)
        self._ctr = 0
        self._onset_frames = 0
        self._onset_copies = 0
        self._audible_frames = 0
        """In a row, up to now."""

        self._cname = stream_id.hex()[:8]

    @property
    def ssrc(self) -> int:
        """Of the inner packets."""
        return self._rtp.ssrc

    @property
    def counters(self) -> SendCounters:
        """Of the inner packets."""
        return self._rtp.counters

    def feed(self, number: int) -> RoomFeed:
        """What the others are to be told of it; `number` is the server's."""
        return RoomFeed(number, self._stream_id, OPUS_TYPE, RED_TYPE)

    def use_key(self, group_key: bytes) -> None:
        """Seal by what follows from this one from now on. Counters go on: they are never used twice under one key, whatever keys come again."""
        self._key = frame_key(group_key, self._own, self._stream_id)

    def word_begins(self) -> None:
        """Carry more copies for a moment, back to where it began: somebody may have begun to listen this instant."""
        self._onset_frames = ONSET_FRAMES
        self._onset_copies = min(self._audible_frames + 1, ONSET_COPIES)

    def frame(
        self, frame: EncodedFrame, plan: RedundancyPlan, now_s: float
    ) -> tuple[bytes, SentPacket] | None:
        """Return the sealed packet of one frame, and what is told of it; to be followed by `went_out` or `discarded`. None for one that is too long."""
        self._rtp.redundancy, self._rtp.full_copies = plan.red_levels, plan.full_copies
        if self._onset_frames:
            self._onset_frames -= 1
            self._rtp.redundancy = max(self._onset_copies, plan.red_levels)
            self._onset_copies = min(self._onset_copies + 1, ONSET_COPIES)
        self._audible_frames = self._audible_frames + 1 if frame.audio_level_dbov > AUDIBLE_DBOV else 0
        made = self._rtp.packet(frame, now_s)
        return None if made is None else (self._seal(made[0]), made[1])

    def went_out(self, frame: EncodedFrame, told: SentPacket) -> None:
        """The packet that was made last was given to the network."""
        self._rtp.went_out(frame, told)

    def discarded(self) -> None:
        """It was not."""
        self._rtp.discarded()

    def report(self, blocks: Iterable[BlockOnWire], now_s: float, wall_s: float) -> bytes:
        """Return a sealed compound packet: of what we sent, when anything was, and of what we heard."""
        info = self.sent.next_of(self._rtp, now_s, wall_s)
        told = tuple(blocks)[:MAX_REPORT_BLOCKS]
        return self._seal(write_report(self._rtp.ssrc, info, told, self._cname))

    def _seal(self, inner: bytes) -> bytes:
        sealed = self._key.seal(self._ctr, inner)
        self._ctr += 1
        return sealed
