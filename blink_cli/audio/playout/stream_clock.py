"""Makes the wrapping counters of one stream into plain integers, and notices when another stream begins.

A participant that comes by another connection has another SSRC there, and the same clock: its time goes on, and its numbers are made to. So nothing is
played twice or left out when a call goes over from one connection to another.
"""

from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.stream_jump import Belonging, StreamJump
from blink_cli.core.media.unwrapper import sequence_unwrapper, timestamp_unwrapper

_JUMP_S: Final = 3.0
"""A transit time that differs by more from the last is not jitter: the sender began anew, or was asleep."""

_SAME_CLOCK_S: Final = 0.3
"""Another SSRC whose packets took so much longer or shorter at most is stamped by the same clock: one that began anew begins anywhere in a day."""

_USUAL_FRAME: Final = 960
"""By how much time goes on from a packet to the next, where nothing tells."""

_WITNESSES: Final = 2
"""Packets in a row that must agree on a jump, so that one stray packet does not break a stream."""


class StreamClock:
    """Extended sequence number and timestamp of each packet of one SSRC. Pure."""

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._former_ssrc: int | None = None
        self._timestamps = timestamp_unwrapper(0)
        self._sequences = sequence_unwrapper(0)
        self._sequence_shift = 0
        self._jump = _jump(0.0)

    def place(self, packet: RtpPacket) -> tuple[int, int, bool] | None:
        """The packet's (extended timestamp, extended sequence number, whether a new stream begins with it).

        None when it belongs to a former stream or stands alone with its claim of a jump: to be dropped.
        """
        if packet.ssrc != self._ssrc:
            if self._has_the_same_clock(packet):
                return self._go_on_with(packet)
            if packet.ssrc == self._former_ssrc and self._jump.stray_of_former():
                return None
            return self._begin(packet)
        newest = self._timestamps.highest
        timestamp = self._timestamps.near(packet.timestamp)
        belonging = self._jump.judge(packet.arrival_s - timestamp / SAMPLE_RATE_HZ, packet.arrival_s)
        if belonging is Belonging.GOES_ON:
            if timestamp > newest:
                self._timestamps.highest = timestamp
            return timestamp, self._sequences.unwrap(packet.sequence_number) + self._sequence_shift, False
        return self._begin(packet) if belonging is Belonging.PROVES else None

    def _has_the_same_clock(self, packet: RtpPacket) -> bool:
        if self._ssrc is None or self._jump.transit_s is None:
            return False
        transit_s = packet.arrival_s - self._timestamps.near(packet.timestamp) / SAMPLE_RATE_HZ
        return abs(transit_s - self._jump.transit_s) <= _SAME_CLOCK_S

    def _go_on_with(self, packet: RtpPacket) -> tuple[int, int, bool]:
        timestamp = self._timestamps.near(packet.timestamp)
        frames = round((timestamp - self._timestamps.highest) / _USUAL_FRAME)
        sequence = self._sequences.highest + self._sequence_shift + frames
        self._former_ssrc, self._ssrc = self._ssrc, packet.ssrc
        self._timestamps.highest = max(self._timestamps.highest, timestamp)
        self._sequences = sequence_unwrapper(packet.sequence_number)
        self._sequence_shift = sequence - self._sequences.highest
        self._jump = _jump(packet.arrival_s - timestamp / SAMPLE_RATE_HZ)
        return timestamp, sequence, False

    def _begin(self, packet: RtpPacket) -> tuple[int, int, bool]:
        if packet.ssrc != self._ssrc:
            self._former_ssrc = self._ssrc
        self._ssrc = packet.ssrc
        self._timestamps = timestamp_unwrapper(packet.timestamp)
        self._sequences = sequence_unwrapper(packet.sequence_number)
        self._sequence_shift = 0
        timestamp = self._timestamps.highest
        self._jump = _jump(packet.arrival_s - timestamp / SAMPLE_RATE_HZ)
        return timestamp, self._sequences.highest, True


def _jump(transit_s: float) -> StreamJump:
    return StreamJump(transit_s, far_s=_JUMP_S, agreement_s=_JUMP_S, witnesses=_WITNESSES)
