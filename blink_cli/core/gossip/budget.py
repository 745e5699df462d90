"""Token buckets: how much of something a second is allowed, altogether and for each source."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final

BURST_S: Final = 2.0
"""A bucket holds what flows in during this time: what was saved in silence can be spent at once."""


class TokenBucket:
    """Full at first."""

    __slots__ = ("_burst", "_filled_s", "_per_s", "_tokens")

    def __init__(self, per_s: float) -> None:
        """Allow `per_s` a second in the long run, and `BURST_S` times as many at once."""
        self._per_s = per_s
        self._burst = max(1.0, per_s * BURST_S)
        self._tokens = self._burst
        self._filled_s: float | None = None

    def has_token(self, now_s: float) -> bool:
        """Whether `spend` is allowed now."""
        if self._filled_s is not None:
            self._tokens = min(self._burst, self._tokens + (now_s - self._filled_s) * self._per_s)
        self._filled_s = now_s
        return self._tokens >= 1.0

    def spend(self) -> None:
        """Take one token; only after `has_token` said so."""
        self._tokens -= 1.0

    def take(self, now_s: float) -> bool:
        """Take one token if there is one."""
        if not self.has_token(now_s):
            return False
        self.spend()
        return True


class SharedBudget:
    """One bucket for all, and one for each source: nothing is taken unless both have a token.

    A source that sends too much therefore spends its own tokens only. Many sources together (spoofed ones, say) can
    exhaust the bucket of all: that is why strangers, proven sources and members have budgets of their own.
    """

    def __init__(self, *, per_s: float, per_source_per_s: float, sources: int) -> None:
        """Remember up to `sources` sources; the one that was silent longest is forgotten first."""
        self._all = TokenBucket(per_s)
        self._per_source_per_s = per_source_per_s
        self._max_sources = sources
        self._sources: OrderedDict[Hashable, TokenBucket] = OrderedDict()

    def take(self, source: Hashable, now_s: float) -> bool:
        """Spend one token of this source and one of all."""
        bucket = self._sources.get(source)
        if bucket is None:
            if len(self._sources) >= self._max_sources:
                self._sources.popitem(last=False)
            bucket = self._sources[source] = TokenBucket(self._per_source_per_s)
        else:
            self._sources.move_to_end(source)
        if not (bucket.has_token(now_s) and self._all.has_token(now_s)):
            return False
        bucket.spend()
        self._all.spend()
        return True
