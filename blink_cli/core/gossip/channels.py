"""On which channels a peer is spoken to, and which day it is there.

    heard lately                        its pair channel alone: it listens, or it would not have spoken
    known, but not heard lately         its pair channel and a public one: it may have begun anew, and know nobody
    only named                          a public one

The public ones take turns, a knock, which needs no day, and that of the day: clocks may differ by years. What day it is at a peer is known from
the dates of its messages, as far as they were believed or proved; else it is taken to be the day here.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from blink_cli.core.gossip.signal_topics import SignalTopics
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.topics import SALT_BYTES, Channel, day_of, knock_channel, public_channel

LISTENS_S: Final = 2.5
"""So long after it was heard a peer is taken to listen, for the first attempt of a signal: peers speak every second."""

ASKED_AFTER_S: Final = 1.5
"""The same for a presence that asks. What was repeated, or asks for a clock or prekey, was not answered: the peer may have begun anew just now."""

MAX_PEERS: Final = 1_024


class Way(IntEnum):
    """How a channel was chosen."""

    PAIR = 0
    MEMBER = 1
    PUBLIC = 2
    KNOCK = 3


@dataclass(slots=True)
class _Peer:
    ahead_ms: int | None = None
    """Its dates minus our monotonic time."""

    heard_s: float = -math.inf
    public_uses: int = 0


class Channels:
    """Of one session. Bounded: who was used longest ago is forgotten."""

    def __init__(self, topics: SignalTopics, entropy: Callable[[int], bytes]) -> None:
        """Know nothing of anybody."""
        self._topics = topics
        self._entropy = entropy
        self._peers: OrderedDict[bytes, _Peer] = OrderedDict()

    def heard(self, peer: bytes, sent_ms: int, now_s: float) -> None:
        """A message of this peer, with this date, was believed."""
        of_peer = self._of(peer)
        of_peer.ahead_ms = sent_ms - round(now_s * 1000)
        of_peer.heard_s = now_s

    def answered(self, peer: bytes, now_s: float) -> None:
        """The peer has acknowledged something just now."""
        self._of(peer).heard_s = now_s

    def pair(self, peer: bytes, date_ms: int) -> Channel:
        """Where the peer listens when its clock shows this."""
        return self._topics.to_peer(peer, day_of(date_ms))

    def date_there_ms(self, peer: bytes, now_s: float) -> int | None:
        """What the peer's clock shows, if that is known."""
        known = self._peers.get(peer)
        if known is None or known.ahead_ms is None:
            return None
        return max(0, round(now_s * 1000) + known.ahead_ms)

    def member(self, peer: bytes, call_id: CallId) -> dict[Way, Channel]:
        """For what is said to one participant in a call."""
        return {Way.MEMBER: self._topics.to_member(peer, call_id)}

    def outside_calls(
        self, peer: bytes, now_s: float, ours_ms: int, *, listens_s: float
    ) -> dict[Way, Channel]:
        """For one attempt of a signal; `listens_s` is how long after it was heard the peer is taken to listen on its pair channel."""
        of_peer = self._of(peer)
        there_ms = self.date_there_ms(peer, now_s)
        date_ms = ours_ms if there_ms is None else there_ms
        pair = {Way.PAIR: self.pair(peer, date_ms)}
        if now_s - of_peer.heard_s <= listens_s:
            return pair
        of_peer.public_uses += 1
        if of_peer.public_uses % 2:
            public = {Way.KNOCK: knock_channel(peer, self._entropy(SALT_BYTES))}
        else:
            public = {Way.PUBLIC: public_channel(peer, day_of(date_ms))}
        known = of_peer.heard_s != -math.inf or self._topics.is_kept(peer)
        return pair | public if known else public

    def _of(self, peer: bytes) -> _Peer:
        known = self._peers.get(peer)
        if known is None:
            if len(self._peers) >= MAX_PEERS:
                self._peers.popitem(last=False)
            known = self._peers[peer] = _Peer()
        else:
            self._peers.move_to_end(peer)
        return known
