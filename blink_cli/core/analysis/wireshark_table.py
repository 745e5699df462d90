"""The row of one stream in the table of Wireshark and tshark (`-z rtp,streams`), worked out as they do.

    Wireshark40Table    compares timestamps with the stream's first one, and counts rounds of the number by guess
    Wireshark44Table    compares them with those of the packet before, and leaves out of means what is older

Their counts are not those of RFC 3550: each copy hides a loss. So these figures stand beside our own, for whoever holds one against the other.

Source: what tshark 4.0 and 4.4 print, and the description of its columns in the Wireshark User's Guide, section 9.8. Written anew from that behaviour.
"""

from abc import ABC, abstractmethod
from typing import Final

import msgspec
from typing_extensions import override

from blink_cli.core.media.unwrapper import FIRST_SEQUENCE_TURN

_HALF: Final = 1 << 31
_FIRST_TIMESTAMP_TURN: Final = 1 << 32
_COMFORT_NOISE: Final = frozenset({13, 19})
"""Payload types after and with which the time between packets means nothing (RFC 3389)."""

_FIRST_DYNAMIC: Final = 96
CLOCK_RATES_HZ: Final = {
    **dict.fromkeys((0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18, 19), 8_000),
    **dict.fromkeys((10, 11), 44_100),
    6: 16_000,
    16: 11_025,
    17: 22_050,
    **dict.fromkeys((14, 25, 26, 28, 31, 32, 33, 34), 90_000),
}
"""Of the static payload types (RFC 3551, section 6) that Wireshark computes a jitter for."""


class WiresharkFigures(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `tshark -z rtp,streams`. Numbers have the digits that it prints."""

    packets: int
    """Copies included."""

    lost: int
    """Expected by the first and the last number, less all that came. Negative when there were more copies than losses."""

    lost_percent: float
    min_delta_ms: float | None
    mean_delta_ms: float | None
    max_delta_ms: float | None
    """Between packets in order of arrival, those with the marker bit left out."""

    min_jitter_ms: float | None
    """None where Wireshark knows no clock rate; it prints -1 there, and 0 for mean and maximum."""

    mean_jitter_ms: float | None
    max_jitter_ms: float | None
    max_skew_ms: float
    sequence_errors: int
    """Packets that did not have the next number: of its stream analysis, not of this table."""

    problems: bool
    """The X in its last column."""


class WiresharkTable(ABC):
    """One stream. Packets in the order of the file."""

    def __init__(self, clock_rates_hz: dict[int, int]) -> None:
        """Begin; `clock_rates_hz` of dynamic payload types, as Wireshark was told them. Types that are not in it have none."""
        self._clock_rates_hz = clock_rates_hz
        self._packets = 0
        self._sequence = 0
        """The number after which the next one is expected."""

        self._last_at_ms = 0.0
        self._last_payload_type = 0
        self._jitter_ms = 0.0
        self._min_delta_ms: float | None = None
        self._mean_delta_ms = self._max_delta_ms = 0.0
        self._min_jitter_ms: float | None = None
        self._mean_jitter_ms = self._max_jitter_ms = self._max_skew_ms = 0.0
        self._sequence_errors = 0
        self._problems = False

    def packet(
        self, sequence_number: int, timestamp: int, payload_type: int, at_ms: float, *, marker: bool
    ) -> None:
        """Take one packet.

        Args:
            sequence_number: As on the wire.
            timestamp: As on the wire.
            payload_type: 0 to 127.
            at_ms: Since the first frame of the file, whatever that held.
            marker: As on the wire.

        """
        if not self._packets:
            self._sequence = sequence_number
            self._last_at_ms = at_ms
            self._begin(sequence_number, timestamp, at_ms)
        else:
            rate_hz = (CLOCK_RATES_HZ if payload_type < _FIRST_DYNAMIC else self._clock_rates_hz).get(
                payload_type, 0
            )
            delta_ms = at_ms - self._last_at_ms
            in_time = self._measure(sequence_number, timestamp, at_ms, rate_hz)
            self._follow(sequence_number, in_time=in_time)
            if in_time and not (marker or {payload_type, self._last_payload_type} & _COMFORT_NOISE):
                self._count(delta_ms, has_clock=rate_hz != 0)
            if in_time:
                self._last_at_ms = at_ms
        self._last_payload_type = payload_type
        self._packets += 1

    def figures(self) -> WiresharkFigures:
        """Return the row as it is now."""
        expected = self._expected() if self._packets else 0
        lost = expected - self._packets
        has_deltas, has_jitter = self._min_delta_ms is not None, self._min_jitter_ms is not None
        return WiresharkFigures(
            packets=self._packets,
            lost=lost,
            lost_percent=float(f"{100 * lost / expected:.1f}") if expected else 0.0,
            min_delta_ms=_rounded(self._min_delta_ms),
            mean_delta_ms=_rounded(self._mean_delta_ms) if has_deltas else None,
            max_delta_ms=_rounded(self._max_delta_ms) if has_deltas else None,
            min_jitter_ms=_rounded(self._min_jitter_ms),
            mean_jitter_ms=_rounded(self._mean_jitter_ms) if has_jitter else None,
            max_jitter_ms=_rounded(self._max_jitter_ms) if has_jitter else None,
            max_skew_ms=float(f"{self._max_skew_ms:.3f}"),
            sequence_errors=self._sequence_errors,
            problems=self._problems,
        )

    @abstractmethod
    def _begin(self, sequence_number: int, timestamp: int, at_ms: float) -> None:
        """Take the first packet."""

    @abstractmethod
    def _measure(self, sequence_number: int, timestamp: int, at_ms: float, rate_hz: int) -> bool:
        """Take a further one, and return whether it is in the order of time. `rate_hz` 0: its clock is not known."""

    @abstractmethod
    def _expected(self) -> int:
        """How many packets there should be."""

    def _shake(self, transit_change_ms: float) -> None:
        self._jitter_ms = (15 * self._jitter_ms + abs(transit_change_ms)) / 16

    def _skew(self, skew_ms: float) -> None:
        if abs(skew_ms) > abs(self._max_skew_ms):
            self._max_skew_ms = skew_ms

    def _follow(self, sequence_number: int, *, in_time: bool) -> None:
        """Count packets that have not the next number."""
        self._problems |= not in_time
        before = self._sequence
        if in_time and (before + 1 == sequence_number or (before == 65_535 and sequence_number == 0)):
            self._sequence = sequence_number
        elif in_time and (before + 1 < sequence_number or before - sequence_number > 0xFF00):
            self._sequence = sequence_number
            self._sequence_errors += 1
            self._problems = True
        elif before + 1 > sequence_number:
            self._sequence_errors += 1
            self._problems = True

    def _count(self, delta_ms: float, *, has_clock: bool) -> None:
        intervals = self._packets  # the packet is not counted yet
        self._max_delta_ms = max(self._max_delta_ms, delta_ms)
        self._min_delta_ms = delta_ms if self._min_delta_ms is None else min(self._min_delta_ms, delta_ms)
        self._mean_delta_ms = (self._mean_delta_ms * (intervals - 1) + delta_ms) / intervals
        if has_clock:
            self._max_jitter_ms = max(self._max_jitter_ms, self._jitter_ms)
            self._min_jitter_ms = (
                self._jitter_ms if self._min_jitter_ms is None else min(self._min_jitter_ms, self._jitter_ms)
            )
            self._mean_jitter_ms = (self._mean_jitter_ms * (intervals - 1) + self._jitter_ms) / intervals


class Wireshark40Table(WiresharkTable):
    """As Wireshark 4.0 has it."""

    def __init__(self, clock_rates_hz: dict[int, int]) -> None:
        """Begin."""
        super().__init__(clock_rates_hz)
        self._first_sequence = self._last_sequence = 0
        self._first_timestamp = 0
        self._start_ms = self._last_media_ms = 0.0
        self._rounds = 0
        self._in_second_round = False

    @override
    def _begin(self, sequence_number: int, timestamp: int, at_ms: float) -> None:
        self._first_sequence = self._last_sequence = sequence_number
        self._first_timestamp = timestamp
        self._start_ms = at_ms

    @override
    def _measure(self, sequence_number: int, timestamp: int, at_ms: float, rate_hz: int) -> bool:
        since_first = (timestamp - self._first_timestamp) & 0xFFFFFFFF
        in_time = since_first < _HALF
        if in_time:
            self._count_rounds(sequence_number)
        if in_time and rate_hz:
            media_ms = since_first / (rate_hz // 1000)
            self._shake(at_ms - (self._last_at_ms + (media_ms - self._last_media_ms)))
            self._last_media_ms = media_ms
            self._skew(media_ms - (at_ms - self._start_ms))
        self._last_sequence = sequence_number
        return in_time

    @override
    def _expected(self) -> int:
        return self._last_sequence + (self._rounds << 16) - self._first_sequence + 1

    def _count_rounds(self, sequence_number: int) -> None:
        if not self._in_second_round and (
            sequence_number < self._first_sequence or (sequence_number == 0 and self._last_sequence == 65_535)
        ):
            self._rounds += 1
            self._in_second_round = True
        elif sequence_number > self._first_sequence and self._in_second_round:
            self._in_second_round = False


class Wireshark44Table(WiresharkTable):
    """As Wireshark 4.4 has it."""

    def __init__(self, clock_rates_hz: dict[int, int]) -> None:
        """Begin."""
        super().__init__(clock_rates_hz)
        self._sequences = _Latest(FIRST_SEQUENCE_TURN, 16)
        self._timestamps = _Latest(_FIRST_TIMESTAMP_TURN, 32)
        self._lowest = self._highest = 0
        self._last_timestamp = 0
        """Of the last packet that was in the order of time."""

        self._media_ms = self._arrival_ms = 0.0

    @override
    def _begin(self, sequence_number: int, timestamp: int, at_ms: float) -> None:
        self._lowest = self._highest = self._sequences.extended(sequence_number)
        self._last_timestamp = self._timestamps.extended(timestamp)

    @override
    def _measure(self, sequence_number: int, timestamp: int, at_ms: float, rate_hz: int) -> bool:
        number, stamp = self._sequences.extended(sequence_number), self._timestamps.extended(timestamp)
        self._lowest, self._highest = min(self._lowest, number), max(self._highest, number)
        in_time = stamp >= self._last_timestamp
        if rate_hz:
            media_ms = (stamp - self._last_timestamp) / (rate_hz // 1000)
            self._shake(at_ms - (self._last_at_ms + media_ms))
            self._media_ms += media_ms
            self._arrival_ms += at_ms - self._last_at_ms
            self._skew(self._media_ms - self._arrival_ms)
        if in_time:
            self._last_timestamp = stamp
        return in_time

    @override
    def _expected(self) -> int:
        return self._highest - self._lowest + 1


class _Latest:
    """Extends a counter by the value before, as Wireshark does, and not by the highest."""

    def __init__(self, first_turn: int, bits: int) -> None:
        self._bits = bits
        self._last = first_turn

    def extended(self, value: int) -> int:
        modulus = 1 << self._bits
        number = (self._last & ~(modulus - 1)) | value
        if number + modulus // 2 < self._last:
            number += modulus
        elif self._last + modulus // 2 < number:
            number -= modulus
        self._last = number
        return number


def _rounded(value: float | None) -> float | None:
    """The digits that tshark prints."""
    return None if value is None else float(f"{value:.3f}")
