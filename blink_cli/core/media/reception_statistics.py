"""What one RTP stream's receiver counts: loss, duplicates, reordering, jitter (RFC 3550, appendix A).

    arrival, sequence number, timestamp --> ReceptionStatistics --> counters for people and rtp-stats
                                                  |
                                                  '--> report(): one RTCP report block's figures

The live monitor and the offline analyser use this same class. Time and packets come in; nothing is read from a clock.

Differences from RFC 3550, on purpose:

- No probation, and no MAX_DROPOUT (A.1): every packet here passed SRTP's authentication, so there are no stray
  packets. The first one counts, and a forward jump of any size is loss: a minute without a network is 3000 packets.
  A backward jump past the history is a sender that began anew.
- Duplicates are counted apart. In the RFC they are counted as received and so hide a loss.
- Jitter is kept as a float and in seconds (A.8 uses integers in ticks).

Jitter and delta are of all arrivals in their order, copies included, as in A.8 and in Wireshark. A copy that SRTP refused is not authentic: its time
counts only if it repeats what came, and is at most `COPY_AGE_S` old, so that who replays packets can shake the figures a little and no more.

How this compares with Wireshark's and tshark's stream table is told in docs/rtp_seam.md.
"""

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.extended_report import StatisticsSummary
from blink_cli.core.media.interarrival_jitter import InterarrivalJitter
from blink_cli.core.media.unwrapper import (
    FIRST_SEQUENCE_TURN,
    Unwrapper,
    sequence_unwrapper,
    timestamp_difference,
)

HISTORY_PACKETS: Final = 1024
"""How far back a packet is told from its duplicate. Equal to the window of SRTP's replay check, behind which
nothing gets through to us; 20 s of voice."""

COPY_AGE_S: Final = 1.0
"""Networks repeat a packet within milliseconds. An older copy is somebody's replay: counted, but not measured."""

LONGEST_PACKET_S: Final = 0.12
"""Of sound: what a packet of Opus holds at most (RFC 6716, section 2.1.4). RTP time that goes on by more is a pause."""

_HISTORY_MASK: Final = (1 << HISTORY_PACKETS) - 1


@dataclass(slots=True)
class _Stretch:
    """Since the last summary (RFC 3611, section 4.6)."""

    begin: int
    """Extended sequence number of its first packet."""

    lost_before: int
    duplicated_before: int
    differences: int = 0
    sum_s: float = 0.0
    sum_of_squares: float = 0.0
    least_s: float = 0.0
    most_s: float = 0.0


class ReportBlock(msgspec.Struct, frozen=True):
    """The figures of one RTCP report block about this stream (RFC 3550, section 6.4.1)."""

    fraction_lost: float
    """Lost since the previous report, 0 to 1."""

    packets_lost: int
    """Cumulative."""

    highest_sequence: int
    """Extended highest sequence number, 0 to 2^32 - 1."""

    jitter_ticks: int
    """Interarrival jitter in RTP ticks."""


class ReceptionStatistics:
    """Counts one stream (one SSRC) at its receiver. Not thread-safe: it belongs to the event loop."""

    __slots__ = (
        "_clock_rate_hz",
        "_delta_count",
        "_delta_sum_s",
        "_expected_before",
        "_expected_prior",
        "_first",
        "_interrupted",
        "_jitter",
        "_jitter_count",
        "_jitter_sum_s",
        "_last_arrival_s",
        "_last_marker",
        "_last_timestamp",
        "_numbers",
        "_received_prior",
        "_seen",
        "_stretch",
        "_timestamps",
        "bytes_received",
        "jitter_s",
        "last_arrival_s",
        "max_delta_s",
        "max_jitter_s",
        "packets_duplicated",
        "packets_received",
        "packets_reordered",
        "restarts",
    )

    def __init__(self, clock_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        """Begin to count a stream whose timestamps run at this rate."""
        self.packets_received = 0
        """Packets that arrived, each counted once."""

        self.packets_duplicated = 0
        """Further copies of packets that had already arrived."""

        self.packets_reordered = 0
        """Packets that arrived after one with a higher sequence number (RFC 4737, section 3)."""

        self.bytes_received = 0
        """Payload octets, without headers, of the packets counted in `packets_received`."""

        self._jitter = InterarrivalJitter()
        self.jitter_s = 0.0
        """Interarrival jitter in seconds, now (RFC 3550, section 6.4.1)."""

        self.max_jitter_s = 0.0
        """Its highest value."""

        self.max_delta_s = 0.0
        """The longest time between an arrival and the one before it, in seconds; the end of a pause, which the marker bit shows,
        and packets older than the one before them are left out. Where every packet has the bit (FFmpeg), it shows none."""

        self.last_arrival_s: float | None = None
        """Monotonic time of the newest arrival."""

        self.restarts = 0
        """How often the sender began anew at another place in its sequence."""

        self._first = 0  # extended sequence number at which the present run began
        self._numbers: Unwrapper | None = None
        self._expected_before = 0  # expected in the runs before the last restart
        self._seen = 0  # bit n: the highest number less n has arrived
        self._last_arrival_s = 0.0
        self._last_timestamp = 0
        self._last_marker = False
        self._timestamps = [0] * HISTORY_PACKETS  # of the packets in `_seen`, by their number
        self._jitter_sum_s = 0.0
        self._jitter_count = 0
        self._delta_sum_s = 0.0
        self._delta_count = 0
        self._interrupted = False
        self._clock_rate_hz = clock_rate_hz
        self._expected_prior = 0
        self._received_prior = 0
        self._stretch = _Stretch(0, 0, 0)

    @property
    def packets_expected(self) -> int:
        """How many packets were sent, as far as sequence numbers tell."""
        if self._numbers is None:
            return 0
        return self._expected_before + self._numbers.highest - self._first + 1

    @property
    def packets_lost(self) -> int:
        """Expected less received. Never hidden by duplicates; falls again when a late packet arrives."""
        return self.packets_expected - self.packets_received

    @property
    def highest_sequence(self) -> int | None:
        """Extended highest sequence number, 0 to 2^32 - 1; None before the first packet."""
        return None if self._numbers is None else (self._numbers.highest - FIRST_SEQUENCE_TURN) & 0xFFFFFFFF

    def has_received(self, sequence_number: int) -> bool:
        """Whether a packet with this number (0 to 65535) has come over its own stream, or is older than is remembered."""
        numbers = self._numbers
        if numbers is None:
            return False
        behind = numbers.highest - numbers.near(sequence_number)
        return behind >= HISTORY_PACKETS or (behind >= 0 and bool(self._seen >> behind & 1))

    def extended_sequence(self, sequence_number: int) -> int:
        """The extended sequence number of a packet that was just counted; may be negative for one sent before the first to arrive."""
        assert self._numbers is not None, "a packet was counted"
        return self._numbers.near(sequence_number) - FIRST_SEQUENCE_TURN

    @property
    def mean_jitter_s(self) -> float:
        """The mean of its values after each packet, as Wireshark shows it."""
        return self._jitter_sum_s / self._jitter_count if self._jitter_count else 0.0

    @property
    def mean_delta_s(self) -> float:
        """The mean of what `max_delta_s` is the longest of."""
        return self._delta_sum_s / self._delta_count if self._delta_count else 0.0

    def received(
        self,
        sequence_number: int,
        timestamp: int,
        arrival_s: float,
        payload_bytes: int = 0,
        *,
        marker: bool = False,
    ) -> bool:
        """Count one packet.

        Args:
            sequence_number: 0 to 65535, as on the wire.
            timestamp: RTP timestamp, 0 to 2^32 - 1.
            arrival_s: Monotonic arrival.
            payload_bytes: Payload octets.
            marker: The first packet after a pause.

        Returns:
            Whether it is new; False for a duplicate.

        """
        numbers = self._numbers
        if numbers is None:
            self._begin(sequence_number)
        elif self._interrupted:
            self._expected_before = self.packets_expected
            self._begin(sequence_number)
        else:
            number = numbers.near(sequence_number)
            step = number - numbers.highest
            if step <= -HISTORY_PACKETS:
                self._expected_before = self.packets_expected
                self.restarts += 1
                self._begin(sequence_number)
            elif step > 0:
                numbers.highest = number
                self._seen = (self._seen << step | 1) & _HISTORY_MASK if step < HISTORY_PACKETS else 1
                self._measure(timestamp, arrival_s, packets=step, marker=marker)
            else:
                bit = 1 << -step
                if self._seen & bit:
                    self.duplicated(sequence_number, timestamp, arrival_s, marker=marker)
                    return False
                self._seen |= bit
                self.packets_reordered += 1
                # It may have been sent before the first one that arrived.
                self._first = min(self._first, number)
                self._measure(timestamp, arrival_s, marker=marker)
        self.packets_received += 1
        self.bytes_received += payload_bytes
        self._timestamps[sequence_number % HISTORY_PACKETS] = timestamp
        self._last_timestamp = timestamp
        self._last_marker = marker
        self._last_arrival_s = arrival_s
        self.last_arrival_s = arrival_s
        return True

    def duplicated(
        self, sequence_number: int, timestamp: int, arrival_s: float, *, marker: bool = False
    ) -> None:
        """Count a copy of a packet that had come, also one that SRTP's replay check refused. Arguments as for `received`."""
        self.packets_duplicated += 1
        if self._numbers is None or self._interrupted:
            return
        behind = self._numbers.highest - self._numbers.near(sequence_number)
        if (
            0 <= behind < HISTORY_PACKETS
            and self._seen >> behind & 1
            and self._timestamps[sequence_number % HISTORY_PACKETS] == timestamp
            and abs(timestamp_difference(timestamp, self._last_timestamp)) <= COPY_AGE_S * self._clock_rate_hz
        ):
            self._measure(timestamp, arrival_s, marker=marker)
            self._last_timestamp = timestamp
            self._last_marker = marker
            self._last_arrival_s = arrival_s

    def interrupted(self) -> None:
        """Nobody watched for a while: what comes next is counted from there, and what was not seen is not called lost."""
        self._interrupted = True

    def _begin(self, sequence_number: int) -> None:
        self._interrupted = False
        self._numbers = sequence_unwrapper(sequence_number)
        self._first = self._numbers.highest
        self._seen = 1
        self._stretch = _Stretch(self._first, self.packets_lost - 1, self.packets_duplicated)

    def _measure(self, timestamp: int, arrival_s: float, *, packets: int = 1, marker: bool) -> None:
        # Successive packets in order of arrival, not of sequence (RFC 3550, section 6.4.1).
        ticks = timestamp_difference(timestamp, self._last_timestamp)
        delta_s = arrival_s - self._last_arrival_s
        longest_s, most_s = self.max_delta_s, self.max_jitter_s
        ends_pause = marker and not (
            self._last_marker and ticks <= packets * LONGEST_PACKET_S * self._clock_rate_hz
        )
        if ticks >= 0 and not ends_pause:
            self._delta_sum_s += delta_s
            self._delta_count += 1
            if delta_s > longest_s:
                self.max_delta_s = delta_s
        difference_s = delta_s - ticks / self._clock_rate_hz
        jitter_s = self.jitter_s = self._jitter.observe(difference_s)
        size_s = difference_s if difference_s >= 0 else -difference_s
        stretch = self._stretch
        if not stretch.differences or size_s < stretch.least_s:
            stretch.least_s = size_s
        largest_s = stretch.most_s
        if size_s > largest_s:
            stretch.most_s = size_s
        stretch.differences += 1
        stretch.sum_s += size_s
        stretch.sum_of_squares += size_s * size_s
        self._jitter_sum_s += jitter_s
        self._jitter_count += 1
        if jitter_s > most_s:
            self.max_jitter_s = jitter_s

    def report(self) -> ReportBlock:
        """The figures since the previous call, for one RTCP report block. Changes the interval's start.

        Source: RFC 3550, appendix A.3.
        """
        expected = self.packets_expected
        expected_now = expected - self._expected_prior
        lost_now = expected_now - (self.packets_received - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self.packets_received
        fraction = lost_now / expected_now if expected_now > 0 and lost_now > 0 else 0.0
        return ReportBlock(
            fraction_lost=fraction,
            packets_lost=self.packets_lost,
            highest_sequence=self.highest_sequence or 0,
            jitter_ticks=min(round(self.jitter_s * self._clock_rate_hz), 0xFFFFFFFF),
        )

    def summary(self, ssrc: int) -> StatisticsSummary | None:
        """Of what came since the previous call, for one XR block; None of nothing. Changes the stretch's start.

        Source: RFC 3611, section 4.6.
        """
        numbers, stretch = self._numbers, self._stretch
        if numbers is None or self._interrupted or numbers.highest < stretch.begin:
            return None
        count, rate_hz = stretch.differences, self._clock_rate_hz
        jitter: tuple[int | None, ...] = (None,) * 4
        if count:
            mean_s = stretch.sum_s / count
            deviation_s = math.sqrt(max(stretch.sum_of_squares / count - mean_s * mean_s, 0.0))
            jitter = tuple(
                round(rate_hz * figure_s)
                for figure_s in (stretch.least_s, stretch.most_s, mean_s, deviation_s)
            )
        self._stretch = _Stretch(numbers.highest + 1, self.packets_lost, self.packets_duplicated)
        return StatisticsSummary(
            ssrc,
            stretch.begin & 0xFFFF,
            numbers.highest + 1 & 0xFFFF,
            # What came after all of the stretch before makes this one's less.
            max(self.packets_lost - stretch.lost_before, 0),
            self.packets_duplicated - stretch.duplicated_before,
            *jitter,
        )
