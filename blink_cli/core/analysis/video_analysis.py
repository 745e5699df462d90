"""The streams of pictures of a call, both directions, packet by packet."""

from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.analysis.figures import ReportedFigures
from blink_cli.core.analysis.frame_tally import FrameTally
from blink_cli.core.analysis.round_trips import RoundTrips
from blink_cli.core.analysis.video_figures import (
    FeedbackFigures,
    InboundVideoFigures,
    OutboundVideoFigures,
    VideoStreamFigures,
)
from blink_cli.core.ids import Did
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.rtp import ReceptionReport
from blink_cli.core.media.video.video_format import VIDEO_CLOCK_HZ
from blink_cli.core.media.video_feedback import FeedbackKind

MAX_STREAMS: Final = 256
"""Of more, the oldest are forgotten."""

REMEMBERED_REPAIRS: Final = 512
"""Packets that came again, so that one which comes twice is counted once."""


@dataclass(frozen=True, slots=True)
class VideoPacket:
    """What an analysis needs of a packet of pictures."""

    sequence: int
    """Extended."""

    timestamp: int
    at_s: float
    """Monotonic: its arrival, or its sending."""

    payload_bytes: int
    """0: it carries a report, or only fills the line, and belongs to no frame."""

    begins_frame: bool
    ends_frame: bool
    is_key: bool
    """It begins a frame that needs no other."""


@dataclass(slots=True)
class _Watched:
    """What both directions count."""

    ssrc: int
    frames: FrameTally = field(default_factory=FrameTally)
    asked: dict[FeedbackKind, int] = field(default_factory=lambda: dict.fromkeys(FeedbackKind, 0))
    packets_requested: int = 0
    packets_again: int = 0
    watched_s: float = 0.0
    last_at: float | None = None

    def passed(self, packet: VideoPacket) -> None:
        """A packet went by, for the first time or again."""
        if packet.payload_bytes:
            self.frames.packet(
                packet.sequence,
                packet.timestamp,
                packet.at_s,
                begins=packet.begins_frame,
                ends=packet.ends_frame,
                is_key=packet.is_key,
            )
        if self.last_at is not None:
            self.watched_s += max(packet.at_s - self.last_at, 0.0)
        self.last_at = packet.at_s

    def feedback(self, kind: FeedbackKind, packets: int) -> None:
        """The receiver asked for something."""
        self.asked[kind] += 1
        self.packets_requested += packets

    def interrupted(self) -> None:
        """Nobody watched for a while."""
        self.frames.interrupted()
        self.last_at = None

    def a_second(self, count: float) -> float | None:
        return count / self.watched_s if self.watched_s > 0 else None

    def feedback_figures(self) -> FeedbackFigures:
        return FeedbackFigures(
            nack_count=self.asked[FeedbackKind.NACK],
            packets_requested=self.packets_requested,
            pli_count=self.asked[FeedbackKind.PLI],
            fir_count=self.asked[FeedbackKind.FIR],
        )


class ReceivedPictures:
    """One SSRC of one peer. Not thread-safe; time comes in."""

    def __init__(self, ssrc: int) -> None:
        """Begin with the stream's first packet."""
        self.watched = _Watched(ssrc)
        self._statistics = ReceptionStatistics(VIDEO_CLOCK_HZ)
        self._clock: tuple[int, float] | None = None  # timestamp and arrival of the newest packet
        self._repaired: dict[int, None] = {}
        self._repaired_packets = 0

    def packet(self, packet: VideoPacket) -> None:
        """Take one that came for the first time."""
        timestamp = self._timestamp(packet)
        if timestamp is None:
            return
        self._clock = timestamp, packet.at_s
        new = self._statistics.received(
            packet.sequence & 0xFFFF, timestamp, packet.at_s, packet.payload_bytes
        )
        if new:
            self.watched.passed(packet)

    def _timestamp(self, packet: VideoPacket) -> int | None:
        """Its timestamp. An empty packet has none of a frame: it counts as sent evenly, and not at all as a stream's first one."""
        if packet.payload_bytes:
            return packet.timestamp
        if self._clock is None:
            return None
        timestamp, at_s = self._clock
        return (timestamp + round((packet.at_s - at_s) * VIDEO_CLOCK_HZ)) & 0xFFFFFFFF

    def came_again(self, packet: VideoPacket) -> None:
        """Take one that came because it was asked for."""
        watched = self.watched
        watched.packets_again += 1
        if self._statistics.highest_sequence is None or self._statistics.has_received(
            packet.sequence & 0xFFFF
        ):
            return
        if packet.sequence not in self._repaired:
            self._repaired[packet.sequence] = None
            self._repaired_packets += 1
            if len(self._repaired) > REMEMBERED_REPAIRS:
                del self._repaired[next(iter(self._repaired))]
        watched.passed(packet)

    def interrupted(self) -> None:
        """Nobody watched for a while: what was not seen is not lost."""
        self._statistics.interrupted()
        self.watched.interrupted()

    def figures(self) -> InboundVideoFigures:
        """Everything, up to now."""
        statistics, watched = self._statistics, self.watched
        frames = watched.frames
        rate = watched.a_second(8 * statistics.bytes_received)
        return InboundVideoFigures(
            ssrc=watched.ssrc,
            duration_s=round(watched.watched_s, 6),
            packets_received=statistics.packets_received,
            packets_expected=statistics.packets_expected,
            packets_lost=statistics.packets_lost,
            packets_reordered=statistics.packets_reordered,
            packets_repaired=self._repaired_packets,
            retransmitted_packets_received=watched.packets_again,
            payload_bytes=statistics.bytes_received,
            bitrate_bps=None if rate is None else round(rate),
            frames_received=frames.frames,
            key_frames_received=frames.key_frames,
            frames_incomplete=frames.incomplete + frames.open,
            frames_per_second=_rounded(watched.a_second(frames.frames)),
            max_frame_interval_ms=_ms(frames.max_interval_s),
            jitter_ms=_ms(statistics.jitter_s),
            mean_jitter_ms=_ms(statistics.mean_jitter_s),
            max_jitter_ms=_ms(statistics.max_jitter_s),
            feedback=watched.feedback_figures(),
        )


class SentPictures:
    """One SSRC to one peer. Not thread-safe; time comes in."""

    def __init__(self, ssrc: int) -> None:
        """Begin with the stream's first packet."""
        self.watched = _Watched(ssrc)
        self._packets = self._bytes = 0
        self._report: ReceptionReport | None = None
        self._report_count = 0
        self._max_fraction = self._max_jitter_s = 0.0
        self._round_trips = RoundTrips()

    def packet(self, packet: VideoPacket) -> None:
        """Take one that went out for the first time."""
        self._packets += 1
        self._bytes += packet.payload_bytes
        self.watched.passed(packet)

    def went_again(self) -> None:
        """Count one that went again."""
        self.watched.packets_again += 1

    def reported(self, report: ReceptionReport) -> None:
        """Take the receiver's report of this stream."""
        self._report = report
        self._report_count += 1
        self._max_fraction = max(self._max_fraction, report.fraction_lost)
        self._max_jitter_s = max(self._max_jitter_s, report.jitter_s)
        if report.rtt_s is not None:
            self._round_trips.measured(report.rtt_s)

    def interrupted(self) -> None:
        """Nobody watched for a while."""
        self.watched.interrupted()

    def figures(self) -> OutboundVideoFigures:
        """Everything, up to now."""
        watched = self.watched
        frames = watched.frames
        rate = watched.a_second(8 * self._bytes)
        return OutboundVideoFigures(
            ssrc=watched.ssrc,
            duration_s=round(watched.watched_s, 6),
            packets_sent=self._packets,
            retransmitted_packets_sent=watched.packets_again,
            payload_bytes=self._bytes,
            bitrate_bps=None if rate is None else round(rate),
            frames_sent=frames.frames,
            key_frames_sent=frames.key_frames,
            frames_per_second=_rounded(watched.a_second(frames.frames)),
            max_frame_interval_ms=_ms(frames.max_interval_s),
            feedback=watched.feedback_figures(),
            reported=self._reported(),
            round_trip=self._round_trips.figures(),
        )

    def _reported(self) -> ReportedFigures | None:
        report = self._report
        if report is None:
            return None
        return ReportedFigures(
            reports=self._report_count,
            packets_lost=report.packets_lost,
            fraction_lost=report.fraction_lost,
            max_fraction_lost=self._max_fraction,
            jitter_ms=_ms(report.jitter_s),
            max_jitter_ms=_ms(self._max_jitter_s),
        )


class VideoAnalysis:
    """All streams of pictures of a call. Not thread-safe; time comes in."""

    def __init__(self) -> None:
        """Know none yet."""
        self._received: dict[tuple[Did, int], ReceivedPictures] = {}
        self._sent: dict[tuple[Did, int], SentPictures] = {}

    def receiving(self, peer: Did, ssrc: int) -> ReceivedPictures:
        """The stream that something which has just come belongs to."""
        stream = self._received.get((peer, ssrc))
        if stream is None:
            if len(self._received) >= MAX_STREAMS:
                del self._received[next(iter(self._received))]
            stream = self._received[peer, ssrc] = ReceivedPictures(ssrc)
        return stream

    def sending(self, peer: Did, ssrc: int) -> SentPictures:
        """The stream of ours that something is about."""
        stream = self._sent.get((peer, ssrc))
        if stream is None:
            if len(self._sent) >= MAX_STREAMS:
                del self._sent[next(iter(self._sent))]
            stream = self._sent[peer, ssrc] = SentPictures(ssrc)
        return stream

    def interrupted(self) -> None:
        """Nobody watched for a while."""
        for received in self._received.values():
            received.interrupted()
        for sent in self._sent.values():
            sent.interrupted()

    def figures(self) -> tuple[VideoStreamFigures, ...]:
        """Every stream, those that came first."""
        return (
            *(
                VideoStreamFigures(peer=peer, direction="received", inbound=stream.figures(), outbound=None)
                for (peer, _), stream in self._received.items()
            ),
            *(
                VideoStreamFigures(peer=peer, direction="sent", inbound=None, outbound=stream.figures())
                for (peer, _), stream in self._sent.items()
            ),
        )


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 6)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, 2)
