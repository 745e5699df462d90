"""Passing datagrams on between paths: each once, a moment later, and not where they were heard in the meantime."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush

from blink_cli.core.gossip.budget import SharedBudget
from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.datagram import with_less_ttl
from blink_cli.core.gossip.effects import Arrival, Transmit
from blink_cli.core.gossip.paths import Path
from blink_cli.core.gossip.settings import GossipSettings


@dataclass(slots=True)
class _Waiting:
    datagram: bytes
    targets: tuple[Path, ...]


class Relay:
    """Of one session. Without a second path it never does anything."""

    def __init__(
        self, settings: GossipSettings, entropy: Callable[[int], bytes], counters: GossipCounters
    ) -> None:
        """Begin with nothing waiting."""
        self._delay_s = settings.relay_delay_s
        self._max_waiting = settings.max_relays_waiting
        self._budget = SharedBudget(
            per_s=settings.relays_per_s,
            per_source_per_s=settings.relays_per_source_per_s,
            sources=settings.sources,
        )
        self._entropy = entropy
        self._counters = counters
        self._waiting: dict[int, _Waiting] = {}
        self._due: list[tuple[float, int]] = []

    def consider(
        self, encoded: bytes, ttl: int, fingerprint: int, arrival: Arrival, targets: tuple[Path, ...]
    ) -> None:
        """Take a datagram that was not heard before; `fingerprint` is its fingerprint."""
        if ttl == 0 or not targets:
            return
        if len(self._waiting) >= self._max_waiting or not self._budget.take(arrival.source, arrival.now_s):
            self._counters.relays_limited += 1
            return
        least_s, most_s = self._delay_s
        due_s = arrival.now_s + least_s + (most_s - least_s) * self._entropy(1)[0] / 255
        self._waiting[fingerprint] = _Waiting(with_less_ttl(encoded, ttl), targets)
        heappush(self._due, (due_s, fingerprint))

    def heard(self, fingerprint: int, path: Path) -> None:
        """Another one has passed it on to this path already."""
        waiting = self._waiting.get(fingerprint)
        if waiting is not None and path in waiting.targets:
            waiting.targets = tuple(target for target in waiting.targets if target != path)
            self._counters.relays_spared += 1

    def next_due_s(self) -> float | None:
        """When `handle_timeout` has something to do."""
        return self._due[0][0] if self._due else None

    def handle_timeout(self, now_s: float) -> list[Transmit]:
        """What is passed on now."""
        transmits = []
        while self._due and self._due[0][0] <= now_s:
            waiting = self._waiting.pop(heappop(self._due)[1])
            if waiting.targets:
                self._counters.relayed += 1
                transmits.append(Transmit(waiting.datagram, waiting.targets))
        return transmits
