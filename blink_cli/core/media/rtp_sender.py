"""One link's outgoing stream: from a shared encoded frame to this peer's RTP packet.

    EncodedFrame --> RED with the frames before it, if wanted --> header with level --> packet bytes
         |
         '--> SenderClock: RTP time of now, for sender reports

The frame is encoded once for everybody; only what this module adds differs from peer to peer. Pure: no socket, no clock.
"""

import functools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media import red, rtx
from blink_cli.core.media.copy_brake import MOST_COPIES, RedLevels
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_header import RtpHeaderWriter
from blink_cli.core.media.sent_packets import SentPackets
from blink_cli.core.media.unwrapper import SEQUENCE_MASK, TIMESTAMP_MASK

MAX_PAYLOAD_BYTES: Final = 1_200
"""Above it copies are left out, oldest first, so that a packet fits every path's MTU."""

MAX_PRIMARY_BYTES: Final = 1_300
"""A frame that SRTP's buffer cannot take with its header; 510 kb/s in 20 ms has 1,275."""


@dataclass(slots=True)
class SendCounters:
    """Counts since the link is up, with the names of W3C's outbound-rtp."""

    packets_sent: int = 0
    bytes_sent: int = 0
    """Payload octets, as an RTCP sender report counts them."""

    header_bytes_sent: int = 0
    """RTP headers with their extensions; neither SRTP's tag nor IP and UDP."""

    redundant_bytes_sent: int = 0
    """Of `bytes_sent`, what RED added."""

    retransmitted_packets_sent: int = 0
    """Packets that went again because they were asked for; not in `packets_sent`, since RTCP counts a stream's own packets."""

    retransmitted_bytes_sent: int = 0
    """Their payload octets; not in `bytes_sent`."""

    nack_count: int = 0
    """Requests that came: RTCP packets, of which each may name many."""

    packets_discarded: int = 0
    """Frames that did not go out: too long, or the operating system did not take them."""


class RetransmissionStream(msgspec.Struct, frozen=True):
    """The stream on which packets go again (RFC 4588, section 4)."""

    ssrc: int
    first_sequence_number: int
    """Random, in the lower half, as the other stream's."""


class _Earlier(msgspec.Struct, frozen=True, gc=False):
    """A frame that was sent."""

    number: int
    frame: EncodedFrame

    @property
    def short(self) -> bytes:
        """At the lower bit rate, where there is one."""
        return self.frame.copy or self.frame.payload


class SenderClock:
    """Says what RTP time it is at a moment: of the sample that is at the microphone then, whatever is done to the sound before it is sent.

    A frame says when it was captured. Of one that does not, it is known that it was sent when its last sample had been captured and encoded: never
    early and sometimes late. So of the last two intervals' frames, the one that was least late tells the time.
    """

    def __init__(self) -> None:
        self._origin: int | None = None
        self._least_s: float | None = None
        self._least_before_s: float | None = None

    def sent(self, frame: EncodedFrame, now_s: float) -> None:
        """A frame went out at this monotonic time."""
        if self._origin is None:
            self._origin = frame.timestamp
        duration_s = frame.duration_samples / SAMPLE_RATE_HZ
        captured_until_s = now_s if frame.captured_at is None else frame.captured_at + duration_s
        ticks = (frame.timestamp + frame.duration_samples - self._origin) & TIMESTAMP_MASK
        offset_s = captured_until_s - ticks / SAMPLE_RATE_HZ
        if self._least_s is None or offset_s < self._least_s:
            self._least_s = offset_s
        elif offset_s - self._least_s > _JUMP_S:  # the source's timestamps began anew, or wrapped
            self._least_s, self._least_before_s = offset_s, None

    def timestamp(self, now_s: float) -> int | None:
        """The RTP timestamp of the sample captured at this monotonic time; None before the first frame."""
        least_s = [value for value in (self._least_s, self._least_before_s) if value is not None]
        if not least_s or self._origin is None:
            return None
        return (self._origin + round((now_s - min(least_s)) * SAMPLE_RATE_HZ)) & TIMESTAMP_MASK

    def next_interval(self) -> None:
        """Begin a new interval, so that an old minimum does not hide the drift of the sound card's clock."""
        if self._least_s is not None:
            self._least_before_s = self._least_s
            self._least_s = None


_JUMP_S: Final = 1.0


@functools.lru_cache(maxsize=8)
def _packed(primary: bytes, timestamp: int, copies: tuple[tuple[int, bytes], ...], opus: int) -> bytes:
    """Pack a frame with its copies once for all who get as many: with loss on a line everybody does."""
    return red.pack(primary, timestamp, copies, opus)


class RtpSender:
    """Makes one peer's packets. Belongs to the event loop."""

    def __init__(
        self,
        ssrc: int,
        first_sequence_number: int,
        media: MediaFormat,
        *,
        most_copies: int = MOST_COPIES,
        retransmissions: RetransmissionStream | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            ssrc: Random.
            first_sequence_number: Random, in the lower half: a wrap before the first packet arrives would break
                SRTP's guess of the rollover counter (RFC 3711, section 3.3.1).
            media: What was agreed.
            most_copies: How many frames it remembers.
            retransmissions: On which stream packets go again that are asked for, where that was agreed; None: none is made here.

        """
        self.ssrc = ssrc
        self.counters = SendCounters()
        self.clock = SenderClock()
        self.redundancy = 0
        """How many of the frames before it each packet carries too, as far as they fit; at most `most_copies`."""

        self.full_copies: RedLevels = MOST_COPIES
        """How many of these, the latest, are the frames as they were sent; those before them are at the lower bit rate, where the frames came with it."""

        self.sent_twice: RedLevels = 0
        """Which earlier frames go once more in packets of their own, without being asked for: those up to so many packets old. Only where a stream for it was agreed."""

        self.dred = False
        """Whether frames go with their DRED, as far as they fit and it was agreed."""

        self.first_sequence = first_sequence_number
        self._sequence_number = first_sequence_number
        self._media = media
        self._writer = RtpHeaderWriter(ssrc, media.level_id)
        self._earlier: deque[_Earlier] = deque(maxlen=most_copies)
        self._again: RtpHeaderWriter | None = None
        self._again_number = 0
        self._kept: SentPackets[EncodedFrame] = SentPackets()
        if retransmissions is not None and media.rtx is not None:
            self._again = RtpHeaderWriter(retransmissions.ssrc, media.level_id)
            self._again_number = retransmissions.first_sequence_number

    def packet(self, frame: EncodedFrame, now_s: float) -> tuple[bytes, SentPacket] | None:
        """Make the packet of one frame. To be followed by `went_out` or `discarded` before the next one.

        Returns:
            The packet without SRTP, and what is told of it once it went out. None for a frame that is too long, which is counted.

        """
        media = self._media
        payload = primary = self._primary(frame) if self.dred else frame.payload
        payload_type, number, timestamp = media.opus, self._sequence_number, frame.timestamp
        copies = 0
        if media.red is not None:
            carried = self._copies_for(frame, len(primary)) if self.redundancy else ()
            if carried:  # RED around a frame alone would only be longer
                copies = len(carried)
                payload = _packed(primary, timestamp, tuple(carried), media.opus)
                payload_type = media.red
            self._earlier.append(_Earlier(number, frame))
        if len(payload) > MAX_PRIMARY_BYTES:
            self.discarded()
            return None
        marker, level_dbov, voice = frame.talk_spurt_start, frame.audio_level_dbov, frame.voice
        header = self._writer.header(
            payload_type=payload_type,
            sequence_number=number,
            timestamp=timestamp,
            marker=marker,
            audio_level_dbov=level_dbov,
            voice=voice,
        )
        self.clock.sent(frame, now_s)
        told = SentPacket(
            self.ssrc,
            number,
            timestamp,
            payload_type,
            marker,
            len(payload),
            level_dbov,
            voice,
            copies,
            now_s,
            payload,
        )
        return header + payload, told

    def went_out(self, frame: EncodedFrame, told: SentPacket) -> None:
        """The packet that was made last, of this frame, was given to the network: the next one has the next number."""
        self._sequence_number = (told.sequence_number + 1) & SEQUENCE_MASK
        counters = self.counters
        counters.packets_sent += 1
        counters.bytes_sent += told.payload_bytes
        counters.header_bytes_sent += self._writer.header_bytes
        plain_bytes = len(frame.payload)
        if told.payload_bytes != plain_bytes:
            counters.redundant_bytes_sent += told.payload_bytes - plain_bytes
        if self._again is not None:
            self._kept.sent(told.sequence_number, frame, plain_bytes, told.sent_s)

    def asked_for(self, sequence_numbers: Sequence[int], now_s: float) -> list[bytes]:
        """What goes out again of the packets that the peer misses, without SRTP; to be sent as it is returned."""
        writer = self._again
        if writer is None:
            return []
        kept = self._kept.asked_for(sequence_numbers, now_s)
        return [self._once_more(writer, number, frame, frame.payload) for number, frame in kept]

    def unasked(self) -> list[bytes]:
        """What goes once more behind the packet that went out last, without SRTP: the frames before it that `sent_twice` says. To be sent as it is returned."""
        writer = self._again
        if writer is None or not self.sent_twice or len(self._earlier) < 2:
            return []
        *before, newest = list(self._earlier)[-self.sent_twice - 1 :]
        return [
            self._once_more(writer, one.number, one.frame, one.short)
            for one in before
            if red.carried([(one.frame.timestamp, one.short)], newest.frame.timestamp)
        ]

    def _once_more(self, writer: RtpHeaderWriter, number: int, frame: EncodedFrame, payload: bytes) -> bytes:
        """Make a packet of the other stream, and count it as sent."""
        payload_type = self._media.rtx
        assert payload_type is not None, "there is a stream for it"
        header = writer.header(
            payload_type=payload_type,
            sequence_number=self._again_number,
            timestamp=frame.timestamp,
            marker=frame.talk_spurt_start,
            audio_level_dbov=frame.audio_level_dbov,
            voice=frame.voice,
        )
        self._again_number = (self._again_number + 1) & SEQUENCE_MASK
        packed = rtx.pack(number, payload)
        self.counters.retransmitted_packets_sent += 1
        self.counters.retransmitted_bytes_sent += len(packed)
        return header + packed

    def sent_as_it_was(self, payload_bytes: int) -> None:
        """A packet went again on its own stream, for a peer that knows no other way."""
        self.counters.retransmitted_packets_sent += 1
        self.counters.retransmitted_bytes_sent += payload_bytes

    def discarded(self) -> None:
        """The packet that was made last did not go out: the next one takes its number."""
        self.counters.packets_discarded += 1

    def _primary(self, frame: EncodedFrame) -> bytes:
        with_dred = frame.payload_with_dred
        if self._media.dred is not None and with_dred is not None:
            return with_dred if len(with_dred) <= MAX_PAYLOAD_BYTES else frame.payload
        return frame.payload

    def _copies_for(self, frame: EncodedFrame, size: int) -> list[tuple[int, bytes]]:
        """What of the frames before it goes out with it: none of those from before a pause."""
        wanted = list(self._earlier)[-self.redundancy :]
        short = len(wanted) - self.full_copies
        copies = red.carried(
            [
                (earlier.frame.timestamp, earlier.short if number < short else earlier.frame.payload)
                for number, earlier in enumerate(wanted)
            ],
            frame.timestamp,
        )
        room = MAX_PAYLOAD_BYTES - size - 1
        for _, body in copies:
            room -= len(body) + 4
        while copies and room < 0:
            room += len(copies.pop(0)[1]) + 4
        return copies
