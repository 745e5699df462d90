"""The voice's reports of one link: ours about once a second, the peer's as they come (RFC 3550, section 6).

[event loop] timer --> RtcpExchange: report --> SecureTransport
             peer's compound packet --> RtcpExchange: who made the link is told, packets go again, the round trip is measured
"""

import random
import time
from typing import Final

from blink_cli.core.media.rtcp_exchange import RtcpExchange
from blink_cli.net.link.frame_sending import FrameSending
from blink_cli.net.link.packet_receiving import PacketReceiving
from blink_cli.net.link.secure_transport import SecureTransport
from blink_cli.runtime.wake_timer import LEAST_DELAY_S, WakeTimer, next_beat_s

BEAT_S: Final = 0.1
"""Slow things of a call happen at multiples of this."""


class RtcpReporting:
    """Of one link. Belongs to the event loop."""

    def __init__(
        self,
        exchange: RtcpExchange,
        sending: FrameSending,
        receiving: PacketReceiving,
        transport: SecureTransport,
        *,
        interval_s: float,
        wall_offset_s: float,
    ) -> None:
        """Report nothing before `begin`.

        Args:
            exchange: Writes our reports and reads the peer's.
            sending: Our stream, of which a report tells.
            receiving: The peer's, likewise.
            transport: Takes the reports.
            interval_s: Mean time between two.
            wall_offset_s: From monotonic to wall time; fixed for the link.

        """
        self.exchange: Final = exchange
        self._sending = sending
        self._receiving = receiving
        self._transport = transport
        self._interval_s = interval_s
        self._wall_offset_s = wall_offset_s
        self._is_closed = False
        self._timer = WakeTimer(self._report, slack_s=LEAST_DELAY_S)

    def begin(self, first_at: float) -> None:
        """Report from this moment (monotonic) on: the link stands, unless it was closed meanwhile."""
        if not self._is_closed:
            self._timer.set(first_at)

    def close(self) -> None:
        """Report nothing more."""
        self._is_closed = True
        self._timer.cancel()

    def _report(self) -> None:
        self._transport.look_for_strangers()
        self._receiving.count_read()
        if self._is_closed:  # who was told of what was counted has ended the link
            return
        now_s = time.monotonic()
        with self._sending.held:
            report = self.exchange.report(now_s, now_s + self._wall_offset_s)
        self._transport.send_rtcp(report)
        # Spread, so that the links of a call do not fall into step (RFC 3550, section 6.2), over moments at which the event loop wakes anyway.
        beat_s = min(BEAT_S, self._interval_s / 4)
        due_s = now_s + self._interval_s * random.uniform(0.75, 1.25) - beat_s / 2
        self._timer.set(next_beat_s(due_s, beat_s))
