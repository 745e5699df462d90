"""The topics that this session listens to, what may come on each, and whose words it is then.

public    of this identity, two days                        first words of anybody                   always
knock     of this identity, recognised by a hash            the same                                 always
pair      of each peer that is known, two days              what that peer says outside of calls     while it is known
call      of a call, for each of its keys                   what a participant says to all           while the call is, and the key is read
member    of a call and a participant                       what it says to this session alone       while the call is

Known are contacts, those invited to open calls, and those who said something here or were spoken to: whoever says something to a peer
listens to what it answers. Signals of another kind on a topic are refused, and so is another sender than the one whose topic it is.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum
from typing import Final

import msgspec
from msgspec.structs import replace

from blink_cli.core.gossip.acquaintances import Acquaintances
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.pair_secrets import PairSecrets
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import (
    Announce,
    Attending,
    Busy,
    Cancel,
    ClockReply,
    ClockRequest,
    Decline,
    Leave,
    NewKey,
    Offer,
    Presence,
    Redial,
    RoomAnnounce,
    SessionDescription,
    Signal,
)
from blink_cli.core.signaling.topics import (
    SALT_BYTES,
    TOPIC_BYTES,
    Channel,
    Topic,
    call_channel,
    days_around,
    key_id_of,
    knock_channel,
    member_channel,
    pair_channel,
    public_channel,
)

PEER_SIGNALS: Final = frozenset({Offer, Cancel, Decline, Busy, NewKey, Presence, ClockRequest, ClockReply})
"""Outside of calls: its receiver may not have the call's key yet."""

PAIR_SIGNALS: Final = frozenset({SessionDescription, Redial})
CALL_SIGNALS: Final = frozenset({Announce, RoomAnnounce, Attending, Leave})

MAX_HEARD: Final = 512
"""Peers that are neither contacts nor invited, and are listened to all the same: those who were heard, or spoken to, last."""

OLD_DAYS_S: Final = 60.0
"""So long the days of a clock that was set are still listened to: peers learn of it within seconds."""


class Place(Enum):
    """What kind of channel it is."""

    PUBLIC = "public"
    PAIR = "pair"
    CALL = "call"
    MEMBER = "member"


class Listening(msgspec.Struct, frozen=True):
    """What a topic of ours means."""

    place: Place
    key: bytes
    """Seals its datagrams."""

    kinds: frozenset[type]
    recipient: bytes
    """What a signature on this topic must name: this session's public key, or the call's group."""

    peer: bytes | None = None
    """Who alone can speak here, beside this session; None: more than one."""

    call_id: CallId | None = None
    key_id: bytes = b""
    """Of a call: by which of its keys; empty: by that of the invitation."""

    def takes(self, sender: bytes, signal: Signal) -> bool:
        """Whether this sender may say this kind of signal here, and speaks of its call."""
        if type(signal) not in self.kinds or self.peer not in (None, sender):
            return False
        return not isinstance(signal, SessionDescription | Redial) or signal.call_id == self.call_id


class CallKey(msgspec.Struct, frozen=True):
    """One key of a call."""

    recipient: bytes
    """What a signature to the whole call names."""

    channel: Channel


class OpenCall(msgspec.Struct, frozen=True):
    """A call whose keys this session has."""

    invitation: bytes
    """The group key that came with the offer."""

    participants: tuple[Did, ...]
    """Everyone invited, without this session."""

    keys: dict[bytes, CallKey]
    """By their names: that of the invitation has the empty one."""

    topics: tuple[Topic, ...]
    """Where participants speak to this session alone."""


class SignalTopics:
    """Of one session."""

    def __init__(self, identity: Identity, acquaintances: Acquaintances) -> None:
        """Listen to nobody before `set_date` has said which day it is."""
        self._own_key = identity.public_key
        self._own_did = identity.did
        self._acquaintances = acquaintances
        self._secrets = PairSecrets(identity)
        self._calls: dict[CallId, OpenCall] = {}
        self._days: dict[int, float] = {}
        """Which days are listened to, and until when; those of now without an end."""

        self._kept: frozenset[bytes] = frozenset()
        """Contacts, and those who are invited."""

        self._heard: OrderedDict[bytes, None] = OrderedDict()
        self._listening: dict[Topic, Listening] = {}
        self._public = Listening(Place.PUBLIC, b"", PEER_SIGNALS, identity.public_key)
        self.revision = 0
        """Another number: `by_class` tells other topics."""

        self._expected: tuple[Topic, ...] = ()
        self._expected_revision = -1

    # Which topics.

    def get(self, topic: Topic) -> Listening | None:
        """What a topic means; None: it is not ours. 2 us for one that is not."""
        known = self._listening.get(topic)
        if known is not None:
            return known
        knock = knock_channel(self._own_key, topic[:SALT_BYTES])
        return replace(self._public, key=knock.key) if knock.topic == topic else None

    def by_class(self) -> dict[Topic, SenderClass]:
        """Every topic that is listened to, but for knocks, and whose words come on it."""
        return {topic: self.class_of(listening) for topic, listening in self._listening.items()}

    def expected(self) -> tuple[Topic, ...]:
        """Those of calls, of contacts, of who is invited, of who was heard, the last one first, in this order. The same tuple until one changes."""
        if self._expected_revision != self.revision:
            # Who spoke lately comes first: identities that somebody makes up and lets speak once shut nobody out.
            turn = {peer: number for number, peer in enumerate(reversed(self._heard))}
            known = [
                (listening.call_id is None, -sender_class, turn.get(listening.peer or b"", 0), topic)
                for topic, listening in self._listening.items()
                if (sender_class := self.class_of(listening)) is not SenderClass.STRANGER
            ]
            self._expected_revision, self._expected = (
                self.revision,
                tuple(topic for *_, topic in sorted(known)),
            )
        return self._expected

    def class_of(self, listening: Listening) -> SenderClass:
        """Who speaks on this topic, as far as the topic alone tells."""
        if listening.place is Place.PUBLIC:
            return SenderClass.STRANGER
        least = SenderClass.HEARD if listening.place is Place.PAIR else SenderClass.INVITED
        return least if listening.peer is None else max(least, self._acquaintances.class_of(listening.peer))

    def is_open(self, listening: Listening) -> bool:
        """Whether what came on this topic still has its place."""
        return listening.call_id is None or listening.call_id in self._calls

    def set_date(self, date_ms: int, now_s: float) -> None:
        """It is this time now, in the dates that our messages bear."""
        wanted = days_around(date_ms)
        if len(self._days) == len(wanted) and all(day in self._days for day in wanted):
            return
        days = {day: min(until_s, now_s + OLD_DAYS_S) for day, until_s in self._days.items()}
        days = {day: until_s for day, until_s in days.items() if until_s > now_s}
        days |= dict.fromkeys(wanted, math.inf)
        gone, new = self._days.keys() - days.keys(), days.keys() - self._days.keys()
        self._days = days
        if gone or new:
            for peer in (None, *self._kept, *self._heard):
                self._stop(peer, gone)
                self._begin(peer, new)

    def acquaintances_changed(self) -> None:
        """Listen to all contacts and all who are invited; others have been heard at most."""
        before, self._kept = self._kept, self._acquaintances.keys() - {self._own_key}
        for peer in before - self._kept:
            self._hear(peer)
        for peer in self._kept - before:
            if self._heard.pop(peer, self) is self:  # else it is listened to already
                self._begin(peer, self._days)
        self.revision += 1

    def acquaint(self, peer: bytes) -> None:
        """This peer said something here, or is spoken to: listen to it."""
        if peer in self._heard:
            self._heard.move_to_end(peer)
        elif peer not in self._kept and peer != self._own_key:
            self._begin(peer, self._days)
            self._hear(peer)

    def is_kept(self, peer: bytes) -> bool:
        """Whether this is a contact, or invited."""
        return peer in self._kept

    def _hear(self, peer: bytes) -> None:
        self._heard[peer] = None
        if len(self._heard) > MAX_HEARD:
            self._stop(self._heard.popitem(last=False)[0], self._days)

    def _begin(self, peer: bytes | None, days: Iterable[int]) -> None:
        for day in days:
            channel = self._from(peer, day)
            place = Place.PUBLIC if peer is None else Place.PAIR
            self._listening[channel.topic] = Listening(place, channel.key, PEER_SIGNALS, self._own_key, peer)
            self.revision += 1

    def _stop(self, peer: bytes | None, days: Iterable[int]) -> None:
        for day in days:
            self._listening.pop(self._from(peer, day).topic, None)
            self.revision += 1

    def _from(self, peer: bytes | None, day: int) -> Channel:
        if peer is None:
            return public_channel(self._own_key, day)
        return pair_channel(self._secrets.of(peer), self._own_key, day)

    # On which topic others are spoken to.

    def to_peer(self, peer: bytes, day: int) -> Channel:
        """Where a peer that knows us listens on that day, of its own clock."""
        return pair_channel(self._secrets.of(peer), peer, day)

    def to_member(self, peer: bytes, call_id: CallId) -> Channel:
        """Where a participant of an open call listens to us alone."""
        return member_channel(self.call(call_id).invitation, call_id, self._secrets.of(peer), peer)

    # Calls.

    def in_call(self) -> bool:
        """Whether any call is open."""
        return bool(self._calls)

    def open_call(self, call_id: CallId, group_key: bytes, participants: tuple[Did, ...]) -> None:
        """Listen to the topics of a call, which is not open."""
        others = tuple(did for did in participants if did != self._own_did)
        listening: dict[Topic, Listening] = {}
        for peer in map(public_key_of, others):
            own = member_channel(group_key, call_id, self._secrets.of(peer), self._own_key)
            listening[own.topic] = Listening(
                Place.MEMBER, own.key, PAIR_SIGNALS, self._own_key, peer, call_id=call_id
            )
        self._listening |= listening
        self._calls[call_id] = OpenCall(group_key, others, {}, tuple(listening))
        self._read_under(call_id, b"", group_key)

    def use_key(self, call_id: CallId, group_key: bytes) -> None:
        """Listen under another key of an open call too."""
        self._read_under(call_id, key_id_of(group_key), group_key)

    def drop_key(self, call_id: CallId, key_id: bytes) -> None:
        """Listen under this key no more."""
        del self._listening[self.call(call_id).keys.pop(key_id).channel.topic]
        self.revision += 1

    def _read_under(self, call_id: CallId, key_id: bytes, group_key: bytes) -> None:
        channel = call_channel(group_key, call_id)
        recipient = channel.topic + bytes(len(self._own_key) - TOPIC_BYTES)
        self.call(call_id).keys[key_id] = CallKey(recipient, channel)
        self._listening[channel.topic] = Listening(
            Place.CALL, channel.key, CALL_SIGNALS, recipient, call_id=call_id, key_id=key_id
        )
        self.revision += 1

    def close_call(self, call_id: CallId) -> bool:
        """Forget a call's key and topics; returns whether it was open."""
        closed = self._calls.pop(call_id, None)
        if closed is None:
            return False
        for topic in (*closed.topics, *(key.channel.topic for key in closed.keys.values())):
            del self._listening[topic]
        self.revision += 1
        return True

    def call(self, call_id: CallId) -> OpenCall:
        """A call that is open."""
        # The call machine opens a call's topics before it speaks on them (core/call/effects.py).
        assert call_id in self._calls, "signals inside a call need its topics to be open"
        return self._calls[call_id]
