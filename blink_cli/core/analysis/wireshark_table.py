"""The row of one stream in the table of Wireshark and tshark (`-z rtp,streams`), worked out as they do.

Their counts are not those of RFC 3550: each copy hides a loss, losses end at the packet that came last, timestamps are compared with the stream's first one. So these
figures stand beside our own, for whoever holds one against the other. They are those of Wireshark 4.0; others differ where packets overtake each
other (docs/analysis.md).

Source: what tshark 4.0 prints, and the description of its columns in the Wireshark User's Guide, section 9.8. Written anew from that behaviour.
"""

from typing import Final

import msgspec

_HALF: Final = 1 << 31
_COMFORT_NOISE: Final = frozenset({13, 19})
"""Payload types after and with which the time between packets means nothing (RFC 3389)."""

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


class WiresharkTable:
    """One stream. Packets in the order of the file."""

    __slots__ = (
        "_clock_rates_hz",
        "_cycles",
        "_first_sequence",
        "_first_timestamp",
        "_in_second_round",
        "_jitter_ms",
        "_last_at_ms",
        "_last_media_ms",
        "_last_payload_type",
        "_last_sequence",
        "_max_delta_ms",
        "_max_jitter_ms",
        "_max_skew_ms",
        "_mean_delta_ms",
        "_mean_jitter_ms",
        "_min_delta_ms",
        "_min_jitter_ms",
        "_next_before",
        "_packets",
        "_problems",
        "_sequence_errors",
        "_start_ms",
    )

    def __init__(self, clock_rates_hz: dict[int, int]) -> None:
        """Begin; `clock_rates_hz` of dynamic payload types, as Wireshark was told them. Types that are not in it have none."""
        self._clock_rates_hz = clock_rates_hz
        self._packets = 0
        self._first_sequence = self._last_sequence = self._next_before = 0
        self._first_timestamp = 0
        self._start_ms = self._last_at_ms = self._last_media_ms = 0.0
        self._last_payload_type = 0
        self._cycles = 0
        self._in_second_round = False
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
            self._packets = 1
            self._first_sequence = self._last_sequence = self._next_before = sequence_number
            self._first_timestamp = timestamp
            self._start_ms = self._last_at_ms = at_ms
            self._last_payload_type = payload_type
            return
        since_first = (timestamp - self._first_timestamp) & 0xFFFFFFFF
        in_time = since_first < _HALF
        self._follow(sequence_number, in_time=in_time)
        follows_noise = self._last_payload_type in _COMFORT_NOISE
        self._last_payload_type = payload_type
        rate_hz = (
            CLOCK_RATES_HZ.get(payload_type, 0)
            if payload_type < 96
            else self._clock_rates_hz.get(payload_type, 0)
        )
        if in_time:
            delta_ms = at_ms - self._last_at_ms
            if rate_hz:
                media_ms = since_first / (rate_hz // 1000)
                expected_ms = self._last_at_ms + (media_ms - self._last_media_ms)
                self._jitter_ms = (15 * self._jitter_ms + abs(at_ms - expected_ms)) / 16
                self._last_media_ms = media_ms
                skew_ms = media_ms - (at_ms - self._start_ms)
                if abs(skew_ms) > abs(self._max_skew_ms):
                    self._max_skew_ms = skew_ms
            if not (marker or follows_noise or payload_type in _COMFORT_NOISE):
                self._count(delta_ms, has_clock=rate_hz != 0)
            self._last_at_ms = at_ms
        else:
            self._problems = True
        self._last_sequence = sequence_number
        self._packets += 1

    def figures(self) -> WiresharkFigures:
        """Return the row as it is now."""
        expected = (
            self._last_sequence + (self._cycles << 16) - self._first_sequence + 1 if self._packets else 0
        )
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

    def _follow(self, sequence_number: int, *, in_time: bool) -> None:
        """Count rounds of the number, and packets that have not the next one."""
        if in_time:
            if not self._in_second_round and (
                sequence_number < self._first_sequence
                or (sequence_number == 0 and self._last_sequence == 65_535)
            ):
                self._cycles += 1
                self._in_second_round = True
            elif sequence_number > self._first_sequence and self._in_second_round:
                self._in_second_round = False
        before = self._next_before
        if in_time and (before + 1 == sequence_number or (before == 65_535 and sequence_number == 0)):
            self._next_before = sequence_number
        elif in_time and (before + 1 < sequence_number or before - sequence_number > 0xFF00):
            self._next_before = sequence_number
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


def _rounded(value: float | None) -> float | None:
    """The digits that tshark prints."""
    return None if value is None else float(f"{value:.3f}")
