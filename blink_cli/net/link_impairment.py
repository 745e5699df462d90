"""What is done on purpose to the datagrams of the links to one peer, on this side of its sockets.

    what a link sends       -> outgoing -> socket              None: straight through, at the price of one question
    socket, with its stamp  -> incoming -> what the link reads

It outlives a link: one that is made anew meets the same line, as on a network. Signals of the gossip do not pass here.
"""

import random
import time
from collections.abc import Callable
from typing import Final

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Bottleneck, Line, LineCounters
from blink_cli.core.impairment.line_queue import LineQueue
from blink_cli.core.media.picture_packets import carries_pictures
from blink_cli.core.media.rtp_header import is_rtcp
from blink_cli.core.media.rtx import is_retransmission
from blink_cli.net.handed_on import handed_on
from blink_cli.runtime.wake_timer import WakeTimer

IP_UDP_BYTES: Final = 28
"""IPv4's and UDP's headers, which take their time on a limited rate. IPv6's has 20 bytes more, which are not counted."""

SENDING_LEAD_S: Final = 0.0005
"""What is sent leaves so much before its moment at most, as timers have a step of a millisecond: so it is as often early as it is late."""

LetOut = Callable[[bytes, float], None]
"""Told a datagram that comes out, and when it was due (monotonic seconds)."""


class ImpairedDirection:
    """One direction: the voice's packets on a line of their own, those of pictures on another beside it, everything else on a third, all through one bottleneck.

    So the n-th packet of the voice has the same fate in each run of a seed, however many pictures, checks, reports and retransmissions there were. Belongs to
    the event loop.
    """

    def __init__(
        self,
        conditions: Conditions,
        seed_of: Callable[[str], str],
        *,
        began_at: float,
        lead_s: float = 0.0,
    ) -> None:
        """Begin.

        Args:
            conditions: How bad it is.
            seed_of: What the chances of a kind of packet are drawn from (`core/impairment/chances.py`): `rtp`, `video` or `other`.
            began_at: From when on outages and traces count, monotonic seconds.
            lead_s: How much before its moment a datagram may come out. What comes in has its moment written on it, and needs none.

        """
        self.conditions: Final = conditions
        self._lead_s = lead_s
        bottleneck = Bottleneck()
        voice = Line(
            conditions, random.Random(seed_of("rtp")).random, began_at=began_at, bottleneck=bottleneck
        )
        pictures, rest = (
            Line(
                conditions,
                random.Random(seed_of(kind)).random,
                began_at=began_at,
                bottleneck=bottleneck,
                beside=voice,
            )
            for kind in ("video", "other")
        )
        self._voice, self._rest = LineQueue[LetOut](voice), LineQueue[LetOut](rest)
        self._pictures = LineQueue[LetOut](pictures)
        self._queues = (self._voice, self._pictures, self._rest)
        self._timer = WakeTimer(self._release)

    @property
    def rtp(self) -> LineCounters:
        """What became of the voice's RTP packets."""
        return self._voice.line.counters

    @property
    def video(self) -> LineCounters:
        """What became of the RTP packets of pictures, those that went again too."""
        return self._pictures.line.counters

    @property
    def other(self) -> LineCounters:
        """What became of retransmissions, RTCP, STUN and DTLS."""
        return self._rest.line.counters

    @property
    def rtp_under_way(self) -> int:
        """RTP packets on the line now."""
        return len(self._voice)

    @property
    def video_under_way(self) -> int:
        """Packets of pictures on it."""
        return len(self._pictures)

    @property
    def other_under_way(self) -> int:
        """Other datagrams on it."""
        return len(self._rest)

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return any(self._queues)

    def put(self, datagram: bytes, now: float, let_out: LetOut) -> None:
        """Send a datagram, which is not empty, at this moment, which may lie a little back; `let_out` is called for each copy."""
        queue = self._rest
        if 127 < datagram[0] < 192 and not is_rtcp(datagram) and not is_retransmission(datagram):
            queue = self._pictures if carries_pictures(datagram) else self._voice
        queue.put(datagram, let_out, now, overhead_bytes=IP_UDP_BYTES)
        self._release()

    def close(self) -> None:
        """Drop what is under way: the call is over."""
        self._timer.cancel()
        for queue in self._queues:
            queue.clear()

    def _release(self) -> None:
        now = time.monotonic() + self._lead_s
        for queue in self._queues:
            for out in queue.take(now):
                with handed_on():
                    out.item(out.datagram, out.due_at)
        waiting = [due for queue in self._queues if (due := queue.next_timeout()) is not None]
        self._timer.set(min(waiting) - self._lead_s if waiting else None)


class LinkImpairment:
    """Both directions of the links to one peer; each is None while nothing is done to it."""

    __slots__ = ("_replaced", "incoming", "outgoing")

    def __init__(self) -> None:
        self.outgoing: ImpairedDirection | None = None
        self.incoming: ImpairedDirection | None = None
        self._replaced: list[ImpairedDirection] = []

    def set_outgoing(self, direction: ImpairedDirection | None) -> None:
        """Let what is sent pass here from now on. What is under way comes out at its moment."""
        self._keep(self.outgoing)
        self.outgoing = direction

    def set_incoming(self, direction: ImpairedDirection | None) -> None:
        """Let what comes pass here from now on. What is under way comes out at its moment."""
        self._keep(self.incoming)
        self.incoming = direction

    def close(self) -> None:
        """Do nothing any more, and drop what is under way."""
        self._keep(self.outgoing)
        self._keep(self.incoming)
        self.outgoing = self.incoming = None
        for direction in self._replaced:
            direction.close()
        self._replaced.clear()

    def _keep(self, left: ImpairedDirection | None) -> None:
        """Hold one that is left until it is empty."""
        self._replaced = [one for one in (*self._replaced, left) if one is not None and one.is_busy]
