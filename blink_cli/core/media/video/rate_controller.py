"""How much may be sent of pictures on one link, by when packets arrived and which did not. It takes what the voice leaves, and no more.

    feedback --> how long do packets stand in a queue? --+-- long: less than what came through, so that the queue empties
             --> how much is lost, and is it the rate's? |-- the rate's loss: less
             --> how much came through?                  '-- neither: more, slowly near where it was too much last

After Google Congestion Control (draft-ietf-rmcat-gcc-02) in what it does, with another detector: the least delay of some packets tells a queue from
jitter, which a line of wireless hops has in place of queues. Of a queue every packet has its share; of jitter the luckiest of ten has little.

The voice is not asked to give way. It shares the queue, so keeping that short keeps its delay, and pictures leave before packets are lost of either.
Pure: time comes in.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.media.video.line_capacity import LineCapacity

REMEMBERED_ARRIVALS: Final = 64
"""Packets."""

NEAR: Final = 0.8
FAR: Final = 1.15
"""Of where it was too much lately, voice included."""

LONGEST_EMPTIED_S: Final = 0.3
"""By so much of a second's packets at most less is sent, that a queue of that length be gone soon."""

FEWEST_RECENT: Final = 5
"""Packets of which the luckiest tells a queue from jitter, before their window ends."""


class PacketResult(msgspec.Struct, frozen=True, gc=False):
    """What became of one packet."""

    sent_at: float
    """Monotonic, of the sender."""

    received_at: float | None
    """By the receiver's clock, whatever that reads; None: it is lost, as far as is known."""

    size_bytes: int
    """What it takes of the line, all headers included."""

    number: int = 0
    """Of its leaving, one more for each packet: those that leave together are told from others by it."""


@dataclass(frozen=True, slots=True)
class RateSettings:
    """Bounds and timings."""

    first_bps: float = 80_000.0
    least_bps: float = 40_000.0
    most_bps: float = 2_500_000.0

    window_s: float = 0.15
    """Of whose packets the least delay counts: three feedbacks, ten packets at the first rate."""

    base_windows: int = 60
    """Windows of which the calmest quarter tells what the line takes without a queue: nine seconds, within which clocks drift by a millisecond."""

    queue_too_long_s: float = 0.020
    """Beyond the line's own delay. A voice behind it hears of it little; packets are lost at ten times that in most routers."""

    below_limit: float = 0.9
    """And with the voice, which may take more now than lately: what it misses is asked for where a queue makes it late."""

    queue_stands_s: float = 0.04
    """So long for every packet that was sent lately, and it is not waited for the end of the window."""

    queue_grows_s: float = 0.008
    """From one window to the next: it will be too long soon."""

    below_throughput: float = 0.85
    """What a full line is left to: GCC's beta. A queue of 100 ms is empty after 0.7 s."""

    rise_per_s: float = 0.25
    """While no limit is known: twice as much after three seconds."""

    rise_near_limit_per_s: float = 0.05
    """Where it was too much lately."""

    rise_at_limit_per_s: float = 0.01
    """Where it takes nearly all of that: the voice has its bursts, and the line becomes wider seldom."""

    start_rise_per_s: float = 0.8
    """Before it was ever too much."""

    unsteady_rise_per_s: float = 0.3
    """Likewise, where the least delays of windows differ: a queue is seen late among them."""

    over_throughput: float = 1.25
    """Of what comes through, so much more may be sent at most: who sends less than may be sent learns nothing of more."""

    unsteady_s: float = 0.003
    """So far apart are the least delays of the last windows at most where they tell a queue soon."""

    rise_below_capacity_per_s: float = 4.0
    """Where the line is known to take more."""

    of_capacity: float = 0.92
    """What is taken of a line that is known, voice included."""

    settle_s: float = 0.3
    """Beyond a round trip, after it was made less: what is in the queue still tells of before."""

    loss_window_s: float = 2.0
    loss_is_much: float = 0.10
    """Beyond what the line loses whatever is sent: GCC's bound."""

    limit_fades_s: float = 15.0
    """Where it was too much is tried again as something new."""


@dataclass(slots=True)
class _Window:
    begin_at: float
    least_s: float = math.inf
    packets: int = 0


class RateController:
    """Of one link."""

    def __init__(self, settings: RateSettings | None = None) -> None:
        """Know nothing of the line."""
        self._settings = settings or RateSettings()
        self.target_bps = self._settings.first_bps
        """What may be sent in the mean, of payload and headers."""

        self.rtt_s: float | None = None
        """The round trip, as the owner knows it."""

        self.voice_bps = 0.0
        """What the voice takes of the line, as the owner knows it."""

        self.capacity_bps: float | None = None
        """What the line takes, where that is known."""

        self.queue_s = 0.0
        """How long packets stand in a queue, by the last windows."""

        self.loss = 0.0
        """Share of the packets of the last two seconds that did not come."""

        self.capacity_at_least_bps = 0.0
        """What it takes at least by all pairs of packets together, even where they do not agree."""

        self._capacity = LineCapacity()
        self._arrivals: OrderedDict[int, PacketResult] = OrderedDict()
        """Of the last packets that came, by number: one of a pair may be told of later than the other, and those are no other pairs than the rest."""

        self._window: _Window | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=REMEMBERED_ARRIVALS)
        """When packets were sent, and how long they took, by clocks of both sides."""

        self._minima: deque[float] = deque(maxlen=self._settings.base_windows)
        self._received: deque[tuple[float, int]] = deque()
        self._results: deque[tuple[float, bool]] = deque()
        self._sent: deque[tuple[float, int]] = deque()
        self._changed_at = -math.inf
        self._less_at = -math.inf
        self._limit_bps: float | None = None
        self._limit_at = -math.inf
        self._loss_before_less: float | None = None
        self._loss_floor = 0.0

    @property
    def throughput_bps(self) -> float | None:
        """What came through lately; None before enough did."""
        if len(self._received) < 5:
            return None
        first_at, last_at = self._received[0][0], self._received[-1][0]
        if last_at - first_at < 0.1:
            return None
        return 8 * sum(size for _, size in list(self._received)[1:]) / (last_at - first_at)

    def on_feedback(self, results: Sequence[PacketResult], now_s: float) -> None:
        """Take what became of packets, in the order of their sending, each once.

        Args:
            results: Of one feedback.
            now_s: Monotonic.

        """
        settings = self._settings
        closed = False
        for result in results:
            self._results.append((now_s, result.received_at is None))
            if result.received_at is not None:
                closed |= self._arrived(result, result.received_at)
                self._pairs(result, now_s)
        while self._results and now_s - self._results[0][0] > settings.loss_window_s:
            self._results.popleft()
        lost = sum(lost for _, lost in self._results)
        self.loss = lost / len(self._results) if self._results else 0.0
        self.capacity_bps = self._capacity.bps(now_s)
        self.capacity_at_least_bps = self._capacity.at_least_bps(now_s)
        if closed:
            self._judge(now_s)
        elif self._stands_now_s > settings.queue_stands_s and self._is_settled(now_s):
            self.queue_s = self._stands_now_s
            self._less(now_s)
        if self.target_bps > self._most_bps:
            self._set(self._most_bps)

    def _pairs(self, result: PacketResult, now_s: float) -> None:
        self._arrivals[result.number] = result
        if len(self._arrivals) > REMEMBERED_ARRIVALS:
            self._arrivals.popitem(last=False)
        before, behind = self._arrivals.get(result.number - 1), self._arrivals.get(result.number + 1)
        for first, second in ((before, result), (result, behind)):
            if first is None or second is None or first.sent_at != second.sent_at:
                continue
            if first.received_at is not None and second.received_at is not None:
                self._capacity.pair(second.received_at - first.received_at, second.size_bytes, now_s)

    @property
    def _most_bps(self) -> float:
        """What a line that is known leaves to pictures."""
        settings = self._settings
        if self.capacity_bps is None:
            return settings.most_bps
        return settings.of_capacity * self.capacity_bps - self.voice_bps

    def _arrived(self, result: PacketResult, received_at: float) -> bool:
        """Take one arrival. Returns whether a window is full."""
        settings = self._settings
        self._received.append((received_at, result.size_bytes))
        while received_at - self._received[0][0] > 0.5:
            self._received.popleft()
        window = self._window
        full = False
        if window is None:
            window = self._window = _Window(result.sent_at)
        elif result.sent_at - window.begin_at >= settings.window_s and window.packets >= 4:
            self._close(window)
            window = self._window = _Window(result.sent_at)
            full = True
        window.packets += 1
        self._recent.append((result.sent_at, received_at - result.sent_at))
        window.least_s = min(window.least_s, received_at - result.sent_at)
        return full

    def _close(self, window: _Window) -> None:
        self._minima.append(window.least_s)

    def _base_s(self) -> float:
        calm = sorted(self._minima)[: max(len(self._minima) // 4, 1)]
        return sum(calm) / len(calm)

    def _is_settled(self, now_s: float) -> bool:
        """Whether what arrives tells of the present rate."""
        return now_s - self._less_at > self._settings.settle_s + (self.rtt_s or 0.1)

    @property
    def _stands_now_s(self) -> float:
        """How long the luckiest of the packets that were sent lately stood in a queue, as far as they have come."""
        recent, settings = self._recent, self._settings
        while recent and recent[-1][0] - recent[0][0] > settings.window_s:
            recent.popleft()
        if len(recent) < FEWEST_RECENT or not self._minima:
            return 0.0
        return min(took_s for _, took_s in recent) - self._base_s()

    @property
    def _is_calm(self) -> bool:
        last = list(self._minima)[-5:]
        return max(last) - min(last) < self._settings.unsteady_s

    def _judge(self, now_s: float) -> None:
        settings = self._settings
        base_s = self._base_s()
        last = [least_s - base_s for least_s in list(self._minima)[-3:]]
        before_s, self.queue_s = self.queue_s, sum(last[-2:]) / len(last[-2:])
        newest_s = last[-1]
        grows = newest_s > self.queue_s and self.queue_s > before_s + settings.queue_grows_s
        too_long = self.queue_s > settings.queue_too_long_s and newest_s > settings.queue_too_long_s / 2
        empties = len(last) > 1 and newest_s < last[-2] - settings.queue_grows_s
        since_s = min(max(now_s - self._changed_at, 0.0), 0.5) if self._changed_at > -math.inf else 0.0
        self._changed_at = now_s
        settled = self._is_settled(now_s)
        if (too_long or (grows and newest_s > settings.queue_too_long_s)) and not empties:
            if settled:
                self._less(now_s)
        elif self._loses_by_rate():
            if now_s - self._less_at > settings.loss_window_s:
                self._loss_before_less = self.loss
                self._set(self.target_bps * (1 - self.loss / 2))
                self._less_at = now_s
        elif self.queue_s < settings.queue_too_long_s / 2 and settled:
            self._more(now_s, since_s)

    def _loses_by_rate(self) -> bool:
        """Whether the loss is one that would be less at a lower rate. One that stayed when the rate fell is the line's own."""
        settings = self._settings
        if len(self._results) < 40:
            return False
        before = self._loss_before_less
        if before is not None and self.loss > 0.7 * before:
            self._loss_floor, self._loss_before_less = max(self._loss_floor, min(self.loss, 0.5)), None
        elif self.loss < self._loss_floor / 2:
            self._loss_floor = self.loss
        return self.loss > self._loss_floor + settings.loss_is_much

    def _less(self, now_s: float) -> None:
        settings = self._settings
        throughput = self.throughput_bps
        through_bps = self.target_bps if throughput is None else min(throughput, self.target_bps)
        self._limit_bps, self._limit_at = through_bps + self.voice_bps, now_s
        left_bps = settings.below_limit * self._limit_bps - self.voice_bps
        self._set(
            min(
                self.target_bps,
                (settings.below_throughput - min(self.queue_s, LONGEST_EMPTIED_S)) * through_bps,
                left_bps,
            )
        )
        self._less_at = now_s

    def _more(self, now_s: float, since_s: float) -> None:
        settings = self._settings
        limit = self._limit_bps
        of_limit = 0.0 if limit is None else (self.target_bps + self.voice_bps) / limit
        wide = limit is None and self.capacity_at_least_bps > 2 * (self.target_bps + self.voice_bps)
        if wide:
            rise = settings.rise_below_capacity_per_s
        elif self.capacity_bps is not None and limit is None:
            self._set(
                min(self.target_bps * (1 + settings.rise_below_capacity_per_s * since_s), self._most_bps)
            )
            return
        elif limit is None:
            rise = settings.start_rise_per_s if self._is_calm else settings.unsteady_rise_per_s
        elif self.capacity_bps is not None:
            rise = settings.rise_per_s
        elif now_s - self._limit_at < settings.limit_fades_s and NEAR < of_limit < FAR:
            rise = (
                settings.rise_near_limit_per_s
                if of_limit < settings.below_limit
                else settings.rise_at_limit_per_s
            )
        else:
            rise = settings.rise_per_s
        wanted = self.target_bps * (1 + rise * since_s)
        throughput = self.throughput_bps
        if wide:
            wanted = min(
                wanted,
                max(settings.of_capacity * self.capacity_at_least_bps - self.voice_bps, self.target_bps),
            )
        elif throughput is not None:  # who sends less than may be sent learns nothing of more
            wanted = min(wanted, max(settings.over_throughput * throughput + 20_000, self.target_bps))
        self._set(wanted)

    def _set(self, bps: float) -> None:
        settings = self._settings
        self.target_bps = min(max(bps, settings.least_bps), settings.most_bps)
