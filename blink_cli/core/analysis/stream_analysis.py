"""Everything about one received stream, packet by packet and outcome by outcome.

Losses are settled in order: a missing number counts when it is so far back that nothing can fill it any more; figures in between take what is
missing now as lost, as `ReceptionStatistics` does.
"""

import heapq
from operator import itemgetter
from typing import Final

from blink_cli.core.analysis.clock_drift import ClockDrift
from blink_cli.core.analysis.e_model import FRAME_MS, LOOK_AHEAD_MS, QualityEstimate, estimate
from blink_cli.core.analysis.figures import DriftFigures, InboundFigures, RepairFigures, RoundTripFigures
from blink_cli.core.analysis.loss_pattern import LossFigures, LossPattern
from blink_cli.core.analysis.missing_runs import MissingRun, MissingRuns
from blink_cli.core.analysis.sending_delay import SendingDelay
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.media_tap import PlayoutOutcome
from blink_cli.core.media.reception_statistics import HISTORY_PACKETS, ReceptionStatistics
from blink_cli.core.media.unwrapper import sequence_unwrapper, timestamp_difference, timestamp_unwrapper

SETTLE_EVERY_PACKETS: Final = 256
"""Settling sorts what is missing: seldom enough to cost nothing, often enough that little waits."""

REMEMBERED_PACKETS: Final = 1024
"""Packets whose outcome may still come: 20 s of voice; the playout tells it within two."""

REPAIRABLE_PACKETS: Final = 64
"""Redundant copies (RFC 2198) reach 16,383 ticks back, 0.34 s: so many frames of 5 ms, and far more than anybody sends copies of."""

LEAP_PACKETS: Final = 100
"""Two seconds of voice. A network can be away for longer, but not several times a second."""

CLOCK_JUMP_S: Final = 10.0
"""A transit that changes by more is another clock, not another route."""


class StreamAnalysis:
    """One SSRC of one peer. Not thread-safe; time comes in."""

    __slots__ = (
        "_begun_s",
        "_clock_rate_hz",
        "_concealed_samples",
        "_concealment",
        "_delay_count",
        "_delay_max_s",
        "_delay_sum_s",
        "_drift",
        "_end_timestamp",
        "_first_timestamp",
        "_frame_ticks",
        "_last_heard",
        "_level_count",
        "_level_sum",
        "_loss",
        "_missing",
        "_numbers",
        "_outcomes",
        "_played_samples",
        "_recent",
        "_recovered",
        "_repair",
        "_retransmitted",
        "_run_end",
        "_run_first",
        "_run_open",
        "_sending_delay",
        "_settled_below",
        "_skew_max_s",
        "_skew_origin_s",
        "_skew_s",
        "_timestamps",
        "_unplayed",
        "_unrepaired_discards",
        "_unseen_s",
        "_unseen_since_s",
        "_unsettled",
        "_voice_count",
        "_voice_sum",
        "leaps",
        "ssrc",
        "statistics",
    )

    def __init__(
        self,
        ssrc: int,
        statistics: ReceptionStatistics | None = None,
        *,
        clock_rate_hz: int = SAMPLE_RATE_HZ,
    ) -> None:
        """Begin with the stream's first packet.

        Args:
            ssrc: The stream's.
            statistics: Where somebody else counts it, so that it is counted once: use `counted` then, and not `packet`.
            clock_rate_hz: At which RTP time runs.

        """
        self.ssrc = ssrc
        self._clock_rate_hz = clock_rate_hz
        self.statistics = ReceptionStatistics(clock_rate_hz) if statistics is None else statistics
        """The counts and jitter of RFC 3550."""

        self.leaps = 0
        """Packets whose number was more than `LEAP_PACKETS` away from the run's."""

        self._numbers = sequence_unwrapper(0)
        self._retransmitted = 0
        self._loss = LossPattern()
        self._repair = LossPattern()
        self._drift = ClockDrift()
        self._begun_s: float | None = None
        self._unseen_s = 0.0
        """From the last packet before each interruption to the first one after it, in all."""

        self._unseen_since_s: float | None = None
        self._run_open = False
        self._run_first = 0
        self._run_end = 0
        self._settled_below = 0
        """What became of smaller numbers is counted for good."""

        self._end_timestamp = 0  # of `_run_end`; the last arrival's may be another one
        self._unsettled = 0
        self._missing = MissingRuns()

        self._unplayed: dict[int, int] = {}
        """Numbers that came and were not played, with their timestamps."""

        self._unrepaired_discards = 0
        """Of those that are settled, what was not rebuilt either."""

        self._recovered: dict[int, None] = {}
        """Timestamps of frames that were rebuilt, oldest first."""

        self._recent: dict[int, tuple[int, float]] = {}
        """Number and arrival by timestamp, oldest first."""

        self._outcomes = dict.fromkeys(PlayoutOutcome, 0)
        self._frame_ticks: int | None = None
        self._timestamps = timestamp_unwrapper(0)
        self._first_timestamp = 0
        self._skew_origin_s = 0.0
        self._skew_s = 0.0
        self._skew_max_s = 0.0
        self._sending_delay = SendingDelay(clock_rate_hz)
        self._last_heard: tuple[int, float] | None = None
        """Timestamp and arrival of the last new packet."""

        self._delay_sum_s = 0.0
        self._delay_max_s = 0.0
        self._delay_count = 0
        self._concealment: tuple[int, int] | None = None
        self._concealed_samples = 0
        self._played_samples = 0
        self._level_sum = self._level_count = self._voice_sum = self._voice_count = 0

    # ---- what happens

    def packet(
        self,
        sequence_number: int,
        timestamp: int,
        arrival_s: float,
        payload_bytes: int,
        *,
        marker: bool,
        level_dbov: int | None = None,
        voice: bool = False,
    ) -> bool:
        """Take one packet in the order of arrival.

        Args:
            sequence_number: 0 to 65535, as on the wire.
            timestamp: RTP timestamp, 0 to 2^32 - 1.
            arrival_s: Monotonic.
            payload_bytes: Of the RTP payload.
            marker: The first packet after a pause.
            level_dbov: 0 down to -127 (RFC 6464); None when it carried none.
            voice: The V bit.

        Returns:
            Whether it is new; False for a copy of one that had come.

        """
        if not self.statistics.received(sequence_number, timestamp, arrival_s, payload_bytes, marker=marker):
            return False
        self.counted(sequence_number, timestamp, arrival_s, level_dbov=level_dbov, voice=voice)
        return True

    def counted(
        self,
        sequence_number: int,
        timestamp: int,
        arrival_s: float,
        *,
        level_dbov: int | None = None,
        voice: bool = False,
    ) -> None:
        """Take one packet that `statistics` has counted as new, in the order of arrival; it may have counted others behind it. Arguments as for `packet`."""
        if self._unseen_since_s is not None:
            self._unseen_s += max(arrival_s - self._unseen_since_s, 0.0)
            self._unseen_since_s = None
        number = self._numbers.near(sequence_number)
        step = number - self._run_end
        if self._run_open and not -LEAP_PACKETS <= step <= LEAP_PACKETS:
            self.leaps += 1
        if self._begun_s is None or (self._run_open and step <= -HISTORY_PACKETS):
            # The sender began anew, as `statistics` finds too.
            number = self._begin_run(sequence_number, timestamp)
            self._restart_clock(timestamp, arrival_s)
            if self._begun_s is None:
                self._begun_s = arrival_s
        else:
            if not self._run_open:
                number = self._begin_run(sequence_number, timestamp)
            elif step > 0:
                self._numbers.highest = number
                self._advance(number, timestamp)
            else:
                self._fill(number, timestamp)
            self._place(timestamp, arrival_s)
        recent = self._recent
        recent[timestamp] = (number, arrival_s)
        if len(recent) > 2 * REMEMBERED_PACKETS:
            for old in list(recent)[:REMEMBERED_PACKETS]:
                del recent[old]
        self._last_heard = timestamp, arrival_s
        if level_dbov is not None:
            self._level_sum += level_dbov
            self._level_count += 1
            if voice:
                self._voice_sum += level_dbov
                self._voice_count += 1

    def repeated(self, sequence_number: int, timestamp: int, arrival_s: float, *, marker: bool) -> None:
        """Count a copy that never became a packet: SRTP had refused it. Arguments as for `packet`."""
        self.statistics.duplicated(sequence_number, timestamp, arrival_s, marker=marker)

    def retransmitted(self, packets: int = 1) -> None:
        """Count packets of this stream that came again because they were asked for."""
        self._retransmitted += packets

    def outcome(self, timestamp: int, outcome: PlayoutOutcome, played_s: float | None = None) -> None:
        """Learn what the playout made of a frame: of a packet that came, or with RECOVERED of one that had not.

        Args:
            timestamp: The frame's.
            outcome: LATE and DUPLICATE can follow another outcome of the same frame.
            played_s: Monotonic time at which it was played.

        """
        self._outcomes[outcome] += 1
        if outcome is PlayoutOutcome.RECOVERED:
            self._recovered[timestamp] = None
            if len(self._recovered) > REMEMBERED_PACKETS:
                del self._recovered[next(iter(self._recovered))]
            return
        known = self._recent.get(timestamp)
        if known is None:
            return
        number, arrival_s = known
        if outcome is PlayoutOutcome.PLAYED:
            if played_s is not None:
                delay_s = played_s - arrival_s
                self._delay_sum_s += delay_s
                self._delay_count += 1
                self._delay_max_s = max(self._delay_max_s, delay_s)
        elif outcome is not PlayoutOutcome.DUPLICATE and number >= self._settled_below:
            self._unplayed[number] = timestamp

    def sender_reported(self, timestamp: int, arrival_s: float) -> None:
        """Take what the sender says of its clock: the RTP time of the moment at which it sent the report that arrived just now."""
        if self._last_heard is not None:
            self._sending_delay.reported(timestamp, arrival_s, *self._last_heard)

    def playout(self, concealed_samples: int, total_samples: int) -> None:
        """Take the playout's running counts; the differences between two calls count, and a fall is a new buffer."""
        if self._concealment is not None:
            concealed = concealed_samples - self._concealment[0]
            total = total_samples - self._concealment[1]
            if concealed >= 0 and total >= 0:
                self._concealed_samples += concealed
                self._played_samples += total
        self._concealment = concealed_samples, total_samples

    def interrupted(self) -> None:
        """Nobody watched for a while: what was not seen is not lost. The sender's clock has run on."""
        self._end_run()
        self._unseen_since_s = self.statistics.last_arrival_s
        self.statistics.interrupted()
        self._concealment = None

    # ---- inside

    def _end_run(self) -> None:
        if self._run_open:
            self._settle(self._loss, self._repair, self._run_end + 1)
            self._loss.end(self._run_end)
            self._repair.end(self._run_end)
            self._run_open = False
        self._missing.clear()
        self._unplayed.clear()
        self._recent.clear()  # the next run has other numbers

    def _begin_run(self, sequence_number: int, timestamp: int) -> int:
        """Count from this number on; return it unwrapped."""
        self._end_run()
        self._numbers = sequence_unwrapper(sequence_number)
        number = self._numbers.highest
        self._run_open = True
        self._run_first = self._run_end = number
        self._end_timestamp = timestamp
        self._settled_below = number - HISTORY_PACKETS
        self._loss.begin(number)
        self._repair.begin(number)
        return number

    def _advance(self, number: int, timestamp: int) -> None:
        step = number - self._run_end
        ticks = timestamp_difference(timestamp, self._end_timestamp)
        self._end_timestamp = timestamp
        if step == 1:
            if ticks > 0 and (self._frame_ticks is None or ticks < self._frame_ticks):
                self._frame_ticks = ticks
        else:
            first = self._run_end + 1
            if step > HISTORY_PACKETS:  # at once: a peer that skips numbers must not make work
                self._settle(self._loss, self._repair, first)
                settled = number - HISTORY_PACKETS
                self._loss.lost_all(first, settled)
                self._repair.lost_all(first, settled)
                first = self._settled_below = settled + 1
            # With a pause inside the gap nobody can tell which frames are missing: then these fit no recovered one.
            self._missing.add_behind(MissingRun(first, number - 1, number, timestamp, ticks, step))
        self._run_end = number
        self._unsettled += step
        if self._unsettled >= SETTLE_EVERY_PACKETS:
            self._unsettled = 0
            self._settled_below = number - HISTORY_PACKETS + 1
            self._settle(self._loss, self._repair, self._settled_below)

    def _fill(self, number: int, timestamp: int) -> None:
        if number >= self._run_first:
            self._missing.came(number)
            return
        # It was sent before the first one that arrived. Nothing is settled yet so near the beginning.
        self._missing.add_before(
            MissingRun(number + 1, self._run_first - 1, number, timestamp, self._frame_ticks or 0, 1)
        )
        self._run_first = number
        self._loss.begin(number)
        self._repair.begin(number)

    def _place(self, timestamp: int, arrival_s: float) -> None:
        media_s = (self._timestamps.unwrap(timestamp) - self._first_timestamp) / self._clock_rate_hz
        skew_s = arrival_s - media_s - self._skew_origin_s
        # One packet is believed: nothing is lost by beginning to measure a clock anew.
        if abs(skew_s - self._skew_s) > CLOCK_JUMP_S:
            self._restart_clock(timestamp, arrival_s)
            return
        self._skew_s = skew_s
        if abs(skew_s) > abs(self._skew_max_s):
            self._skew_max_s = skew_s
        self._drift.observe(media_s, arrival_s)

    def _restart_clock(self, timestamp: int, arrival_s: float) -> None:
        self._timestamps = timestamp_unwrapper(timestamp)
        self._first_timestamp = self._timestamps.highest
        self._skew_origin_s = arrival_s
        self._skew_s = 0.0
        self._drift.restart()
        self._drift.observe(0.0, arrival_s)

    def _settle(self, loss: LossPattern, repair: LossPattern, before: int) -> None:
        """Count what is missing below a number, for good."""
        missing = self._missing.take_before(before)
        for run in missing:
            loss.lost_all(run.first, run.last)
        unplayed = [number for number in self._unplayed if number < before]
        singles: list[tuple[int, MissingRun | None]] = [(number, None) for number in sorted(unplayed)]
        runs: list[tuple[int, MissingRun | None]] = [(run.first, run) for run in missing]
        for number, found in heapq.merge(runs, singles, key=itemgetter(0)):
            if found is not None:
                self._count_unrepaired(repair, found)
            elif self._unplayed[number] not in self._recovered:
                repair.lost(number)
                self._unrepaired_discards += 1
        for number in unplayed:
            del self._unplayed[number]

    def _count_unrepaired(self, repair: LossPattern, run: MissingRun) -> None:
        """Count what of a run was not rebuilt. Frames are rebuilt from one of the next packets, so only the last ones can have been."""
        start = run.first
        recovered = self._recovered
        if recovered:
            for number in run.with_timestamps_in(recovered, REPAIRABLE_PACKETS):
                if start < number:
                    repair.lost_all(start, number - 1)
                start = number + 1
        if start <= run.last:
            repair.lost_all(start, run.last)

    # ---- what it says

    @property
    def outcomes_known(self) -> bool:
        """Whether the playout has told anything."""
        return any(self._outcomes.values())

    @property
    def discarded(self) -> int:
        """Packets that came, and too late or too early to be played."""
        return self._outcomes[PlayoutOutcome.LATE] + self._outcomes[PlayoutOutcome.DISCARDED]

    @property
    def unrepaired_discards(self) -> int:
        """Of those, the ones whose frame was not rebuilt either, up to now."""
        return self._unrepaired_discards + sum(
            timestamp not in self._recovered for timestamp in self._unplayed.values()
        )

    @property
    def voice_level_dbov(self) -> float | None:
        """Mean level of the packets with voice in them; None where none is marked."""
        return self._voice_sum / self._voice_count if self._voice_count else None

    @property
    def recovered(self) -> int:
        """Frames that were rebuilt so far."""
        return self._outcomes[PlayoutOutcome.RECOVERED]

    @property
    def skew_s(self) -> float:
        """How much longer the last packet was under way than the first one, as far as its RTP time tells."""
        return self._skew_s

    @property
    def buffer_delay_ms(self) -> float | None:
        """Mean time from arrival to playing so far."""
        return 1000 * self._delay_sum_s / self._delay_count if self._delay_count else None

    def delay_sums(self) -> tuple[float, int]:
        """Sum of all times from arrival to playing, in seconds, and their number: for means over any stretch."""
        return self._delay_sum_s, self._delay_count

    @property
    def concealed_share(self) -> float | None:
        """Made-up sound of all sound that was played; None when nobody counted."""
        return self._concealed_samples / self._played_samples if self._played_samples else None

    def patterns(self) -> tuple[LossFigures, LossFigures]:
        """Losses before and after repair, up to now."""
        missing, unplayed = self._missing.copy(), dict(self._unplayed)
        discards = self._unrepaired_discards
        loss, repair = self._loss.copy(), self._repair.copy()
        if self._run_open:
            self._settle(loss, repair, self._run_end + 1)
            self._missing, self._unplayed = missing, unplayed
            self._unrepaired_discards = discards
            loss.end(self._run_end)
            repair.end(self._run_end)
        interval_ms = None if self._frame_ticks is None else 1000 * self._frame_ticks / self._clock_rate_hz
        return loss.figures(interval_ms), repair.figures(interval_ms)

    def figures(self, round_trip: RoundTripFigures | None = None) -> InboundFigures:
        """Everything, up to now. Changes nothing; takes up to a millisecond."""
        statistics = self.statistics
        loss, missing = self.patterns()
        begun_s, last_s = self._begun_s, statistics.last_arrival_s
        seen_s = 0.0 if begun_s is None or last_s is None else last_s - begun_s - self._unseen_s
        duration_s = round(max(seen_s, 0.0), 6)
        repair = self._repair_figures(missing) if self.outcomes_known else None
        drift = self._drift.estimate_ppm()
        levels, level_sum = (
            (self._voice_count, self._voice_sum)
            if self._voice_count
            else (self._level_count, self._level_sum)
        )
        return InboundFigures(
            ssrc=self.ssrc,
            duration_s=duration_s,
            packets_received=statistics.packets_received,
            packets_expected=statistics.packets_expected,
            packets_lost=statistics.packets_lost,
            packets_duplicated=statistics.packets_duplicated,
            packets_reordered=statistics.packets_reordered,
            packets_retransmitted=self._retransmitted,
            restarts=statistics.restarts,
            payload_bytes=statistics.bytes_received,
            bitrate_bps=round(8 * statistics.bytes_received / duration_s) if duration_s else None,
            jitter_ms=_ms(statistics.jitter_s),
            mean_jitter_ms=_ms(statistics.mean_jitter_s),
            max_jitter_ms=_ms(statistics.max_jitter_s),
            mean_delta_ms=_ms(statistics.mean_delta_s),
            max_delta_ms=_ms(statistics.max_delta_s),
            skew_ms=_ms(self._skew_s),
            max_skew_ms=_ms(self._skew_max_s),
            clock_drift=None
            if drift is None
            else DriftFigures(
                ppm=round(drift[0], 1), low_ppm=round(drift[1], 1), high_ppm=round(drift[2], 1)
            ),
            loss=loss,
            repair=repair,
            concealed_share=self.concealed_share,
            buffer_delay_ms=self.buffer_delay_ms,
            max_buffer_delay_ms=_ms(self._delay_max_s) if self._delay_count else None,
            round_trip=round_trip,
            sending_delay_ms=None
            if (delay_ms := self._sending_delay.mean_ms) is None
            else round(delay_ms, 3),
            mean_level_dbov=round(level_sum / levels, 1) if levels else None,
            quality=self._quality(missing, round_trip),
        )

    def _repair_figures(self, missing: LossFigures) -> RepairFigures:
        outcomes = self._outcomes
        return RepairFigures(
            played=outcomes[PlayoutOutcome.PLAYED],
            recovered=outcomes[PlayoutOutcome.RECOVERED],
            late=outcomes[PlayoutOutcome.LATE],
            discarded=outcomes[PlayoutOutcome.DISCARDED],
            missing=missing,
        )

    def _quality(self, missing: LossFigures, round_trip: RoundTripFigures | None) -> QualityEstimate | None:
        buffer_ms = self.buffer_delay_ms
        if round_trip is None or buffer_ms is None or missing.share is None or not self.outcomes_known:
            return None
        sending_ms = self._sending_delay.mean_ms
        if sending_ms is None:
            sending_ms = FRAME_MS
        return estimate(
            lost_share=missing.share,
            burst_ratio=missing.burst_ratio or 1.0,
            one_way_delay_ms=sending_ms + round_trip.mean_ms / 2 + buffer_ms + LOOK_AHEAD_MS,
        )


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 6)
