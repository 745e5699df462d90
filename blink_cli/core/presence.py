"""Who is there: peers found by DNS-SD, named in contacts, or simply heard; alive when something signed by them arrived lately.

    found, contacts, heard --> PresenceTable --> SendPresence (to everyone known, about every second)
                                             --> Emit PeerAppeared, PeerVanished

A peer is never believed to be there because it, or DNS-SD, says so: only because it was heard. Two sessions that know each other send
one presence a second each way; one that is suddenly silent is asked more often before it is given up. Pure; monotonic `now_s`.
"""

import math
from dataclasses import dataclass
from typing import Final

from blink_cli.core.call_effects import Emit
from blink_cli.core.events import PeerAppeared, PeerVanished
from blink_cli.core.names import Did
from blink_cli.core.nickname import harmless_nickname

ALIVE_S: Final = 3.0
"""Silence after which a peer is gone: the promise of `peers`."""

PROBE_S: Final = 1.0
"""Between two presences to a peer that is there."""

DOUBT_S: Final = 1.2
"""Silence after which it is asked more often: one presence was probably lost."""

DOUBT_PROBE_S: Final = 0.12
"""Fifteen questions before it is given up. With 30 % loss each way half of them fail, and all of them once in 25,000 times; five
questions were not enough: five false alarms in ten minutes."""

REPLY_GAP_S: Final = 0.1
"""Nobody makes us answer more often than this."""

ABSENT_PROBE_S: Final = 5.0
"""Between two presences to a peer that is not there: it will speak first when it comes."""

FAREWELL_S: Final = 1.0
"""After a goodbye, what its peer said last may still come, repeated or by way of others; so long it proves nothing."""

MAX_PEERS: Final = 256
"""Known peers. Full: one that is not there makes room, the longest unheard first; contacts stay."""

MAX_PROBES_PER_WAKE: Final = 16
"""A presence costs 0.2 ms of sealing; the rest follow a moment later, so that voice on the same loop is not held up."""

_SPREAD_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class SendPresence:
    """Tell this peer that we are here."""

    peer: Did
    reply_wanted: bool


PresenceEffect = SendPresence | Emit


@dataclass(frozen=True, slots=True)
class PeerView:
    """One peer at one moment."""

    did: Did
    nickname: str
    """What it calls itself: a claim; empty when it has said nothing."""

    address: str | None
    alive: bool
    last_seen_ms: int | None
    """Since it was last heard; None when never."""


@dataclass(slots=True)
class _Peer:
    did: Did
    nickname: str = ""
    address: str | None = None
    heard_s: float = -math.inf
    alive: bool = False
    found: bool = False
    said_goodbye_s: float = -math.inf
    in_contacts: bool = False
    sent_s: float = -math.inf
    due_s: float = -math.inf


class PresenceTable:
    """One session's. Not safe for several threads."""

    def __init__(self, own: Did) -> None:
        """Know nobody.

        Args:
            own: This session's identity, which is nobody's peer.

        """
        self._own = own
        self._peers: dict[Did, _Peer] = {}

    def found(self, did: Did, nickname: str, address: str, now_s: float) -> list[PresenceEffect]:
        """DNS-SD names a session: a claim. It is asked at once."""
        peer = self._know(did)
        if peer is None:
            return []
        peer.found = True
        peer.said_goodbye_s = -math.inf
        if not peer.alive:
            # What it said itself, signed, is worth more than what anybody can announce.
            peer.nickname = harmless_nickname(nickname) or peer.nickname
            peer.address = address
        peer.due_s = now_s
        return self.wake(now_s)

    def gone(self, did: Did, now_s: float) -> list[PresenceEffect]:
        """DNS-SD said goodbye, or its records expired. One that is still heard after `FAREWELL_S` appears again."""
        peer = self._peers.get(did)
        if peer is None:
            return []
        peer.found = False
        peer.said_goodbye_s = now_s
        peer.due_s = now_s + FAREWELL_S
        return self._vanish(peer)

    def contacts(self, dids: frozenset[Did], now_s: float) -> list[PresenceEffect]:
        """These are the contacts now. They are looked for even where DNS-SD does not pass."""
        for peer in self._peers.values():
            peer.in_contacts = peer.did in dids
        for did in dids:
            peer_now = self._know(did)
            if peer_now is not None:
                peer_now.in_contacts = True
        return self.wake(now_s)

    def heard(self, did: Did, now_s: float) -> list[PresenceEffect]:
        """Something that this peer signed has arrived."""
        peer = self._know(did)
        if peer is None:
            return []
        peer.heard_s = now_s
        if peer.alive or now_s - peer.said_goodbye_s < FAREWELL_S:
            return []
        peer.alive = True
        peer.due_s = min(peer.due_s, now_s)
        return [Emit(PeerAppeared(did=did, nickname=peer.nickname))]

    def presence(
        self, did: Did, nickname: str, address: str, now_s: float, *, reply_wanted: bool
    ) -> list[PresenceEffect]:
        """A presence of this peer has arrived."""
        peer = self._know(did)
        if peer is None:
            return []
        peer.nickname = harmless_nickname(nickname)
        peer.address = address
        effects = self.heard(did, now_s)
        if reply_wanted and now_s - peer.sent_s >= REPLY_GAP_S:
            effects.append(self._send(peer, now_s, reply_wanted=False))
        return effects

    def next_wake(self) -> float | None:
        """When `wake` has something to do; None when nobody is known."""
        return min((peer.due_s for peer in self._peers.values()), default=None)

    def wake(self, now_s: float) -> list[PresenceEffect]:
        """Send what is due; notice who is silent."""
        effects: list[PresenceEffect] = []
        due = sorted(
            (peer for peer in self._peers.values() if peer.due_s <= now_s), key=lambda peer: peer.due_s
        )
        for peer in due[MAX_PROBES_PER_WAKE:]:
            peer.due_s = now_s + _SPREAD_S
        for peer in due[:MAX_PROBES_PER_WAKE]:
            silent_s = now_s - peer.heard_s
            if peer.alive and silent_s >= ALIVE_S:
                effects += self._vanish(peer)
            effects.append(self._send(peer, now_s, reply_wanted=not peer.alive or silent_s >= DOUBT_S))
        return effects

    def snapshot(self, now_s: float) -> tuple[PeerView, ...]:
        """Everyone found or heard, those who are there first."""
        views = [
            PeerView(
                did=peer.did,
                nickname=peer.nickname,
                address=peer.address,
                alive=peer.alive,
                last_seen_ms=None if peer.heard_s == -math.inf else round(1000 * (now_s - peer.heard_s)),
            )
            for peer in self._peers.values()
            if peer.found or peer.heard_s != -math.inf
        ]
        return tuple(sorted(views, key=lambda view: (not view.alive, view.nickname.casefold(), view.did)))

    def claims(self, *, alive: bool) -> dict[Did, str]:
        """What those who are there, or those who are not, call themselves."""
        return {
            peer.did: peer.nickname for peer in self._peers.values() if peer.nickname and peer.alive == alive
        }

    def _send(self, peer: _Peer, now_s: float, *, reply_wanted: bool) -> SendPresence:
        peer.sent_s = now_s
        silent_s = now_s - peer.heard_s
        if not peer.alive:
            peer.due_s = now_s + (
                ABSENT_PROBE_S if silent_s > 2 * ABSENT_PROBE_S and not peer.found else PROBE_S
            )
        elif silent_s >= DOUBT_S:
            peer.due_s = min(now_s + DOUBT_PROBE_S, max(now_s, peer.heard_s + ALIVE_S))
        else:
            peer.due_s = min(now_s + PROBE_S, peer.heard_s + max(DOUBT_S, PROBE_S))
            peer.due_s = max(peer.due_s, now_s + DOUBT_PROBE_S)
        return SendPresence(peer.did, reply_wanted)

    def _vanish(self, peer: _Peer) -> list[PresenceEffect]:
        if not peer.alive:
            return []
        peer.alive = False
        return [Emit(PeerVanished(did=peer.did, nickname=peer.nickname))]

    def _know(self, did: Did) -> _Peer | None:
        if did == self._own:
            return None
        peer = self._peers.get(did)
        if peer is None:
            if len(self._peers) >= MAX_PEERS and not self._make_room():
                return None
            peer = self._peers[did] = _Peer(did)
        return peer

    def _make_room(self) -> bool:
        absent = [peer for peer in self._peers.values() if not peer.alive and not peer.in_contacts]
        if not absent:
            return False
        del self._peers[min(absent, key=lambda peer: peer.heard_s).did]
        return True
