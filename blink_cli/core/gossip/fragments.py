"""Puts cut messages together, with a bound on everything that strangers could pile up."""

from dataclasses import dataclass, field

from blink_cli.core.gossip.datagram import Datagram
from blink_cli.core.gossip.paths import Address

_Key = tuple[Address, bytes, int]
"""Source, scope and count. By source, so that nobody can spoil another's message without spoofing its address."""


@dataclass(slots=True)
class _Partial:
    began_s: float
    fragments: dict[int, bytes] = field(default_factory=dict)


class Reassembly:
    """Partial messages of all sources.

    Full for one source: its oldest goes. Full altogether: the oldest of the source that holds most goes, so that a flood
    from one address displaces its own.
    """

    def __init__(self, *, per_source: int, total: int, age_s: float) -> None:
        """Hold up to `total` partial messages, `per_source` of them from one address, each for at most `age_s`."""
        self._per_source = per_source
        self._total = total
        self._age_s = age_s
        self._partials: dict[_Key, _Partial] = {}
        """In the order in which they began."""

        self.evictions = 0
        """Partial messages given up."""

    def __len__(self) -> int:
        return len(self._partials)

    def add(self, datagram: Datagram, source: Address, now_s: float) -> bytes | None:
        """Take one fragment; the whole sealed message when it was the last one missing.

        Of two fragments for one place the first is kept: a message that was spoilt this way does not open, and is
        forgotten, so that its repetition is taken afresh.
        """
        if datagram.count == 1:
            return datagram.fragment
        self._drop_old(now_s)
        key = (source, datagram.scope, datagram.count)
        partial = self._partials.get(key)
        if partial is None:
            self._make_room(source)
            partial = self._partials[key] = _Partial(now_s)
        partial.fragments.setdefault(datagram.index, datagram.fragment)
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

    def _make_room(self, source: Address) -> None:
        own = [key for key in self._partials if key[0] == source]
        if len(own) >= self._per_source:
            self._evict(own[0])
        elif len(self._partials) >= self._total:
            held: dict[Address, list[_Key]] = {}
            for key in self._partials:
                held.setdefault(key[0], []).append(key)
            self._evict(max(held.values(), key=len)[0])

    def _evict(self, key: _Key) -> None:
        del self._partials[key]
        self.evictions += 1
