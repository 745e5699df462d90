"""Which multicast paths are worth a datagram each time: those on which somebody was heard, and a few on which nobody was.

A machine with containers has a hundred interfaces and people behind one of them; an interface with both families is two paths to mostly
the same people. So everything usual goes out by

    the first path of each link (IPv4, where there is one), on the eight most useful interfaces
    and every path that brought something lately which did not also come by the first path of its link

and by all paths goes what somebody may be waiting for elsewhere: greetings, signals to a peer that was not heard lately, repetitions, and
questions to a peer that has become silent (core/gossip/outbox.py).
"""

import math

import msgspec

from blink_cli.core.gossip.paths import Path, PathKind
from blink_cli.core.gossip.recent import RecentMap
from blink_cli.core.gossip.settings import GossipSettings


class _First(msgspec.Struct, frozen=True):
    """By which path a datagram came first, and when that path had brought something before."""

    path: Path
    before_s: float
    now_s: float


class LivelyPaths:
    """Of one session."""

    def __init__(self, settings: GossipSettings) -> None:
        """Know no path."""
        self._settings = settings
        self._spare: frozenset[Path] = frozenset()
        """Second and further paths of their links."""

        self._quiet_allowed: frozenset[Path] = frozenset()
        self._heard_s: dict[Path, float] = {}
        self._first: RecentMap[int, _First] = RecentMap(settings.lively_datagrams)

    def set_paths(self, paths: tuple[Path, ...]) -> None:
        """These are the transport's paths now, the most useful first."""
        links: set[str] = set()
        first: list[Path] = []
        for path in paths:
            if path.kind is PathKind.UNICAST or (path.link and path.link in links):
                continue
            links.add(path.link)
            first.append(path)
        self._spare = frozenset(path for path in paths if path.kind is not PathKind.UNICAST) - set(first)
        self._quiet_allowed = frozenset(first[: self._settings.quiet_paths])
        self._heard_s = {path: heard_s for path, heard_s in self._heard_s.items() if path in paths}

    def came(self, fingerprint: int, path: Path, now_s: float) -> None:
        """A datagram of somebody else came this way, for the first time or again."""
        if path.kind is PathKind.UNICAST:
            return
        first = self._first.get(fingerprint)
        if first is None:
            self._first.set(fingerprint, _First(path, self._heard_s.get(path, -math.inf), now_s))
            self._heard_s[path] = now_s
        elif first.path in self._spare and path not in self._spare and path.shares_link(first.path):
            # It was only the quicker of two copies, and says nothing of people who hear the spare path alone.
            self._heard_s[path] = now_s
            if self._heard_s.get(first.path) == first.now_s:
                self._heard_s[first.path] = first.before_s

    def usual(self, paths: tuple[Path, ...], now_s: float) -> tuple[Path, ...]:
        """Those of these paths that everything is sent on."""
        if not self._spare and len(paths) <= self._settings.quiet_paths:
            return paths
        since_s = now_s - self._settings.lively_for_s
        return tuple(
            path
            for path in paths
            if path.kind is PathKind.UNICAST
            or path in self._quiet_allowed
            or self._heard_s.get(path, -math.inf) >= since_s
        )
