"""What the figures of a call were in the last minute: for sparklines, and for a judgement of how it sounds now. Pure.

rtp-stats, twice a second ──> CallHistory ──> Trend of each peer: delay and loss of each second, and good, fair or poor
"""

import itertools
import statistics
from collections import deque
from typing import Final

import msgspec

from blink_cli.api.live_figures import mouth_to_ear_s
from blink_cli.core.analysis.e_model import Grade, estimate, grade
from blink_cli.core.api.replies.devices import DeviceFigures
from blink_cli.core.api.replies.statistics import Inbound, PeerStatistics, RtpStatistics
from blink_cli.core.ids import Did

LAST_S: Final = 60
STEP_S: Final = 1.0
"""Between two readings that are kept; less by what a clock that asks twice a second is early."""

_EARLY_S: Final = 0.1

JUDGED_S: Final = 10
"""How it sounds now: a bad moment is not forgotten at once, and a bad beginning is not held against a call for ever."""


class Trend(msgspec.Struct, frozen=True):
    """One peer's last minute."""

    delay_ms: tuple[float | None, ...] = ()
    """From arrival to the speaker, second by second, the newest last; None where it was not known."""

    lost_share: tuple[float | None, ...] = ()
    """Of the packets of each second, on the way, before any repair; None where none were due."""

    grade: Grade | None = None
    """How it sounded in the last seconds, by the E-model of `rtp-stats`; None where that cannot be estimated."""


class CallHistory:
    """Belongs to one view."""

    def __init__(self) -> None:
        self._readings: deque[tuple[float, RtpStatistics]] = deque(maxlen=LAST_S + 1)
        self._trends: dict[Did, Trend] = {}

    @property
    def trends(self) -> dict[Did, Trend]:
        """Of each peer of the newest reading."""
        return self._trends

    def take(self, reading: RtpStatistics | None, now_s: float) -> None:
        """Take a reading at a monotonic time; None: there is no call. Another call, or `stats reset`, begins anew."""
        if reading is None:
            self._readings.clear()
            self._trends = {}
            return
        if self._readings:
            at_s, last = self._readings[-1]
            if (last.call, last.since) != (reading.call, reading.since):
                self._readings.clear()
                self._trends = {}
            elif now_s - at_s < STEP_S - _EARLY_S:
                return
        self._readings.append((now_s, reading))
        self._trends = {peer.did: self._trend(peer) for peer in reading.peers}

    def _trend(self, newest: PeerStatistics) -> Trend:
        seen = [
            (next((one for one in reading.peers if one.did == newest.did), None), reading.output)
            for _, reading in self._readings
        ]
        losses = [
            _lost_share(None if before is None else before.inbound, None if now is None else now.inbound)
            for (before, _), (now, _) in itertools.pairwise(seen)
        ]
        return Trend(
            delay_ms=tuple(
                None if one is None or one.inbound is None else one.inbound.delay_ms for one, _ in seen
            )[-LAST_S:],
            lost_share=tuple(losses),
            grade=_grade(seen[-JUDGED_S - 1 :]),
        )


def _lost_share(before: Inbound | None, now: Inbound | None) -> float | None:
    if before is None or now is None:
        return None
    lost = now.packets_lost - before.packets_lost
    due = now.packets_received - before.packets_received + lost
    return max(lost, 0) / due if due > 0 else None


def _grade(seen: list[tuple[PeerStatistics | None, DeviceFigures | None]]) -> Grade | None:
    known = [(peer, output) for peer, output in seen if peer is not None and peer.inbound is not None]
    if not known:
        return None
    first, last = known[0][0].inbound, known[-1][0].inbound
    assert first is not None, "asked above"
    assert last is not None, "asked above"
    played = last.total_samples_received - first.total_samples_received
    delays_s = [delay_s for peer, output in known if (delay_s := mouth_to_ear_s(peer, output)) is not None]
    if played <= 0 or not delays_s:
        return None
    concealed = max(last.concealed_samples - first.concealed_samples, 0)
    delay_ms = 1000 * statistics.median(delays_s)
    quality = estimate(lost_share=concealed / played, burst_ratio=1.0, one_way_delay_ms=delay_ms)
    return grade(quality.mos)
