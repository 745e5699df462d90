"""Notices that multicast does not pass any more: peers that were heard by it are heard by other ways only.

    heard by multicast on P                          P passes
    heard otherwise, while nobody is heard on P      after `LASTS_S` of that: P has stopped

One peer whose multicast fails is its own trouble as long as anybody else's still comes. Pure; monotonic `now_s`.
"""

import math
from dataclasses import dataclass
from typing import Final

from blink_cli.core.fact import Emit
from blink_cli.core.ids import Did
from blink_cli.core.presence.facts import MulticastResumed, MulticastStopped, PresenceFact

SILENT_S: Final = 2.5
"""Peers speak every second, so two in a row are missing from everyone: not said for what loss does now and then."""

LASTS_S: Final = 1.5
"""So long they must be heard otherwise meanwhile: a cable that is plugged in again brings the unicast copy first."""

MAX_PEERS: Final = 512


@dataclass(slots=True)
class _Path:
    heard_s: float = -math.inf
    otherwise_since_s: float = math.inf
    stopped: bool = False


class MulticastWatch:
    """Of one session, for all its interfaces."""

    def __init__(self) -> None:
        """Have heard nothing yet."""
        self._paths: dict[str | None, _Path] = {}
        self._paths_of: dict[Did, str | None] = {}

    def by_multicast(self, did: Did, path: str, now_s: float) -> list[Emit[PresenceFact]]:
        """Something signed by this peer came by multicast on this path, named by the interface's address."""
        self._remember(did, path)
        effects: list[Emit[PresenceFact]] = []
        # Before anything was heard at all it was not known which interface does not pass.
        for name in (path, None):
            known = self._paths.get(name)
            if known is not None and known.stopped:
                effects.append(Emit(MulticastResumed(interface=name)))
            self._paths[name] = _Path(heard_s=now_s)
        return effects

    def otherwise(self, did: Did, now_s: float) -> list[Emit[PresenceFact]]:
        """Something signed by this peer came straight to us, which it only sends to who hears no multicast."""
        path = self._paths_of.get(did)
        known = self._paths.setdefault(path, _Path())
        if known.stopped or now_s - known.heard_s < SILENT_S:
            return []
        known.otherwise_since_s = min(known.otherwise_since_s, now_s)
        if now_s - known.otherwise_since_s < LASTS_S:
            return []
        known.stopped = True
        return [Emit(MulticastStopped(interface=path))]

    def _remember(self, did: Did, path: str) -> None:
        self._paths_of.pop(did, None)
        if len(self._paths_of) >= MAX_PEERS:
            del self._paths_of[next(iter(self._paths_of))]
        self._paths_of[did] = path
        if len(self._paths) > MAX_PEERS:
            self._paths.clear()
