"""Puts cut messages together, with a bound on everything that others could pile up. Each part has opened with the key of its channel."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from blink_cli.core.gossip.datagram import Datagram

_Key = tuple[Hashable, bytes, int]
"""Who says it, scope and count."""


@dataclass(slots=True)
class _Partial:
    began_s: float
    fragments: dict[int, bytes] = field(default_factory=dict)


class Reassembly:
    """Partial messages of one class of senders.

    A source is the peer whose channel it is, or where several may speak on a channel the address. Full for one source: its oldest goes. Full
    altogether: the oldest of the source that holds most goes, so that a flood displaces its own.
    """

    def __init__(self, *, per_source: int, total: int, age_s: float) -> None:
        """Hold up to `total` partial messages, `per_source` of them from one source, each for at most `age_s`."""
        self._per_source = per_source
        self._total = total
        self._age_s = age_s
        self._partials: dict[_Key, _Partial] = {}
        """In the order in which they began."""

        self.evictions = 0
        """Partial messages given up."""

    def __len__(self) -> int:
        return len(self._partials)

    def add(self, datagram: Datagram, part: bytes, source: Hashable, now_s: float) -> bytes | None:
        """Take one part; the whole message when it was the last one missing."""
        if datagram.count == 1:
            return part
        self._drop_old(now_s)
        key = (source, datagram.scope, datagram.count)
        partial = self._partials.get(key)
        if partial is None:
            self._make_room(source)
            partial = self._partials[key] = _Partial(now_s)
        partial.fragments.setdefault(datagram.index, part)
        if len(partial.fragments) < datagram.count:
            return None
        del self._partials[key]
        return b"".join(partial.fragments[index] for index in range(datagram.count))

    def _drop_old(self, now_s: float) -> None:
        while self._partials:
            oldest = next(iter(self._partials))
            if now_s - self._partials[oldest].began_s <= self._age_s:
                return
            self._evict(oldest)

    def _make_room(self, source: Hashable) -> None:
        own = [key for key in self._partials if key[0] == source]
        if len(own) >= self._per_source:
            self._evict(own[0])
        elif len(self._partials) >= self._total:
            held: dict[Hashable, list[_Key]] = {}
            for key in self._partials:
                held.setdefault(key[0], []).append(key)
            self._evict(max(held.values(), key=len)[0])

    def _evict(self, key: _Key) -> None:
        del self._partials[key]
        self.evictions += 1
