"""Asks the peer again for what is missing of its voice, as soon as the rules say so.

packets --> RetransmissionAsker --> when something is due: a timer --> request to the peer
                 '--> the line loses: its sockets are the event loop's for a while, since every millisecond counts
"""

import math
import time
from collections.abc import Callable

from blink_cli.core.media.retransmission_asker import RetransmissionAsker
from blink_cli.core.media.rtp import RtpPacket
from blink_cli.net.link.secure_transport import SecureTransport
from blink_cli.runtime.wake_timer import WakeTimer


class AskingAgain:
    """Of one link. Belongs to the event loop."""

    def __init__(
        self, asker: RetransmissionAsker, transport: SecureTransport, rtt_s: Callable[[], float | None]
    ) -> None:
        """Miss nothing.

        Args:
            asker: The rules.
            transport: Takes the requests.
            rtt_s: Tells the round trip as far as it is known.

        """
        self._asker = asker
        self._transport = transport
        self._rtt_s = rtt_s
        self._due_s = math.inf
        self._timer = WakeTimer(self._ask)

    def packet(self, packet: RtpPacket) -> None:
        """A packet of the voice came, by itself or because it was asked for."""
        if self._asker.packet(packet):
            self._watch()
            self._transport.leave_round()

    @property
    def lets_round_read(self) -> bool:
        """Whether the link's sockets may be read every 10 ms only: nothing was lost lately."""
        return not self._asker.watches(time.monotonic())

    def close(self) -> None:
        """Ask no more."""
        self._timer.cancel()

    def _ask(self) -> None:
        request = self._asker.request(time.monotonic(), self._rtt_s())
        if request is not None:
            self._transport.send_rtcp(request)
        self._due_s = math.inf
        self._watch()

    def _watch(self) -> None:
        next_at = self._asker.next_at
        if next_at < self._due_s:
            self._due_s = next_at
            self._timer.set(next_at)
