"""Which packets left when, by their transport-wide numbers, until the feedback on them has come."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from blink_cli.core.media.unwrapper import Unwrapper, sequence_unwrapper
from blink_cli.core.media.video.rate_controller import PacketResult
from blink_cli.core.media.video.transport_feedback import ArrivalFeedback, wrapped_difference_s

MAX_REMEMBERED: Final = 2_048
"""Packets."""

LATE_S: Final = 0.15
"""A packet that was told missing is lost once packets have come that left so much later: before, it may have been overtaken."""

FORGOTTEN_S: Final = 2.0
"""What no feedback tells of, as that was lost itself, says nothing."""


@dataclass(slots=True)
class _Sent:
    at: float
    size_bytes: int
    told_missing: bool = False


class SentHistory:
    """Of one link. Pure."""

    def __init__(self) -> None:
        """Remember none."""
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._numbers: Unwrapper | None = None
        self._reference_s: float | None = None
        self._newest_at = -math.inf

    def sent(self, number: int, size_bytes: int, now_s: float) -> None:
        """A packet left with this number, 0 to 65535."""
        if self._numbers is None:
            self._numbers = sequence_unwrapper(number)
        self._sent[self._numbers.unwrap(number)] = _Sent(now_s, size_bytes)
        if len(self._sent) > MAX_REMEMBERED:
            self._sent.popitem(last=False)

    def results(self, feedback: ArrivalFeedback) -> list[PacketResult]:
        """What is known by a feedback of packets that are remembered, each once: those that came, then those that are lost by now."""
        numbers = self._numbers
        if numbers is None:
            return []
        told: list[PacketResult] = []
        for number, arrival_s in enumerate(feedback.arrivals_s, start=numbers.near(feedback.base)):
            sent = self._sent.get(number)
            if sent is None:
                continue
            if arrival_s is None:
                sent.told_missing = True
                continue
            del self._sent[number]
            if self._reference_s is None:
                self._reference_s = arrival_s
            self._newest_at = max(self._newest_at, sent.at)
            received_at = wrapped_difference_s(arrival_s, self._reference_s)
            told.append(PacketResult(sent.at, received_at, sent.size_bytes, number))
        return told + self._lost()

    def _lost(self) -> list[PacketResult]:
        lost: list[PacketResult] = []
        for number, sent in list(self._sent.items()):
            if sent.at > self._newest_at - LATE_S:
                break
            if sent.told_missing:
                lost.append(PacketResult(sent.at, None, sent.size_bytes, number))
            if sent.told_missing or sent.at < self._newest_at - FORGOTTEN_S:
                del self._sent[number]
        return lost
