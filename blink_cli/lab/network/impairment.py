"""What becomes of each frame on one direction of a link: pure, seeded, in the caller's time."""

import math
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """How bad one direction of a link is. The default is a perfect one."""

    loss: float = 0.0
    """Share of frames lost, 0 to 1."""

    burst_frames: float = 1.0
    """Mean number of frames lost in a row (Gilbert's two-state model); 1 or less: each is lost by itself."""

    multicast_loss: float = 0.0
    """Share of IP multicast frames lost besides; ARP's broadcasts are not meant."""

    delay_ms: float = 0.0
    """Every frame is this late."""

    jitter_ms: float = 0.0
    """Standard deviation of a normal spread around `delay_ms`, never earlier than at once."""

    keep_order: bool = False
    """Whether a frame waits for a late one before it; otherwise jitter also reorders, as in the internet."""

    reordering: float = 0.0
    """Share of frames that overtake: they skip `delay_ms` and the spread."""

    duplication: float = 0.0
    """Share of frames that arrive twice."""

    bandwidth_kbps: float | None = None
    """Bits that pass in a millisecond; None for no limit."""

    queue_ms: float = 200.0
    """How much a limited link holds before it drops what comes."""


class Impairment:
    """Decides, frame by frame, when each copy arrives.

    Every frame takes the same number of draws whatever becomes of it, so the same frames and seed give the same fates,
    and a change of conditions changes what is asked and nothing else.
    """

    def __init__(self, conditions: Conditions, seed: str) -> None:
        self.conditions = conditions
        self._random = random.Random(seed)
        self._in_burst = False
        self._free_at_s = -math.inf
        self._last_due_s = -math.inf

    def fate(self, now_s: float, size_bytes: int, *, multicast: bool) -> tuple[float, ...]:
        """Return when the frame's copies arrive, earliest first; empty when it is lost."""
        c = self.conditions
        loss, multicast_loss, overtake, twice = (self._random.random() for _ in range(4))
        spreads = self._random.gauss(0, 1), self._random.gauss(0, 1)
        lost = self._loses(loss) or (multicast and multicast_loss < c.multicast_loss)
        if lost:
            return ()
        sent_s = self._through_bottleneck(now_s, size_bytes)
        if sent_s is None:
            return ()
        delay_ms = [0.0 if overtake < c.reordering else c.delay_ms + s * c.jitter_ms for s in spreads]
        due_s = [sent_s + max(ms, 0.0) / 1000 for ms in delay_ms]
        if c.keep_order:
            due_s = [max(due, self._last_due_s) for due in due_s]
        self._last_due_s = max(self._last_due_s, due_s[0])
        return tuple(sorted(due_s)) if twice < c.duplication else (due_s[0],)

    def _loses(self, draw: float) -> bool:
        c = self.conditions
        if c.burst_frames <= 1 or c.loss in {0, 1}:
            return draw < c.loss
        # Gilbert: all is lost in the bad state; its mean stay and its share of time give both transitions.
        leave_bad = 1 / c.burst_frames
        enter_bad = min(leave_bad * c.loss / (1 - c.loss), 1.0)
        self._in_burst = draw >= leave_bad if self._in_burst else draw < enter_bad
        return self._in_burst

    def _through_bottleneck(self, now_s: float, size_bytes: int) -> float | None:
        """Return when the last bit has passed; None when the queue is full."""
        c = self.conditions
        if c.bandwidth_kbps is None:
            return now_s
        begins_s = max(now_s, self._free_at_s)
        if begins_s - now_s > c.queue_ms / 1000:
            return None
        self._free_at_s = begins_s + size_bytes * 8 / (c.bandwidth_kbps * 1000)
        return self._free_at_s
