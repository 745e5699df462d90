"""What came of one stream since it was asked last: what is missing, what was held up, where media time jumps. Pure; a few steps a packet."""

from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ, SILENCE_DBOV
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.unwrapper import Unwrapper, sequence_unwrapper, timestamp_unwrapper

BASE_LASTS_S: Final = 5.0
"""The earliest transit of this and the former such time is what lateness is measured from: a route that changes is forgotten."""

DTX_BYTES: Final = 2
"""A payload of so many bytes says that nothing follows for a while (RFC 6716, section 2.1.9)."""

_SHORTEST_FRAME_SAMPLES: Final = 120
_LONGEST_FRAME_SAMPLES: Final = 2_880
_JUMP_PACKETS: Final = 1_000
_JUMP_S: Final = 10.0


class Arrivals(msgspec.Struct, frozen=True):
    """Since the last time."""

    packets_lost: int
    """Numbers that turned out to be missing; less than nothing when they came after all."""

    packets_expected: int
    held_ms: float
    """How much later than the earliest of the last seconds the latest one came."""

    jumped_ms: float
    """Media time between two packets in a row that neither has, and that is no pause."""

    frame_ms: float


class ArrivalMeter:
    """Of one stream."""

    def __init__(self) -> None:
        self._sequences: Unwrapper | None = None
        self._timestamps = timestamp_unwrapper(0)
        self._first = 0
        self._received = 0
        self._told_expected = self._told_lost = 0
        self._frame = 960
        self._last: tuple[int, int, bool] | None = None
        self._base_s = self._former_base_s = float("inf")
        self._base_since_s = 0.0
        self._held_s = 0.0
        self._jumped = 0

    def packet(self, packet: RtpPacket) -> None:
        """Take one that is no copy, in the order of arrival."""
        if self._sequences is None:
            self._begin(packet)
        assert self._sequences is not None, "begun"
        number = self._sequences.near(packet.sequence_number)
        stamp = self._timestamps.near(packet.timestamp)
        transit_s = packet.arrival_s - stamp / SAMPLE_RATE_HZ
        base_s = min(self._base_s, self._former_base_s)
        if abs(number - self._sequences.highest) > _JUMP_PACKETS or (
            self._received and abs(transit_s - base_s) > _JUMP_S
        ):
            self._begin(packet)
            return self.packet(packet)
        self._received += 1
        self._sequences.highest = max(self._sequences.highest, number)
        self._timestamps.highest = max(self._timestamps.highest, stamp)
        if packet.arrival_s - self._base_since_s > BASE_LASTS_S:
            self._former_base_s, self._base_s = self._base_s, transit_s
            self._base_since_s = packet.arrival_s
        self._base_s = min(self._base_s, transit_s)
        self._held_s = max(self._held_s, transit_s - min(self._base_s, self._former_base_s))
        self._follow(number, stamp, packet)
        return None

    def read(self) -> Arrivals:
        """Return what came since the last time."""
        expected = lost = 0
        if self._sequences is not None:
            expected = self._sequences.highest - self._first + 1
            lost = expected - self._received
        arrivals = Arrivals(
            packets_lost=lost - self._told_lost,
            packets_expected=expected - self._told_expected,
            held_ms=1000 * self._held_s,
            jumped_ms=1000 * self._jumped / SAMPLE_RATE_HZ,
            frame_ms=1000 * self._frame / SAMPLE_RATE_HZ,
        )
        self._told_expected, self._told_lost = expected, lost
        self._held_s = 0.0
        self._jumped = 0
        return arrivals

    def _begin(self, packet: RtpPacket) -> None:
        self._sequences = sequence_unwrapper(packet.sequence_number)
        self._timestamps = timestamp_unwrapper(packet.timestamp)
        self._first = self._sequences.highest
        self._received = self._told_expected = self._told_lost = 0
        self._last = None
        self._base_s = self._former_base_s = float("inf")
        self._base_since_s = packet.arrival_s

    def _follow(self, number: int, stamp: int, packet: RtpPacket) -> None:
        """Compare with the packet before, if that is the one before in the numbering too."""
        last = self._last
        pauses = len(packet.payload) <= DTX_BYTES or (
            packet.audio_level_dbov is not None and packet.audio_level_dbov <= SILENCE_DBOV
        )
        if last is not None and number <= last[0]:
            return
        self._last = (number, stamp, pauses)
        if last is None or number != last[0] + 1:
            return
        step = stamp - last[1]
        if _SHORTEST_FRAME_SAMPLES <= step <= _LONGEST_FRAME_SAMPLES and (
            step < self._frame or step % self._frame
        ):
            self._frame = step
        elif step > self._frame and not (last[2] or packet.marker):
            self._jumped += step - self._frame
