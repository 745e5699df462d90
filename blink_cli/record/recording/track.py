"""One participant's track: Opus packets in, a seamless row of Opus packets out, each at its place on the recording's timeline.

    packet ──> RED unpacked ──> StreamRun (waits, sorted by RTP time; its clock) ──> place ──> [ fillers ] packet ──> emit
                                                                                       ^
                              "now less the hold-back" moves on, and with it the track's end

A place is decided by RTP time, never by arrival: RTP time plus the sender's clock offset (`SenderClock`) less the recording's start.
Frames that follow each other stay together as long as the end of the row is within 5 ms of where the next frame belongs; beyond that
the row is corrected in a quiet moment, and beyond 10 ms at once: by a few milliseconds of concealment, or by one frame that gives way to
a shorter filler. What is missing is concealed for 60 ms and silent from there on. So every track is without a hole, and all of
them are equally long.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import WireError
from blink_cli.core.media import red
from blink_cli.core.media.opus_packet import packet_samples
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket, SenderReport
from blink_cli.core.media.unwrapper import SEQUENCE_MASK, TIMESTAMP_MASK, sequence_difference
from blink_cli.record.recording.filler import GRID_SAMPLES, LOOK_AHEAD_SAMPLES, Filler, concealment, silence
from blink_cli.record.recording.gaps import Gap, GapList, GapReason, Span, end_of, explain
from blink_cli.record.recording.sender_clock import LeastOfWindow
from blink_cli.record.recording.stream_run import Frame, StreamRun

FRAME_SAMPLES: Final = SAMPLE_RATE_HZ * 20 // 1000
"""The step in which a track that waits for nothing is filled, and in which recordings are long."""

FIRST_SAMPLES: Final = SAMPLE_RATE_HZ * 25 // 1000
"""Every track begins with fillers of 20 and 5 ms.

Browsers leave out the decoder's delay at the start by whole packets, and only a first one of 20 ms is longer than it: tracks that begin with
shorter ones are early by 6.5 to 38 ms, each by another time. And Firefox's WebCodecs gives that first packet without the delay, but with its
old time; players that join what follows (mediabunny) are early by the 6.5 ms until a packet comes that is shorter than them.
"""

CORRECTED_IN_QUIET_SAMPLES: Final = SAMPLE_RATE_HZ * 5 // 1000
CORRECTED_AT_ONCE_SAMPLES: Final = SAMPLE_RATE_HZ * 10 // 1000

QUIET_DBOV: Final = -50
"""Background noise, not a voice."""

LOUD_DBOV: Final = -40
"""Nobody's discontinuous transmission begins behind a frame as loud as this: Opus waits for 0.2 s of quiet first."""

MOST_STEPS: Final = 1000
MOST_STINTS: Final = 2000
"""Of a participant, in the sidecar: a link takes a second to be lost, and as long to come again."""

MOST_SPANS: Final = 2000
"""Of mutes and overloads that may explain a gap that is still open."""

LONGEST_STEP_S: Final = 3600.0
"""Beyond this, timestamps began anew, and how far they lie from the old ones says nothing."""

CONCEALED_SAMPLES: Final = SAMPLE_RATE_HZ * 60 // 1000
"""A decoder's guess is good for so long; from there on silence is more honest."""

ROUND_TRIP_WINDOW_S: Final = 30.0
LONGEST_PATH_S: Final = 0.5
"""A round trip beyond twice this is not believed."""

LONGEST_DTX_SAMPLES: Final = SAMPLE_RATE_HZ // 2
"""Opus sends a frame every 400 ms of silence, of 60 ms at most: a sender that says nothing for longer stands still."""

_LONGEST_PAYLOAD_BYTES: Final = 1500
_TURN_S: Final = (1 << 32) / SAMPLE_RATE_HZ
_OWN_SSRC: Final = 0
_REMEMBERED_SSRCS: Final = 8

Emit = Callable[[bytes, int, int], None]
"""One packet, its place and its length in samples."""


@dataclass(slots=True)
class TrackCounters:
    """What a track is made of."""

    frames: int = 0
    """Real packets, redundant copies included."""

    frames_recovered: int = 0
    """Lost packets whose redundant copy came."""

    frames_late: int = 0
    """Came when their place was already filled."""

    clock_corrections: int = 0
    """Times that the row was corrected because the sender's clock, or the path, had moved."""

    clock_samples: int = 0
    """What those corrections put in (positive) or took out, at 48 kHz."""


class ClockStep(msgspec.Struct, frozen=True):
    """The sender's RTP time stepped against the clock."""

    place: int
    step_s: float
    """Positive: RTP time was set back, so sound is missing before it. Negative: it was set forward, and what came double was left out."""


class Anchor(msgspec.Struct, frozen=True):
    """Which sample of the sender's stream was captured at which place."""

    place: int
    ssrc: int
    timestamp: int
    """0 to 2^32 - 1."""


class Track:
    """Belongs to the thread that records."""

    def __init__(
        self, start_s: float, emit: Emit, *, payload_types: tuple[int, int | None] | None = None
    ) -> None:
        """Begin an empty track.

        Args:
            start_s: Monotonic time of the recording's first sample.
            emit: Takes each packet in order, without a hole.
            payload_types: Of Opus and RED, where a link stands already.

        """
        self._start_s = start_s
        self._emit = emit
        self._payload_types = payload_types
        self._runs: list[StreamRun] = []
        self._former: deque[int] = deque(maxlen=_REMEMBERED_SSRCS)
        self._round_trips = LeastOfWindow(ROUND_TRIP_WINDOW_S)
        self._last: Frame | None = None
        self._filled = 0  # since the last real frame
        self._open_gap: int | None = None
        self._linked_since: int | None = None if payload_types is None else 0
        self._muted_since: int | None = None
        self.cursor = 0
        """The end of the row, in samples."""

        self.linked: list[Span] = []
        self.muted: list[Span] = []
        self.overloaded: list[Span] = []
        """When packets were dropped before they came here; the recorder's own trouble."""

        self.steps: list[ClockStep] = []
        self.gaps = GapList()
        self.counters = TrackCounters()

    # what happens to the participant

    def link_connected(self, opus: int, red_type: int | None, now_s: float) -> None:
        """Media may come from now on."""
        self._payload_types = (opus, red_type)
        if self._linked_since is None:
            self._linked_since = self._place_of(now_s)

    def link_ended(self, now_s: float) -> None:
        """Its link is gone."""
        if self._linked_since is not None:
            self.linked.append(Span(self._linked_since, self._place_of(now_s)))
            # A link that comes and goes all the time: the last ones are told as one.
            if len(self.linked) > MOST_STINTS:
                last = self.linked.pop()
                self.linked[-1] = Span(self.linked[-1].start, last.end)
            self._linked_since = None

    def set_overloaded(self, span: Span) -> None:
        """Packets were dropped before they came here."""
        if len(self.overloaded) < MOST_SPANS:
            self.overloaded.append(span)

    def set_muted(self, *, muted: bool, now_s: float) -> None:
        """It shows that it is muted, or not any more."""
        if muted and self._muted_since is None:
            self._muted_since = self._place_of(now_s)
        elif not muted and self._muted_since is not None:
            self._forget_explained(self.muted)
            if len(self.muted) < MOST_SPANS:
                self.muted.append(Span(self._muted_since, self._place_of(now_s)))
            self._muted_since = None

    def round_trip(self, rtt_s: float, now_s: float) -> None:
        """What reports say of the path."""
        if 0 <= rtt_s <= 2 * LONGEST_PATH_S:
            self._round_trips.add(rtt_s, now_s)

    # media

    def captured(self, frame: EncodedFrame, now_s: float) -> None:
        """Take a frame of this session's own source, which nothing can lose. The source says when it was captured."""
        duration_s = frame.duration_samples / SAMPLE_RATE_HZ
        captured_at = now_s - duration_s if frame.captured_at is None else frame.captured_at
        if self._linked_since is None:
            self._linked_since = self._place_of(captured_at)
        level = frame.audio_level_dbov
        own = Frame(
            frame.timestamp,
            frame.payload,
            frame.duration_samples,
            None,
            quiet=level <= QUIET_DBOV,
            loud=level > LOUD_DBOV,
            gap_before=frame.missing_before > 0,
        )
        self._arrived(_OWN_SSRC, own, captured_at + duration_s)

    def received(self, packet: RtpPacket) -> None:
        """Take a packet of the peer. What is not Opus, or not of an agreed payload type, is ignored."""
        types = self._payload_types
        if types is None:
            return
        if packet.payload_type == types[0]:
            self._received(packet, packet.payload)
        elif packet.payload_type == types[1]:
            try:
                *copies, (_, primary, primary_type) = red.unpack(packet.payload, packet.timestamp)
            except WireError:
                return
            if primary_type == types[0]:
                self._received(packet, primary)
            run = self._runs[-1] if self._runs else None
            if run is None or run.ssrc != packet.ssrc:
                return
            for age, (timestamp, payload, kind) in enumerate(reversed(copies), 1):
                if run.knows(run.extended(timestamp)):
                    continue  # nearly always: nothing was lost
                samples = _opus_samples(payload) if kind == types[0] else 0
                if samples:
                    sequence = (packet.sequence_number - age) & SEQUENCE_MASK
                    run.add(
                        Frame(run.extended(timestamp), payload, samples, sequence, quiet=False, copy=True)
                    )

    def reported(self, report: SenderReport) -> None:
        """Take a sender report."""
        if self._runs and self._runs[-1].ssrc == report.ssrc:
            self._runs[-1].reported(report.rtp_timestamp, report.arrival_s)

    def _received(self, packet: RtpPacket, payload: bytes) -> None:
        samples = _opus_samples(payload)
        if samples:
            level = packet.audio_level_dbov
            frame = Frame(
                packet.timestamp,
                payload,
                samples,
                packet.sequence_number,
                quiet=level is not None and level <= QUIET_DBOV,
                loud=level is not None and level > LOUD_DBOV,
                copy=packet.retransmitted,
            )
            if packet.retransmitted:  # when it comes says nothing of the sender's clock
                if self._runs and self._runs[-1].ssrc == packet.ssrc:
                    run = self._runs[-1]
                    run.add(frame._replace(timestamp=run.extended(frame.timestamp)))
                return
            self._arrived(packet.ssrc, frame, packet.arrival_s)

    def _arrived(self, ssrc: int, frame: Frame, arrival_s: float) -> None:
        """Take a frame whose timestamp is as on the wire."""
        run = self._runs[-1] if self._runs else None
        if run is None or run.ssrc != ssrc:
            if ssrc in self._former:
                return  # the last packets of a stream that another one has followed
            run = self._begin_run(ssrc, frame.timestamp)
        if not run.arrived(frame._replace(timestamp=run.extended(frame.timestamp)), arrival_s):
            strays = run.strays
            jumped = self._begin_run(ssrc, strays[0][0].timestamp & TIMESTAMP_MASK)
            for stray, stray_arrival_s in strays:
                plain = stray.timestamp & TIMESTAMP_MASK
                jumped.arrived(stray._replace(timestamp=jumped.extended(plain)), stray_arrival_s)
            self._note_step(run, jumped, *strays[0])

    def _note_step(self, before: StreamRun, after: StreamRun, first: Frame, at_s: float) -> None:
        least_s, new_least_s = before.clock.least_transit_s, after.clock.least_transit_s
        if least_s is None or new_least_s is None or len(self.steps) >= MOST_STEPS:
            return
        # Each counts its RTP times from a turn of its own.
        step_s = (new_least_s - least_s + _TURN_S / 2) % _TURN_S - _TURN_S / 2
        if abs(step_s) > LONGEST_STEP_S:
            return
        self.steps.append(ClockStep(self._place_of(at_s), step_s))
        if step_s < 0:
            # Of what came twice, the later one was said when it came.
            taken = first.timestamp + step_s * SAMPLE_RATE_HZ
            self.counters.frames_late += before.give_up_from(taken)

    def _begin_run(self, ssrc: int, timestamp: int) -> StreamRun:
        if self._runs and self._runs[-1].ssrc != ssrc:
            self._former.append(self._runs[-1].ssrc)
        run = StreamRun(ssrc, timestamp)
        self._runs.append(run)
        return run

    # the row

    def advance(self, now_s: float, horizon_s: float) -> None:
        """Give every frame that belongs before the horizon its place, and fill up to it.

        Args:
            now_s: Monotonic.
            horizon_s: Monotonic; what belongs before it has arrived, or counts as lost.

        """
        if not self.cursor:
            self._fill_to(FIRST_SAMPLES)
        horizon = self._place_of(horizon_s)
        path_s = (self._round_trips.least or 0.0) / 2
        while self._runs:
            run = self._runs[0]
            following = self._runs[1] if len(self._runs) > 1 else None
            if run.waiting:
                self._place_run(run, run.clock.follow(now_s, path_s) - self._start_s, horizon)
            if following is None or run.waiting:
                break  # a run's last frames come before the next run's first
            self._runs.pop(0)
        self._fill_to(self.cursor + (horizon - self.cursor) // FRAME_SAMPLES * FRAME_SAMPLES)

    def finish(self, now_s: float) -> int:
        """Give what still waits its place, and return where the row ends then."""
        self.advance(now_s, now_s)
        return self.cursor

    def pad(self, end: int) -> None:
        """Fill up to the end of the recording, and close what is open. A frame that the end cuts is no gap."""
        self._fill_to(end)
        if self._open_gap is not None and end - self._open_gap >= CONCEALED_SAMPLES:
            self._close_gap(end, GapReason.LOST)
        place = end
        for filler in silence(LOOK_AHEAD_SAMPLES):
            self._emit(filler.payload, place, filler.samples)
            place += filler.samples

    def anchor(self) -> Anchor | None:
        """Where the sender's time stands now; None before its first frame has its place."""
        run = self._runs[0] if self._runs else None
        if run is None or run.emitted is None:
            return None
        place = run.emitted + round((run.clock.offset_s - self._start_s) * SAMPLE_RATE_HZ)
        return Anchor(place, run.ssrc, run.emitted & TIMESTAMP_MASK)

    def stints(self) -> list[Span]:
        """When media could come, up to now."""
        since = self._linked_since
        return self.linked if since is None else [*self.linked, Span(since, max(self.cursor, since))]

    def _place_run(self, run: StreamRun, offset_s: float, horizon: int) -> None:
        """Place the frames of a run up to the horizon."""
        waiting = run.waiting
        for timestamp in sorted(waiting):
            frame = waiting[timestamp]
            wanted = timestamp + offset_s * SAMPLE_RATE_HZ
            if wanted >= horizon:
                return
            del waiting[timestamp]
            self._place_frame(run, frame, wanted)

    def _place_frame(self, run: StreamRun, frame: Frame, wanted: float) -> None:
        missing = 0 if run.emitted is None else frame.timestamp - run.emitted
        if missing < 0:
            self.counters.frames_late += 1
            return
        follows = run.emitted is not None and missing == 0 and self._open_gap is None
        off = round(wanted) - self.cursor
        if follows:
            self._follow_on(frame, off)
        else:
            if off >= GRID_SAMPLES // 2:
                # A hole keeps the length that RTP time gives it, or a run would be corrected at every loss.
                left = missing - (0 if self._open_gap is None else self.cursor - self._open_gap)
                exact = run.emitted is not None and abs(left - off) < CORRECTED_IN_QUIET_SAMPLES and left > 0
                self._fill_to(self.cursor + _on_grid(left if exact else off))
            elif off < (-CORRECTED_AT_ONCE_SAMPLES if self._last else -GRID_SAMPLES // 2):
                if off + frame.samples <= 0:
                    # What was said before the track begins is not late: copies and delayed packets still bring it.
                    if wanted + frame.samples > FIRST_SAMPLES:
                        self.counters.frames_late += 1
                    return
                self._fill_to(self.cursor + _on_grid(off + frame.samples))
                self._close_gap(self.cursor, self._reason(run, frame))
                run.emitted, run.sequence = frame.timestamp + frame.samples, frame.sequence
                return
            self._close_gap(self.cursor, self._reason(run, frame))
            self._put(frame)
        run.emitted = frame.timestamp + frame.samples
        run.sequence = frame.sequence

    def _follow_on(self, frame: Frame, off: int) -> None:
        """Put a frame behind the one before it, unless the row has come away from the sender's clock."""
        limit = CORRECTED_IN_QUIET_SAMPLES if frame.quiet else CORRECTED_AT_ONCE_SAMPLES
        if abs(off) < limit:
            self._put(frame)
            return
        change = _on_grid(off)
        self.counters.clock_corrections += 1
        if off > 0:
            self._write(concealment(change))
            self.counters.clock_samples += change
            self._put(frame)
            return
        # The frame gives way to what is left of its place.
        kept = max(frame.samples + change, 0)
        self._write(concealment(kept))
        self.counters.clock_samples += kept - frame.samples

    def _put(self, frame: Frame) -> None:
        self._emit(frame.payload, self.cursor, frame.samples)
        self.cursor += frame.samples
        self._last = frame
        self._filled = 0
        self.counters.frames += 1
        if frame.copy:
            self.counters.frames_recovered += 1

    def _fill_to(self, end: int) -> None:
        """Conceal, then be silent, up to a place."""
        if end <= self.cursor:
            return
        if self._open_gap is None:
            self._open_gap = self.cursor
        samples = end - self.cursor
        concealed = 0
        if self._last is not None and self._filled < CONCEALED_SAMPLES:
            concealed = min(CONCEALED_SAMPLES - self._filled, samples)
        self._filled += samples
        self._write(concealment(concealed))
        self._write(silence(samples - concealed))

    def _write(self, fillers: Iterable[Filler]) -> None:
        for filler in fillers:
            self._emit(filler.payload, self.cursor, filler.samples)
            self.cursor += filler.samples

    def _reason(self, run: StreamRun, frame: Frame) -> GapReason:
        if run.emitted is None:
            return GapReason.ABSENT  # nothing of this stream was captured yet, or nothing whole
        own = frame.sequence is None or run.sequence is None  # nothing can lose these
        if not own and sequence_difference(frame.sequence or 0, run.sequence or 0) != 1:
            return GapReason.LOST
        silent = frame.timestamp - run.emitted
        if frame.gap_before or (self._last is not None and self._last.loud):
            return GapReason.ABSENT
        return GapReason.DTX if silent <= LONGEST_DTX_SAMPLES else GapReason.ABSENT

    def _close_gap(self, end: int, otherwise: GapReason) -> None:
        start, self._open_gap = self._open_gap, None
        if start is None or start >= end:
            return
        for gap in explain(
            start,
            end,
            linked=_with_open(self.linked, self._linked_since, end),
            muted=_with_open(self.muted, self._muted_since, end),
            overloaded=self.overloaded,
            otherwise=otherwise,
        ):
            self.gaps.add(Gap(*gap))
        self._forget_explained(self.muted)
        self._forget_explained(self.overloaded)

    def _forget_explained(self, spans: list[Span]) -> None:
        """Gaps come in their order: what ended before the next one can begin explains nothing any more."""
        place = self.cursor if self._open_gap is None else self._open_gap
        del spans[: bisect_right(spans, place, key=end_of)]

    def _place_of(self, at_s: float) -> int:
        return max(round((at_s - self._start_s) * SAMPLE_RATE_HZ), 0)


def _with_open(spans: list[Span], since: int | None, end: int) -> list[Span]:
    return spans if since is None else [*spans, Span(since, end)]


def _opus_samples(payload: bytes) -> int:
    return packet_samples(payload) if len(payload) <= _LONGEST_PAYLOAD_BYTES else 0


def _on_grid(samples: float) -> int:
    return round(samples / GRID_SAMPLES) * GRID_SAMPLES
