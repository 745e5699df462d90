"""One direction between two sessions. RTP, retransmissions, pictures and RTCP have chances of their own, so that one more or less changes no fate of the voice; where the rate is limited they share it.

So it is on the wire of the real engine too (`lab/network/line_wire.py`): with one seed, the n-th packet of a direction has one fate in both.
"""

import heapq
import itertools
import math
import random
from collections.abc import Iterator
from typing import Any, Final

from blink_cli.core.impairment.chances import line_seed
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.line import Bottleneck, Line
from blink_cli.core.impairment.line_queue import LineQueue, Released
from blink_cli.lab.scenario.observation import PairObservation

OVERHEAD_BYTES: Final = 14 + 20 + 8 + 16
"""Ethernet, IPv4 and UDP headers, and SRTP's tag (AES-GCM, RFC 7714): they take their time on a limited rate too."""

SRTCP_INDEX_BYTES: Final = 4
"""More than that a report has (RFC 3711, section 3.4)."""


class VirtualLine:
    """Carries packets of one session to another, and writes down which came out."""

    def __init__(self, seed: int, seen: PairObservation) -> None:
        """Be perfect at first."""
        self._seen = seen
        self._bottleneck = Bottleneck()
        self._rtp: LineQueue[int] = self._queue(seed, "rtp")
        self._again: LineQueue[int] = self._queue(seed, "again", beside=self._rtp.line)
        self._rtcp: LineQueue[int] = self._queue(seed, "rtcp", beside=self._rtp.line)
        self._pictures: LineQueue[bytes] = self._queue(seed, "video", beside=self._rtp.line)
        self._sent: dict[int, bytes] = {}
        """The voice's packets by their numbers from 0 on, retransmissions from -1 down."""

        self._number_again = 0
        self._kept: list[Released[int]] = []
        """What came of the voice while its receiver stood still."""

        self._kept_pictures: list[Released[bytes]] = []

    def _queue(self, seed: int, kind: str, *, beside: Line | None = None) -> "LineQueue[Any]":
        draw = random.Random(line_seed(seed, self._seen.speaker, self._seen.listener, kind)).random
        return LineQueue(Line(Conditions(), draw, bottleneck=self._bottleneck, beside=beside))

    @property
    def delay_s(self) -> float:
        """How long it takes in the mean, without a queue."""
        return self._rtp.line.conditions.delay_ms / 1000

    def change(self, conditions: Conditions, now: float) -> None:
        """Be so from now on."""
        self._rtp.line.change(conditions, now)
        self._again.line.change(conditions, now)
        self._pictures.line.change(conditions, now)
        self._rtcp.line.change(conditions, now)

    def send_rtp(self, data: bytes, payload_bytes: int, now: float) -> None:
        """Take a packet of the voice."""
        seen = self._seen
        seen.sent_at.append(now)
        seen.arrived.append(False)
        seen.sent_bytes.append(payload_bytes)
        number = len(seen.sent_at) - 1
        self._sent[number] = data
        self._rtp.put(data, number, now, overhead_bytes=OVERHEAD_BYTES)

    def send_again(self, data: bytes, now: float) -> None:
        """Take a packet that was asked for."""
        self._number_again -= 1
        self._sent[self._number_again] = data
        self._again.put(data, self._number_again, now, overhead_bytes=OVERHEAD_BYTES)

    def send_picture(self, data: bytes, now: float) -> None:
        """Take a packet of pictures, for the first time or again."""
        self._pictures.put(data, data, now, overhead_bytes=OVERHEAD_BYTES)

    def send_rtcp(self, data: bytes, now: float) -> None:
        """Take a report."""
        self._rtcp.put(data, 0, now, overhead_bytes=OVERHEAD_BYTES + SRTCP_INDEX_BYTES)

    def rtp(self, now: float) -> Iterator[tuple[float, bytes]]:
        """Give the packets of the voice that have come out by now, and when; one with a wrong bit is refused by SRTP, and so not given."""
        for out in heapq.merge(self._out(now), self._again.take(now), key=lambda out: out.due_at):
            whole = out.datagram == self._sent[out.item]
            if out.item < 0:
                if whole:
                    yield out.due_at, out.datagram
                continue
            if not whole:
                self._seen.packets_corrupted += 1
                continue
            self._seen.packets_duplicated += self._seen.arrived[out.item]
            self._seen.arrived[out.item] = True
            yield out.due_at, out.datagram

    def _out(self, now: float) -> Iterator[Released[int]]:
        while self._kept:
            yield self._kept.pop(0)
        yield from self._rtp.take(now)

    def pictures(self, now: float) -> Iterator[tuple[float, bytes]]:
        """Give the packets of pictures that have come out by now, and when; without those of a wrong bit."""
        while self._kept_pictures:
            kept = self._kept_pictures.pop(0)
            yield now, kept.datagram
        for out in self._pictures.take(now):
            if out.datagram == out.item:
                yield out.due_at, out.datagram

    def rtcp(self, now: float) -> Iterator[tuple[float, bytes]]:
        """Give the reports that have come out by now."""
        for out in self._rtcp.take(now):
            yield out.due_at, out.datagram

    def keep_waiting(self, now: float, most: int) -> None:
        """Have a receiver that stood still find what fitted into its socket: the first so many; the rest is lost."""
        came: Iterator[Released[Any]] = heapq.merge(
            self._rtp.take(now), self._pictures.take(now), key=lambda out: out.due_at
        )
        for out in itertools.islice(came, most):
            kept = self._kept_pictures if isinstance(out.item, bytes) else self._kept
            kept.append(out)
        for queue in (self._rtp, self._again, self._pictures):
            for _ in queue.take(now):
                pass

    @property
    def pictures_due_at(self) -> float:
        """When the next packet of pictures comes out; infinite while none is under way."""
        if self._kept_pictures:
            return -math.inf
        due_at = self._pictures.next_timeout()
        return math.inf if due_at is None else due_at

    @property
    def report_due_at(self) -> float:
        """When the next report or request comes out; infinite while none is under way."""
        due_at = self._rtcp.next_timeout()
        return math.inf if due_at is None else due_at

    def let_out(self) -> None:
        """Let all that is under way come out, where nobody hears it: it was not lost."""
        for out in self._rtp.take_all():
            if out.datagram == self._sent[out.item]:
                self._seen.arrived[out.item] = True

    def lose_all(self) -> None:
        """Forget what is under way: nobody is there to receive it."""
        self._kept.clear()
        self._kept_pictures.clear()
        for queue in (self._rtp, self._again, self._pictures, self._rtcp):
            for _ in queue.take_all():
                pass
