"""One link's outgoing stream of pictures: encoded frames to packets, and those again that are asked for.

    CodedPicture --> payloads --> queue --> header with its number of leaving --> packet bytes
                          '--> kept for a second, for who asks

Pure: no socket, no clock. Belongs to the event loop.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from blink_cli.core.media import rtx
from blink_cli.core.media.unwrapper import SEQUENCE_MASK, TIMESTAMP_MASK
from blink_cli.core.media.video import payload_formats
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.picture_payload import MAX_PAYLOAD_BYTES
from blink_cli.core.media.video.send_queue import RTP_HEADER_BYTES, QueuedPacket, SendQueue
from blink_cli.core.media.video.transport_sequence import write_header
from blink_cli.core.media.video.video_counters import VideoSendCounters
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ, VideoFormat, VideoSources
from blink_cli.core.media.video.voice_share import OUTER_BYTES, VoiceShare
from blink_cli.core.media.video.vp8_payload import PICTURE_ID_MASK
from blink_cli.core.media.voice_sent import VoiceSent

KEPT_S: Final = 1.0
"""A picture older than this is of no use to who asks for it."""

MAX_KEPT: Final = 512
"""Packets: a second of 4 Mb/s."""

MAX_TIMES: Final = 8
"""One packet goes again so often at most."""

PACING_OVER_TARGET: Final = 1.1
"""How much more than pictures and voice take in the mean the line is taken to hold: a frame that is larger than others catches up."""

PACING_OVER_KNOWN: Final = 2.0
"""Likewise, up to what the line is known to take: packets are longer, so that less of them is headers."""

AGAIN_OF_S: Final = 1.0
"""Of how long what went again is taken from what new pictures may take."""


Seal = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class LeavingPacket:
    """A packet that leaves now."""

    data: bytes
    """Without SRTP."""

    packet: QueuedPacket
    transport_sequence: int | None
    """0 to 65535."""


@dataclass(slots=True)
class _Kept:
    packet: QueuedPacket
    at: float
    again_at: float = -math.inf
    times: int = 0


class VideoSender:
    """Makes one peer's packets."""

    def __init__(
        self,
        sources: VideoSources,
        media: VideoFormat,
        counters: VideoSendCounters,
        *,
        first_sequence_number: int,
        first_rtx_number: int,
        target_bps: float,
        seal: Seal | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            sources: Random.
            media: What was agreed.
            counters: Go on being counted.
            first_sequence_number: Random, in the lower half (see `RtpSender`).
            first_rtx_number: Likewise.
            target_bps: How much may be sent at first.
            seal: Makes the payload of an inner packet; None: payloads go as they are.

        """
        self.sources = sources
        self.counters = counters
        self.media: Final = media
        self._codec = media.codecs[0]
        """Of the last frame."""

        self._seal = seal
        self._number = first_sequence_number
        self._rtx_number = first_rtx_number
        self._transport_number = 1
        self._picture_id = 0
        self._target_bps = target_bps
        self._capacity_bps: float | None = None
        self._at_least_bps = 0.0
        self._again: deque[tuple[float, int]] = deque()
        self._voice = VoiceShare()
        self._voice_at = -math.inf
        self._voice_sent: VoiceSent | None = None
        self._queue = SendQueue(PACING_OVER_TARGET * target_bps)
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._last: tuple[int, float] | None = None
        self.packets_of_stream = 0
        """Packets sent, without those that went again: what a sender report says."""

        self.bytes_of_stream = 0

    def set_target(self, target_bps: float, capacity_bps: float | None, at_least_bps: float = 0.0) -> None:
        """Spread packets by this rate from now on, all that they take of the line included; and by what the line takes, where that is known."""
        self._target_bps, self._capacity_bps, self._at_least_bps = target_bps, capacity_bps, at_least_bps
        mean_bps = target_bps + self._queue.voice_bps
        paced_bps = PACING_OVER_TARGET * mean_bps
        if capacity_bps is not None:
            paced_bps = max(min(PACING_OVER_KNOWN * mean_bps, capacity_bps), mean_bps)
        self._queue.wants_pairs = capacity_bps is None and at_least_bps < 3 * mean_bps
        self._queue.line_bps = max(paced_bps, min(at_least_bps, 3 * mean_bps))

    def voice_sent(self, voice: VoiceSent) -> None:
        """Learn what went out of the voice; to be told often."""
        self._voice.sent(voice)
        self._voice_again(voice)
        if voice.last_at > self._voice_at:
            self._voice_at = voice.last_at
            self._queue.voice_left(voice.last_at, voice.last_bytes, voice.every_s)
            self.set_target(self._target_bps, self._capacity_bps, self._at_least_bps)

    def _voice_again(self, voice: VoiceSent) -> None:
        """Leave room for what went of the voice beside its packets, each of which the queue learns of by itself."""
        before, self._voice_sent = self._voice_sent, voice
        if before is None:
            return
        own_packets = round((voice.last_at - before.last_at) / voice.every_s)
        packets = voice.packets - before.packets - own_packets
        if packets > 0:
            own_bytes = own_packets * voice.last_bytes
            size_bytes = max(voice.bytes - before.bytes - own_bytes, 0)
            self._queue.voice_left_again(size_bytes + packets * OUTER_BYTES)

    @property
    def voice_bps(self) -> float:
        """What the voice takes of the line, with what goes again of it."""
        return self._voice.bps

    def encoder_bps(self, now_s: float) -> float:
        """How much of the rate new pictures may take: without headers, and what goes again."""
        most_bytes = min(self._queue.most_payload_bytes, MAX_PAYLOAD_BYTES)
        while self._again and now_s - self._again[0][0] > AGAIN_OF_S:
            self._again.popleft()
        again_bps = 8 * sum(size for _, size in self._again) / AGAIN_OF_S
        left_bps = max(self._target_bps - again_bps, self._target_bps / 2)
        return left_bps * most_bytes / (most_bytes + RTP_HEADER_BYTES + OUTER_BYTES)

    @property
    def backlog_s(self) -> float:
        """How long what waits takes to leave: who would add to much of it does not encode."""
        return self._queue.backlog_s

    @property
    def waits(self) -> bool:
        """Whether packets wait to leave."""
        return self._queue.backlog_s > 0

    def next_at(self, now_s: float) -> float:
        """When to ask `leaving` next; infinite when nothing waits."""
        return self._queue.next_at(now_s)

    def frame(self, picture: CodedPicture, now_s: float) -> None:
        """Queue a frame; one of a codec that was not agreed on is passed over."""
        codec = self.media.of(picture.codec)
        if codec is None:
            return
        self._codec = codec
        counters = self.counters
        counters.frames_sent += 1
        counters.key_frames_sent += picture.is_key
        self._last = (picture.timestamp, now_s if picture.captured_at is None else picture.captured_at)
        payloads = payload_formats.cut(picture, self._picture_id, self._most_payload_bytes())
        self._picture_id = (self._picture_id + 1) & PICTURE_ID_MASK
        for place, payload in enumerate(payloads, start=1):
            packet = self._packet(picture.timestamp, payload, marker=place == len(payloads))
            if not self._queue.put(packet):
                counters.packets_discarded += 1
            self._keep(packet, now_s)

    def _most_payload_bytes(self) -> int:
        """Of one packet of the next frame: now and then half of what fits into a gap, so that two of them leave together and tell what the line takes."""
        most_bytes = self._queue.most_payload_bytes
        if self._capacity_bps is None or self.counters.frames_sent % 4 == 0:
            return max(min((most_bytes - 78) // 2, 1100), 200)
        return most_bytes

    def report(self, rtcp: bytes, now_s: float) -> None:
        """Queue a report as a packet of its own, sealed: what passes the stream on keeps reports for itself. Between two frames."""
        if self._seal is None or self._last is None:
            return
        packet = QueuedPacket(
            self.sources.ssrc,
            self._codec.payload_type,
            self._number,
            self._last[0],
            marker=False,
            payload=self._seal(rtcp),
            bare=b"",
        )
        self._number = (self._number + 1) & SEQUENCE_MASK
        self._queue.put(packet)
        self._keep(packet, now_s)

    def _packet(self, timestamp: int, payload: bytes, *, marker: bool) -> QueuedPacket:
        """The next packet; where it is sealed, a whole RTP packet is in it, since its header is changed on the way."""
        number, ssrc, payload_type = self._number, self.sources.ssrc, self._codec.payload_type
        self._number = (number + 1) & SEQUENCE_MASK
        if self._seal is None:
            return QueuedPacket(ssrc, payload_type, number, timestamp, marker, payload)
        header = write_header(
            payload_type=payload_type,
            sequence_number=number,
            timestamp=timestamp,
            ssrc=ssrc,
            marker=marker,
            transport_sequence=None,
        )
        sealed = self._seal(header + payload)
        return QueuedPacket(ssrc, payload_type, number, timestamp, marker, sealed, bare=payload)

    def asked_for(self, sequence_numbers: Iterable[int], now_s: float, rtt_s: float | None) -> None:
        """Queue packets again that the peer misses."""
        rtx_ssrc = self.sources.rtx_ssrc
        if rtx_ssrc is None:
            return
        between_s = 0.01 if rtt_s is None else rtt_s
        for number in sequence_numbers:
            kept = self._kept.get(number)
            if kept is None or kept.times >= MAX_TIMES or now_s - kept.again_at < between_s:
                continue
            first = kept.packet
            codec = self.media.numbered(first.payload_type)
            if codec is None or codec.rtx is None:
                continue
            kept.again_at = now_s
            kept.times += 1
            again = QueuedPacket(
                rtx_ssrc,
                codec.rtx,
                self._rtx_number,
                first.timestamp,
                first.marker,
                rtx.pack(number, first.payload),
                again=True,
                bare=first.bare,
            )
            self._again.append((now_s, again.line_bytes))
            if self._queue.put(again):
                self._rtx_number = (self._rtx_number + 1) & SEQUENCE_MASK

    def leaving(self, now_s: float) -> list[LeavingPacket]:
        """What leaves now, to be sent as it is returned."""
        out = []
        element = self.media.transport_sequence_id
        for packet in self._queue.due(now_s):
            number = None
            if element is not None:
                number = self._transport_number
                self._transport_number = (number + 1) & SEQUENCE_MASK
            header = write_header(
                payload_type=packet.payload_type,
                sequence_number=packet.sequence_number,
                timestamp=packet.timestamp,
                ssrc=packet.ssrc,
                marker=packet.marker,
                transport_sequence=None if element is None or number is None else (element, number),
            )
            self._count(packet, len(header))
            out.append(LeavingPacket(header + packet.payload, packet, number))
        return out

    def rtp_now(self, now_s: float) -> int | None:
        """The RTP timestamp of what the camera sees at this moment; None before the first frame."""
        if self._last is None:
            return None
        timestamp, captured_at = self._last
        return (timestamp + round((now_s - captured_at) * VIDEO_CLOCK_HZ)) & TIMESTAMP_MASK

    def _count(self, packet: QueuedPacket, header_bytes: int) -> None:
        counters = self.counters
        counters.packets_sent += 1
        counters.bytes_sent += len(packet.payload)
        counters.header_bytes_sent += header_bytes
        if packet.again:
            counters.retransmitted_packets_sent += 1
            counters.retransmitted_bytes_sent += len(packet.payload)
        else:
            self.packets_of_stream += 1
            self.bytes_of_stream += len(packet.payload)

    def _keep(self, packet: QueuedPacket, now_s: float) -> None:
        kept = self._kept
        kept[packet.sequence_number] = _Kept(packet, now_s)
        kept.move_to_end(packet.sequence_number)
        while len(kept) > MAX_KEPT or now_s - next(iter(kept.values())).at > KEPT_S:
            kept.popitem(last=False)
