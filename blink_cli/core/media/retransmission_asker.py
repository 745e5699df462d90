"""Asks a peer again for what is missing of its voice: follows the packets of the stream that is heard, and writes the requests (RFC 4585).

    RtpReceiver --RtpPacket--> RetransmissionAsker --> request, an RTCP packet, when `next_at` says so
    round trip ---------------------^

Pure; belongs to the event loop.
"""

import math
from typing import Final

from blink_cli.core.media import red
from blink_cli.core.media.media_format import MediaFormat
from blink_cli.core.media.retransmission_requests import RetransmissionRequests
from blink_cli.core.media.rtcp import write_retransmission_request
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.core.media.rtp_receiver import RtpReceiver
from blink_cli.core.media.unwrapper import SEQUENCE_MASK, Unwrapper, sequence_unwrapper, timestamp_unwrapper

_LONGEST_STEP: Final = 0x8000
"""A number that is more ahead is behind (RFC 1982)."""


class RetransmissionAsker:
    """Of one link."""

    def __init__(self, own_ssrc: int, receiver: RtpReceiver, media: MediaFormat) -> None:
        """Miss nothing.

        Args:
            own_ssrc: Who asks.
            receiver: Whose counters tell what is asked.
            media: What was agreed; where requests are not, none is made.

        """
        self._own_ssrc = own_ssrc
        self._counters = receiver.counters
        self._agreed = media.nack
        self._red_type = media.red
        self._ssrc = 0
        self._last: RtpPacket | None = None
        """The newest packet of a calm line: nothing is missing, and nothing was lost lately."""

        self._sequences: Unwrapper | None = None
        self._timestamps = timestamp_unwrapper(0)
        self._requests: Final = RetransmissionRequests()

    def packet(self, packet: RtpPacket) -> bool:
        """A packet of the voice came, by itself or because it was asked for.

        Returns:
            Whether something was lost lately, so that `next_at` is to be asked, and packets are to be seen as soon as they come.

        """
        last = self._last
        if last is None:
            return self._first_or_watched(packet)
        # The line is calm: hardly a step for a packet that is the next one.
        if packet.ssrc != last.ssrc:
            self._last = packet
            return False
        step = (packet.sequence_number - last.sequence_number) & SEQUENCE_MASK
        if step == 1:
            self._last = packet
            return False
        if packet.retransmitted or step == 0 or step > _LONGEST_STEP:
            return False  # of before the last one
        self._begin(last)
        self._follow(last)
        return self._watched(packet)

    def _first_or_watched(self, packet: RtpPacket) -> bool:
        if self._sequences is not None and packet.ssrc == self._ssrc:
            return self._watched(packet)
        self._ssrc = packet.ssrc
        self._last = packet if self._agreed else None
        return False

    def _watched(self, packet: RtpPacket) -> bool:
        self._follow(packet)
        requests = self._requests
        is_watched = not requests.is_far and (requests.is_missing_some or requests.watches(packet.arrival_s))
        self._last = None if is_watched or packet.retransmitted else packet
        return is_watched

    def _follow(self, packet: RtpPacket) -> None:
        assert self._sequences is not None, "it was begun"
        if packet.retransmitted:
            self._requests.resent(self._sequences.near(packet.sequence_number))
            return
        number = self._sequences.unwrap(packet.sequence_number)
        timestamp = self._timestamps.unwrap(packet.timestamp)
        self._requests.received(
            number,
            timestamp,
            packet.arrival_s,
            marker=packet.marker,
            may_pause=packet.audio_level_dbov is not None and not packet.voice,
        )
        if self._requests.is_missing_some and packet.payload_type == self._red_type:
            for distance in range(1, red.count_copies(packet.payload) + 1):
                self._requests.resent(number - distance)

    def watches(self, now_s: float) -> bool:
        """Whether something was lost lately, so that packets are to be seen as soon as they come."""
        return self._requests.watches(now_s)

    @property
    def next_at(self) -> float:
        """When `request` has something to say next; infinite while nothing is awaited."""
        return self._requests.next_at() if self._last is None and self._sequences is not None else math.inf

    def request(self, now_s: float, rtt_s: float | None) -> bytes | None:
        """Return the request that is due; None when there is none, or the round trip is so long that copies are quicker.

        Args:
            now_s: Monotonic.
            rtt_s: The round trip as far as it is known.

        """
        requests = self._requests
        requests.rtt_s = rtt_s
        numbers = requests.due(now_s)
        if not numbers:
            return None
        self._counters.nack_count += 1
        self._counters.packets_requested += len(numbers)
        return write_retransmission_request(
            self._own_ssrc, self._ssrc, [number & SEQUENCE_MASK for number in numbers]
        )

    def _begin(self, packet: RtpPacket) -> None:
        self._ssrc = packet.ssrc
        self._sequences = sequence_unwrapper(packet.sequence_number)
        self._timestamps = timestamp_unwrapper(packet.timestamp)
        self._requests.begin()
