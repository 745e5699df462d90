"""Who is there: peers found by DNS-SD, named in contacts, or simply heard; alive when something signed by them arrived lately.

    found, contacts, heard --> PresenceTable --> SendPresence (to everyone known, about every second)
                                             --> Emit PeerAppeared, PeerVanished

A peer is never believed to be there because it, or DNS-SD, says so: only because it was heard. Two sessions that know each other send
one presence a second each way; one that is suddenly silent is asked more often before it is given up. Pure; monotonic `now_s`.

Through a broker, which loses nothing while it is connected and overhears everything, one goes every five seconds, and none between. Who is
heard that way alone is given up later; sooner when the broker itself is lost.
"""

import math
from dataclasses import dataclass
from typing import Final

import msgspec

from blink_cli.core.fact import Emit
from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.identity.nickname import harmless_nickname
from blink_cli.core.ids import Did
from blink_cli.core.presence.facts import (
    PeerAppeared,
    PeerClockAgrees,
    PeerClockDiffers,
    PeerVanished,
    PresenceFact,
)
from blink_cli.core.presence.multicast_watch import MulticastWatch
from blink_cli.core.text.clock_words import TOLD_FROM_S

ALIVE_S: Final = 3.0
"""Silence after which a peer is gone: the promise of `peers`."""

PROBE_S: Final = 1.0
"""Between two presences to a peer that is there, whatever else is said to it or done here: who only sees when something is sent learns nothing from it."""

DOUBT_S: Final = 1.2
"""Silence after which it is asked more often: one presence was probably lost."""

DOUBT_PROBE_S: Final = 0.12
"""Fifteen questions before it is given up. With 30 % loss each way half of them fail, and all of them once in 25,000 times; five
questions were not enough: five false alarms in ten minutes."""

BROKER_PROBE_S: Final = 5.0
"""The same as `PROBE_S`, through a broker: contacts may be many there, and each message costs the broker one in and one out."""

BROKER_ALIVE_S: Final = 12.0
"""Two presences and some: one may be lost with a connection."""

BROKER_LOST_S: Final = 2.4
"""Who is heard through a broker alone is gone so long after the broker was lost: one that was only started anew is back before. One that stands
still is noticed after 2.5 s."""

BROKER_ABSENT_PROBE_S: Final = 30.0
"""To a contact that is not there: it asks when it comes, and we ask when our connection comes."""

REPLY_GAP_S: Final = 0.1
"""Nobody makes us answer more often than this."""

ABSENT_PROBE_S: Final = 5.0
"""Between two presences to a peer that is not there: it will speak first when it comes."""

FOUND_PROBES: Final = 10
"""To a peer that DNS-SD names and that is not heard: so often it is asked every second; then half as often each time, or as any absent peer
if it is a contact or was heard before. Records are claims: a burst of them, which anybody can say, must not set our pace for as long as they say."""

MOST_PROBE_S: Final = 64.0

UNHEARD_PROBES_PER_S: Final = 8.0
"""To all those together who are no contacts and were never heard, whoever names them and however: 0.2 ms of sealing each, a datagram on each path."""

MAX_UNHEARD_AT_ADDRESS: Final = 32
"""Peers that DNS-SD places at one address and that were never heard. More than anybody's machine runs."""

NAMED_FOR_S: Final = 15.0
"""How long somebody is asked who was only named, by a greeting that nobody signed: three questions. Else whoever invents names once
would have every session ask for them for ever."""

NAME_WAIT_S: Final = 0.8
"""How long the news of somebody who was heard waits for the name, which a presence brings: two questions, so that one may be lost."""

FAREWELL_S: Final = 1.0
"""After a goodbye, what its peer said last may still come, repeated or by way of others; so long it proves nothing."""

MAX_PEERS: Final = 256
"""Known peers. Full: one that is not there makes room, the longest unheard first; contacts stay."""

PACES_AT_ONCE_S: Final = 0.25
"""The paces of many meet in moments that are so far apart, so that the session wakes four times a second for them and not once for each: what is sealed behind another
is sealed in half of the time. When something is sent still says nothing but how many are there."""

MAX_PROBES_PER_WAKE: Final = 16
"""A presence costs 0.2 ms of sealing; the rest follow a moment later, so that voice on the same loop is not held up."""

_SPREAD_S: Final = 0.02
_SAME_S: Final = 0.001
"""Closer than this two moments are one."""


class SendPresence(msgspec.Struct, frozen=True):
    """Tell this peer that we are here."""

    peer: Did
    reply_wanted: bool
    off_pace: bool = False
    """Between two of the pace of what a third party overhears: for other ways alone."""


PresenceEffect = SendPresence | Emit[PresenceFact]


class PeerClock(msgspec.Struct, frozen=True):
    """A peer's wall clock beside ours."""

    ahead_s: float
    proved: bool
    """By an answer of the peer; if not, by the dates of its messages, which are not believed."""


class PeerView(msgspec.Struct, frozen=True):
    """One peer at one moment."""

    did: Did
    nickname: str
    """What it calls itself: a claim; empty when it has said nothing."""

    address: str | None
    """None when it is not known: of who is heard through a broker alone, say."""

    alive: bool
    last_seen_ms: int | None
    """Since it was last heard; None when never."""

    overheard: bool
    """Whether it is heard through a broker alone."""

    clock: PeerClock | None = None
    """How its wall clock differs from ours, if that is known."""


@dataclass(slots=True)
class _Peer:
    did: Did
    nickname: str = ""
    address: str | None = None
    heard_s: float = -math.inf
    expected_s: float = -math.inf
    """When it was last heard as it should: by multicast, or as a unicast neighbour."""

    network_s: float = -math.inf
    """When it was last heard by the network, and not by a broker."""

    overheard: bool = False
    """Whether it is heard through a broker alone."""

    alive: bool = False
    found: bool = False
    named_s: float = -math.inf
    """When it was named last without a signature."""

    told_at_s: float | None = None
    """When users are told at the latest that it is there; None when they were, or need not be."""

    said_goodbye_s: float = -math.inf
    in_contacts: bool = False
    clock: PeerClock | None = None
    told_ahead_s: float | None = None
    """The difference that users were told last; None when they need not know of any."""

    sent_s: float = -math.inf
    pace_s: float = -math.inf
    """When the next presence of its pace is due."""

    broker_pace_s: float = -math.inf
    """When the next one is that a third party may overhear."""

    due_s: float = -math.inf
    """When it is to be looked at: then, or before if it is not heard."""

    just_came: bool = False
    unanswered: int = 0
    """How often it was asked since it was heard or named by DNS-SD for the first time."""

    @property
    def is_known(self) -> bool:
        """Whether it is more than a name: a contact, or one that was heard."""
        return self.in_contacts or self.heard_s != -math.inf

    @property
    def only_named(self) -> bool:
        """Whether nothing signed has come from it, and nobody here or on the network vouches for it now."""
        return self.heard_s == -math.inf and self.clock is None and not (self.found or self.in_contacts)


class PresenceTable:
    """One session's. Not safe for several threads."""

    def __init__(self, own: Did) -> None:
        """Know nobody.

        Args:
            own: This session's identity, which is nobody's peer.

        """
        self._own = own
        self._peers: dict[Did, _Peer] = {}
        self._multicast = MulticastWatch()
        self._unheard_probes = TokenBucket(UNHEARD_PROBES_PER_S)
        self._paced_s: float | None = None
        """One of the moments in which paces meet; None before the first."""

        self._broker_found_s = -math.inf
        self._broker_lost_s: float | None = None
        """When it was; None: it was not."""

    def found(self, did: Did, nickname: str, address: str, now_s: float) -> list[PresenceEffect]:
        """DNS-SD names a session: a claim. It is asked at once."""
        if did not in self._peers and self._unheard_at(_host_of(address)) >= MAX_UNHEARD_AT_ADDRESS:
            return []
        peer = self._know(did)
        if peer is None:
            return []
        peer.found = True
        peer.said_goodbye_s = -math.inf
        if not peer.alive:
            # What it said itself, signed, is worth more than what anybody can announce.
            peer.nickname = harmless_nickname(nickname) or peer.nickname
            peer.address = address
        if peer.is_known or not peer.unanswered:  # else its pace is its own, however often it is named anew
            peer.due_s = now_s
        return self.handle_timeout(now_s)

    def noticed(self, did: Did, nickname: str, address: str, now_s: float) -> list[PresenceEffect]:
        """A session says, unsigned, that it is there: it is asked, and listed when it answers."""
        peer = self._know(did)
        if peer is None or peer.alive or now_s - peer.sent_s < REPLY_GAP_S:
            return []
        peer.nickname = harmless_nickname(nickname) or peer.nickname
        peer.address = address
        peer.named_s = peer.due_s = now_s
        return self.handle_timeout(now_s)

    def gone(self, did: Did, now_s: float) -> list[PresenceEffect]:
        """DNS-SD said goodbye, or its records expired. One that is still heard after `FAREWELL_S` appears again."""
        peer = self._peers.get(did)
        if peer is None:
            return []
        peer.found = False
        peer.said_goodbye_s = peer.named_s = now_s
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
        return self.handle_timeout(now_s)

    def broker_lost(self, now_s: float) -> None:
        """Nothing comes through the broker: who is heard there alone is given up soon."""
        self._broker_lost_s = now_s
        for peer in self._peers.values():
            if peer.alive and peer.overheard:
                peer.due_s = min(peer.due_s, self._gone_s(peer))

    def broker_found(self, now_s: float) -> list[PresenceEffect]:
        """A broker is connected: contacts are told, and who is not there is asked."""
        self._broker_found_s, self._broker_lost_s = now_s, None
        for peer in self._peers.values():
            if peer.in_contacts:
                peer.broker_pace_s = now_s
                if peer.overheard or not peer.alive:
                    peer.due_s = now_s
        return self.handle_timeout(now_s)

    def heard(
        self, did: Did, now_s: float, *, expected: bool = True, overheard: bool = False
    ) -> list[PresenceEffect]:
        """Something that this peer signed has arrived.

        Args:
            did: Who.
            now_s: When.
            expected: It came by multicast, or from a unicast neighbour, as everything that the peer says should.
            overheard: It came through a broker.

        """
        peer = self._know(did)
        if peer is None:
            return []
        self._heard_by(peer, now_s, overheard=overheard)
        peer.heard_s = now_s
        if expected:
            peer.expected_s = now_s
        effects = self._is_there(peer, now_s)
        if not expected:
            effects += self._multicast.otherwise(did, now_s)
        return effects

    def answered(self, did: Did, now_s: float) -> list[PresenceEffect]:
        """A session of this peer has acknowledged something. It takes all ways to do so: nothing follows for multicast."""
        peer = self._know(did)
        if peer is None:
            return []
        peer.heard_s = now_s
        return self._is_there(peer, now_s)

    def heard_by_multicast(self, did: Did, path: str, now_s: float) -> list[PresenceEffect]:
        """Something that this peer signed came by multicast; `path` is the address of the interface."""
        peer = self._peers.get(did)
        if peer is not None:
            peer.expected_s = now_s
            self._heard_by(peer, now_s, overheard=False)
        return [] if did == self._own else [*self._multicast.by_multicast(did, path, now_s)]

    def clock_read(
        self, did: Did, clock: PeerClock, address: str | None, now_s: float
    ) -> list[PresenceEffect]:
        """How this peer's clock differs from ours. Unproved, nothing else is known of it but where its messages come from."""
        peer = self._know(did)
        if peer is None:
            return []
        peer.clock = clock
        effects: list[PresenceEffect] = []
        if clock.proved:
            peer.heard_s = now_s
            effects += self._is_there(peer, now_s)
        if not peer.alive:
            peer.address = address
        differs = abs(clock.ahead_s) >= TOLD_FROM_S
        told_s = peer.told_ahead_s
        if differs and (told_s is None or abs(clock.ahead_s - told_s) >= TOLD_FROM_S):
            peer.told_ahead_s = clock.ahead_s
            event = PeerClockDiffers(
                did=did, nickname=peer.nickname, ahead_s=round(clock.ahead_s, 3), proved=clock.proved
            )
            return [*effects, Emit(event)]
        if not differs and told_s is not None:
            peer.told_ahead_s = None
            return [*effects, Emit(PeerClockAgrees(did=did, nickname=peer.nickname))]
        return effects

    def media_heard(self, did: Did, now_s: float) -> None:
        """Media of this peer arrives: it is still there, whatever becomes of its signals."""
        peer = self._peers.get(did)
        if peer is not None:
            peer.heard_s = max(peer.heard_s, now_s)

    def presence(
        self,
        did: Did,
        nickname: str,
        address: str,
        now_s: float,
        *,
        reply_wanted: bool,
        expected: bool = True,
        overheard: bool = False,
    ) -> list[PresenceEffect]:
        """A presence of this peer has arrived; `expected` and `overheard` as in `heard`."""
        peer = self._know(did)
        if peer is None:
            return []
        peer.nickname = harmless_nickname(nickname)
        if not overheard:
            peer.address = address
        effects = [*self._tell(peer), *self.heard(did, now_s, expected=expected, overheard=overheard)]
        if reply_wanted and overheard:
            # Not at once: who only sees when something is sent is told no more than that the other has come.
            peer.broker_pace_s = min(peer.broker_pace_s, now_s + PROBE_S)
            peer.due_s = min(peer.due_s, peer.broker_pace_s)
        elif reply_wanted and now_s - peer.sent_s >= REPLY_GAP_S:
            effects.append(self._send(peer, now_s, reply_wanted=False))
        return effects

    def is_there(self, did: Did) -> bool:
        """Whether this peer is heard."""
        peer = self._peers.get(did)
        return peer is not None and peer.alive

    def next_timeout(self) -> float | None:
        """When `handle_timeout` has something to do; None when nobody is known."""
        return min((_wanted_s(peer) for peer in self._peers.values()), default=None)

    def handle_timeout(self, now_s: float) -> list[PresenceEffect]:
        """Send what is due; notice who is silent."""
        effects: list[PresenceEffect] = []
        for peer in self._peers.values():
            if peer.told_at_s is not None and peer.told_at_s <= now_s:
                effects += self._tell(peer)
        due = sorted(
            (peer for peer in self._peers.values() if peer.due_s <= now_s),
            key=lambda peer: (not peer.is_known, peer.due_s),
        )
        for peer in due[MAX_PROBES_PER_WAKE:]:
            peer.due_s = now_s + _SPREAD_S
        for peer in due[:MAX_PROBES_PER_WAKE]:
            if peer.only_named and now_s - peer.named_s > NAMED_FOR_S:
                del self._peers[peer.did]
                continue
            if not peer.is_known and not self._unheard_probes.take(now_s):
                peer.due_s = now_s + 1.0 / UNHEARD_PROBES_PER_S
                continue
            if peer.alive and now_s >= self._gone_s(peer):
                effects += self._vanish(peer)
            missed = now_s - min(peer.heard_s, peer.expected_s) >= _doubt_s(peer)
            unnamed = peer.told_at_s is not None
            if peer.alive and not self._is_to_be_told(peer, now_s, missed=missed):
                self._set_due(peer, now_s)  # it was heard in the meantime
                continue
            effects.append(self._send(peer, now_s, reply_wanted=not peer.alive or missed or unnamed))
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
                overheard=peer.overheard,
                clock=peer.clock,
            )
            for peer in self._peers.values()
            if peer.found or peer.heard_s != -math.inf or peer.clock is not None
        ]
        return tuple(sorted(views, key=lambda view: (not view.alive, view.nickname.casefold(), view.did)))

    def claims(self, *, alive: bool) -> dict[Did, str]:
        """What those who are there, or those who are not, call themselves."""
        return {
            peer.did: peer.nickname for peer in self._peers.values() if peer.nickname and peer.alive == alive
        }

    def _gone_s(self, peer: _Peer) -> float:
        """When a peer is given up that is not heard meanwhile."""
        if not peer.overheard:
            return peer.heard_s + ALIVE_S
        gone_s = peer.heard_s + BROKER_ALIVE_S
        if self._broker_lost_s is not None:
            gone_s = min(gone_s, max(peer.heard_s, self._broker_lost_s) + BROKER_LOST_S)
        return gone_s

    @staticmethod
    def _is_to_be_told(peer: _Peer, now_s: float, *, missed: bool) -> bool:
        """Whether a peer that is there gets a presence now."""
        if peer.overheard:
            return now_s >= peer.broker_pace_s - _SAME_S
        return missed or peer.told_at_s is not None or peer.just_came or now_s >= peer.pace_s

    def _send(self, peer: _Peer, now_s: float, *, reply_wanted: bool) -> SendPresence:
        off_pace = now_s < peer.broker_pace_s - _SAME_S
        peer.sent_s = now_s
        peer.just_came = False
        if not peer.alive:
            peer.unanswered += 1
            peer.pace_s = now_s + _wait_for_absent_s(peer, now_s - peer.heard_s)
            if not off_pace:
                peer.broker_pace_s = now_s + _wait_behind_broker_s(
                    now_s - self._broker_found_s, now_s - peer.heard_s
                )
        else:
            if now_s >= peer.pace_s:
                peer.pace_s = self._met_s(_next_s(peer.pace_s, PROBE_S, now_s))
            if not off_pace:
                peer.broker_pace_s = _next_s(peer.broker_pace_s, BROKER_PROBE_S, now_s)
        self._set_due(peer, now_s)
        return SendPresence(peer.did, reply_wanted, off_pace)

    def _met_s(self, pace_s: float) -> float:
        """The moment at or before this one in which paces meet."""
        if self._paced_s is None:
            self._paced_s = pace_s
        steps = math.floor((pace_s - self._paced_s) / PACES_AT_ONCE_S + _SAME_S)
        return self._paced_s + steps * PACES_AT_ONCE_S

    def _set_due(self, peer: _Peer, now_s: float) -> None:
        if not peer.alive:
            asks_broker = peer.in_contacts and self._broker_found_s != -math.inf
            peer.due_s = min(peer.pace_s, peer.broker_pace_s) if asks_broker else peer.pace_s
        elif peer.overheard:
            peer.due_s = min(peer.broker_pace_s, max(now_s, self._gone_s(peer)))
        elif peer.told_at_s is not None:
            peer.due_s = min(peer.pace_s, now_s + NAME_WAIT_S / 2)
        elif now_s - peer.heard_s >= DOUBT_S:
            peer.due_s = min(peer.pace_s, now_s + DOUBT_PROBE_S, max(now_s, peer.heard_s + ALIVE_S))
        else:
            doubted_s = peer.heard_s + DOUBT_S
            if now_s < peer.expected_s + DOUBT_S:
                doubted_s = min(doubted_s, peer.expected_s + DOUBT_S)
            peer.due_s = min(peer.pace_s, max(doubted_s, now_s + DOUBT_PROBE_S))

    def _heard_by(self, peer: _Peer, now_s: float, *, overheard: bool) -> None:
        """Note by which kind of way a peer is heard; by both it is heard by the network."""
        before = peer.overheard
        if not overheard:
            peer.network_s = now_s
            peer.overheard = False
        elif now_s - peer.network_s >= ALIVE_S:
            peer.overheard = True
            peer.address = None
        if peer.overheard != before and peer.alive:
            peer.due_s = min(peer.due_s, now_s)

    def _is_there(self, peer: _Peer, now_s: float) -> list[PresenceEffect]:
        if peer.alive or now_s - peer.said_goodbye_s < FAREWELL_S:
            return []
        peer.alive = True
        peer.unanswered = 0
        peer.just_came = True
        peer.pace_s = min(peer.pace_s, now_s + PROBE_S)
        peer.broker_pace_s = min(peer.broker_pace_s, now_s + PROBE_S)
        peer.due_s = min(peer.due_s, now_s)
        peer.told_at_s = now_s + NAME_WAIT_S
        # A contact is shown by the name that it has here.
        return self._tell(peer) if peer.nickname or peer.in_contacts else []

    def _tell(self, peer: _Peer) -> list[PresenceEffect]:
        if peer.told_at_s is None:
            return []
        peer.told_at_s = None
        return [Emit(PeerAppeared(did=peer.did, nickname=peer.nickname))]

    def _vanish(self, peer: _Peer) -> list[PresenceEffect]:
        if not peer.alive:
            return []
        peer.alive = False
        if peer.told_at_s is not None:  # nobody was told that it was there
            peer.told_at_s = None
            return []
        return [Emit(PeerVanished(did=peer.did, nickname=peer.nickname))]

    def _unheard_at(self, host: str) -> int:
        """How many there are at an address who are no more than names."""
        return sum(
            not peer.is_known and peer.address is not None and _host_of(peer.address) == host
            for peer in self._peers.values()
        )

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


def _wanted_s(peer: _Peer) -> float:
    return peer.due_s if peer.told_at_s is None else min(peer.due_s, peer.told_at_s)


def _next_s(due_s: float, every_s: float, now_s: float) -> float:
    """When the next of a pace is due after this one, which may be late: what is late does not move those that follow."""
    late_s = now_s - due_s
    return now_s + every_s - (late_s if late_s < every_s else 0.0)


def _doubt_s(peer: _Peer) -> float:
    """How long it may be silent before it is asked."""
    return BROKER_PROBE_S + DOUBT_S - PROBE_S if peer.overheard else DOUBT_S


def _wait_behind_broker_s(connected_s: float, silent_s: float) -> float:
    """Until the next question to a contact that is not there; one that came at the same moment may not have listened yet."""
    if connected_s < 2 * PROBE_S:
        return PROBE_S
    return BROKER_PROBE_S if min(connected_s, silent_s) <= BROKER_ABSENT_PROBE_S else BROKER_ABSENT_PROBE_S


def _wait_for_absent_s(peer: _Peer, silent_s: float) -> float:
    if not peer.found:
        return ABSENT_PROBE_S if silent_s > 2 * ABSENT_PROBE_S else PROBE_S
    if peer.unanswered <= FOUND_PROBES:
        return PROBE_S
    return (
        ABSENT_PROBE_S
        if peer.is_known
        else min(PROBE_S * 2.0 ** (peer.unanswered - FOUND_PROBES), MOST_PROBE_S)
    )


def _host_of(address: str) -> str:
    """The host of `HOST:PORT`."""
    return address.rpartition(":")[0] or address
