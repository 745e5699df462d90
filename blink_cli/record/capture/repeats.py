"""Which streams of a capture carry packets of another one again (RFC 4588). Payloads may be encrypted, so timestamps and payload types tell.

A retransmission has the timestamp of a packet that was sent a moment before on another SSRC of the same sockets, and a payload type of its own. Streams begin
at random timestamps (RFC 3550, section 5.1), so none stays within a second of another one by chance. Whoever asks by the clock gets the packet before the next one.
"""

from typing import Final

from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.unwrapper import timestamp_difference
from blink_cli.record.capture.rtp_packets import Flow, StreamKey

LONGEST_S: Final = 1.0
"""Nobody waits longer for a packet."""

MOST_OF_ONE_FLOW: Final = 8
"""Streams between the same sockets that are compared."""

_CLOCK_RATE_HZ: Final = 48_000


class _Timeline:
    __slots__ = ("beside", "key", "newest", "packets", "payload_types")

    def __init__(self, key: StreamKey, timestamp: int) -> None:
        self.key = key
        self.newest = timestamp
        self.packets = 0
        self.payload_types: set[int] = set()
        self.beside: dict[int, int] = {}
        """By the SSRC of another stream: packets that were within a second of it."""


class Repeats:
    """Fed with all packets of all streams in the order of the capture."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self._flows: dict[Flow, dict[int, _Timeline]] = {}

    def packet(self, key: StreamKey, packet: RtpPacket, clock_rate_hz: int | None) -> None:
        """Take one."""
        timestamp = packet.timestamp
        streams = self._flows.setdefault(key.flow, {})
        own = streams.get(key.ssrc)
        if own is None:
            if len(streams) >= MOST_OF_ONE_FLOW:
                return
            own = streams[key.ssrc] = _Timeline(key, timestamp)
        own.packets += 1
        own.payload_types.add(packet.payload_type)
        if timestamp_difference(timestamp, own.newest) > 0:
            own.newest = timestamp
        longest = LONGEST_S * (clock_rate_hz or _CLOCK_RATE_HZ)
        for other in streams.values():
            if other is not own and abs(timestamp_difference(other.newest, timestamp)) <= longest:
                own.beside[other.key.ssrc] = own.beside.get(other.key.ssrc, 0) + 1

    def found(self) -> dict[StreamKey, StreamKey]:
        """Of each stream that only repeats another one, that one."""
        return {
            one.key: other.key
            for streams in self._flows.values()
            for one in streams.values()
            for other in streams.values()
            if one.packets < other.packets
            and one.beside.get(other.key.ssrc) == one.packets
            and one.payload_types.isdisjoint(other.payload_types)
        }
