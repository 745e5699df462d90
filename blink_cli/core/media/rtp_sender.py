"""One link's outgoing stream: from a shared encoded frame to this peer's RTP packet.

    EncodedFrame --> RED with the frames before it, if wanted --> header with level --> packet bytes
         |
         '--> SenderClock: RTP time of now, for sender reports

The frame is encoded once for everybody; only what this module adds differs from peer to peer. Pure: no socket, no clock.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media import red
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.redundancy_policy import RedLevels
from blink_cli.core.media.rtp import EncodedFrame, SentPacket
from blink_cli.core.media.rtp_header import RtpHeaderWriter
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

    packets_discarded: int = 0
    """Frames that did not go out: too long, or the operating system did not take them."""


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


class RtpSender:
    """Makes one peer's packets. Belongs to the event loop."""

    def __init__(
        self,
        ssrc: int,
        first_sequence_number: int,
        media: MediaFormat,
    ) -> None:
        """Begin a stream.

        Args:
            ssrc: Random.
            first_sequence_number: Random, in the lower half: a wrap before the first packet arrives would break
                SRTP's guess of the rollover counter (RFC 3711, section 3.3.1).
            media: What was agreed.

        """
        self.ssrc = ssrc
        self.counters = SendCounters()
        self.clock = SenderClock()
        self.redundancy: RedLevels = 0
        self.first_sequence = first_sequence_number
        self._sequence_number = first_sequence_number
        self._media = media
        self._writer = RtpHeaderWriter(ssrc, media.level_id)
        self._earlier: deque[tuple[int, bytes]] = deque(maxlen=2)

    def packet(self, frame: EncodedFrame, now_s: float) -> tuple[bytes, SentPacket] | None:
        """Make the packet of one frame. To be followed by `went_out` or `discarded` before the next one.

        Returns:
            The packet without SRTP, and what is told of it once it went out. None for a frame that is too long, which is counted.

        """
        payload = frame.payload
        media = self._media
        payload_type = media.opus
        copies = self._copies_for(frame) if self.redundancy and media.red is not None else []
        if copies and media.red is not None:  # RED around a frame alone would only be longer
            payload = red.pack(frame.payload, frame.timestamp, copies, media.opus)
            payload_type = media.red
        if media.red is not None:
            self._earlier.append((frame.timestamp, frame.payload))
        if len(payload) > MAX_PRIMARY_BYTES:
            self.discarded()
            return None
        header = self._writer.header(
            payload_type=payload_type,
            sequence_number=self._sequence_number,
            timestamp=frame.timestamp,
            marker=frame.talk_spurt_start,
            audio_level_dbov=frame.audio_level_dbov,
            voice=frame.voice,
        )
        self.clock.sent(frame, now_s)
        told = SentPacket(
            self.ssrc,
            self._sequence_number,
            frame.timestamp,
            payload_type,
            frame.talk_spurt_start,
            len(payload),
            frame.audio_level_dbov,
            frame.voice,
            len(copies),
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
        counters.redundant_bytes_sent += told.payload_bytes - len(frame.payload)

    def discarded(self) -> None:
        """The packet that was made last did not go out: the next one takes its number."""
        self.counters.packets_discarded += 1

    def _copies_for(self, frame: EncodedFrame) -> list[tuple[int, bytes]]:
        """What of the frames before it goes out with it: none of those from before a pause."""
        copies = red.carried(list(self._earlier)[-self.redundancy :], frame.timestamp)
        while (
            copies and sum(len(body) + 4 for _, body in copies) + len(frame.payload) + 1 > MAX_PAYLOAD_BYTES
        ):
            del copies[0]
        return copies
