"""What was sent lately, to be sent again when it is asked for (RFC 4585, RFC 4588).

Bounded in age, in how soon one packet goes again, and in bytes a second: requests come from the other side, which is authenticated but not trusted.
Pure: time comes in. Belongs to the event loop.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

import msgspec

KEPT_S: Final = 0.5
"""An older packet is of no use to anybody: playout waits for a quarter of a second at most."""

MAX_KEPT: Final = 256
"""Packets of 2.5 ms last 0.64 s."""

AGAIN_AFTER_S: Final = 0.003
"""One packet is not sent twice within this: two requests that met on their way."""

MAX_TIMES: Final = 30
"""One packet. In a bad time of a line, which loses three of four packets for a tenth of a second, a dozen is not enough for one of thirty."""

SHARE_OF_STREAM: Final = 1.5
"""Bytes that are sent again, over those of the stream itself, in the long run: at 40 % loss both ways two thirds of each request are needed."""

BURST_BYTES: Final = 8_000
"""Above that share, at once: a burst of 200 ms in which everything was lost."""


T = TypeVar("T")


class _Kept(msgspec.Struct, Generic[T]):
    number: int
    packet: T
    size_bytes: int
    sent_s: float
    again_s: float = -math.inf
    times: int = 0


class SentPackets(Generic[T]):
    """Of one stream to one peer, in whatever form they are kept."""

    def __init__(self) -> None:
        """Have sent nothing."""
        self._kept: deque[_Kept[T]] = deque(maxlen=MAX_KEPT)
        """In order: searched when something is asked for, which is seldom."""

        self._allowance = float(BURST_BYTES)
        self.refused = 0
        """Requests that the bounds refused."""

    def sent(self, sequence_number: int, packet: T, size_bytes: int, now_s: float) -> None:
        """Keep a packet that went out now, under its number on the wire."""
        kept = self._kept
        kept.append(_Kept(sequence_number, packet, size_bytes, now_s))
        while now_s - kept[0].sent_s > KEPT_S:
            kept.popleft()
        if self._allowance < BURST_BYTES:
            self._allowance = min(self._allowance + SHARE_OF_STREAM * size_bytes, float(BURST_BYTES))

    def asked_for(self, sequence_numbers: Iterable[int], now_s: float) -> list[tuple[int, T]]:
        """Those of these packets that go out again now, with their numbers. What is not known any more, or not yet, is passed over."""
        again: list[tuple[int, T]] = []
        kept = {one.number: one for one in self._kept}
        for number in sequence_numbers:
            one = kept.get(number)
            if one is None or now_s - one.sent_s > KEPT_S:
                continue
            if now_s - one.again_s < AGAIN_AFTER_S:
                continue
            if one.times >= MAX_TIMES or self._allowance < one.size_bytes:
                self.refused += 1
                continue
            self._allowance -= one.size_bytes
            one.again_s = now_s
            one.times += 1
            again.append((number, one.packet))
        return again
