"""Direct signals that nobody has acknowledged yet, and when each is said again.

An acknowledgement names a random token that was sealed inside the signal, and comes on the channel of its receiver: only who could open the
signal can send it, nobody else can tell what it is, and it costs no public-key operation at either end.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from blink_cli.core.gossip.channels import ASKED_AFTER_S, LISTENS_S, Way
from blink_cli.core.gossip.said import Said
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import ClockRequest, DirectSignal, NewKey, Offer, Presence


@dataclass(slots=True)
class Outgoing:
    """One signal under way to one peer."""

    peer: Did
    signal: DirectSignal
    call_id: CallId | None
    ack_token: bytes
    began_s: float
    attempt: int = 0
    said: dict[Way, Said] = field(default_factory=dict)
    """What was sealed for each kind of channel; it is repeated as long as it is still right. Empty while no prekey of its peer is known."""

    off_pace: bool = False
    """A presence between two of its pace: not for paths that a third party overhears."""

    @property
    def in_doubt(self) -> bool:
        """Whether it was said before and not answered, or asks whether its peer is there."""
        asks = isinstance(self.signal, Presence) and self.signal.reply_wanted
        return self.attempt > 0 or asks or isinstance(self.signal, ClockRequest)

    @property
    def listens_s(self) -> float:
        """How long its peer is taken to listen, after it was heard, to whom it has spoken: one that began anew knows nobody."""
        if isinstance(self.signal, Presence):
            return ASKED_AFTER_S if self.signal.reply_wanted else LISTENS_S
        return -math.inf if self.in_doubt else LISTENS_S

    @property
    def sealed_at_s(self) -> float:
        """When it was sealed last; minus infinity: never, or what was is not right any more."""
        return max((said.sealed_at_s for said in self.said.values()), default=-math.inf)


class Delivery:
    """Everything under way. Bounded: the oldest gives way to a new one."""

    def __init__(
        self, *, repeat_after_s: tuple[float, ...], give_up_after_s: float, max_outgoing: int
    ) -> None:
        """Begin with nothing under way."""
        self._repeat_after_s = repeat_after_s
        self._give_up_after_s = give_up_after_s
        self._max_outgoing = max_outgoing
        self._by_token: dict[bytes, Outgoing] = {}
        self._due: list[tuple[float, bytes]] = []
        self.given_up = 0

    def __len__(self) -> int:
        return len(self._by_token)

    def add(self, outgoing: Outgoing, now_s: float) -> None:
        """Wait for the acknowledgement of a signal that has just been transmitted. An offer or key takes the place of an older one."""
        if isinstance(outgoing.signal, Offer | NewKey):
            self._stop(
                [
                    token
                    for token, older in self._by_token.items()
                    if (older.peer, older.call_id) == (outgoing.peer, outgoing.call_id)
                    and type(older.signal) is type(outgoing.signal)
                ]
            )
        if len(self._by_token) >= self._max_outgoing:
            self._remove(next(iter(self._by_token)))
            self.given_up += 1
        self._by_token[outgoing.ack_token] = outgoing
        self._schedule(outgoing, now_s)

    def acknowledge(self, ack_token: bytes, peer: Did) -> Outgoing | None:
        """The signal under way to this peer that has this token; it is not repeated any more."""
        outgoing = self._by_token.get(ack_token)
        if outgoing is None or outgoing.peer != peer:
            return None
        self._remove(ack_token)
        return outgoing

    def stop(self, call_id: CallId, peer: Did | None) -> None:
        """Forget the signals of a call: to one peer, or to all."""
        self._stop(
            [
                token
                for token, outgoing in self._by_token.items()
                if outgoing.call_id == call_id and peer in (None, outgoing.peer)
            ]
        )

    def stop_topics(self, call_id: CallId, peer_topics: frozenset[type]) -> None:
        """Forget the signals of a call that need its topics: all but those of the given kinds."""
        self._stop(
            [
                token
                for token, outgoing in self._by_token.items()
                if outgoing.call_id == call_id and type(outgoing.signal) not in peer_topics
            ]
        )

    def renew(self, peer: Did, now_s: float) -> None:
        """Say what is under way to this peer again soon, and sealed anew: it does not believe the dates that it has heard."""
        tokens = {token for token, outgoing in self._by_token.items() if outgoing.peer == peer}
        if not tokens:
            return
        soon_s = now_s + self._repeat_after_s[0]
        self._due = [(min(due_s, soon_s) if token in tokens else due_s, token) for due_s, token in self._due]
        heapify(self._due)
        for token in tokens:
            self._by_token[token].said.clear()

    def hurry(self) -> None:
        """Say everything that is under way again at once: there is a path that was not there before."""
        self._due = [(-math.inf, token) for _, token in self._due]

    def to(self, peer: Did) -> tuple[Outgoing, ...]:
        """What is under way to this peer."""
        return tuple(outgoing for outgoing in self._by_token.values() if outgoing.peer == peer)

    def next_due_s(self) -> float | None:
        """When `handle_timeout` has something to do."""
        while self._due and self._due[0][1] not in self._by_token:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def handle_timeout(self, now_s: float) -> Iterator[Outgoing]:
        """Each signal to be said again now, with its attempt counted; given up where that is due."""
        while True:
            due_s = self.next_due_s()
            if due_s is None or due_s > now_s:
                return
            token = heappop(self._due)[1]
            outgoing = self._by_token[token]
            if not isinstance(outgoing.signal, Offer) and now_s - outgoing.began_s > self._give_up_after_s:
                self._remove(token)
                self.given_up += 1
                continue
            outgoing.attempt += 1
            self._schedule(outgoing, now_s)
            yield outgoing

    def _schedule(self, outgoing: Outgoing, now_s: float) -> None:
        waits_s = self._repeat_after_s
        wait_s = waits_s[min(outgoing.attempt, len(waits_s) - 1)]
        heappush(self._due, (now_s + wait_s, outgoing.ack_token))

    def _stop(self, tokens: list[bytes]) -> None:
        for token in tokens:
            self._remove(token)

    def _remove(self, token: bytes) -> None:
        del self._by_token[token]
        if len(self._due) > 2 * len(self._by_token) + 64:
            self._due = [entry for entry in self._due if entry[1] in self._by_token]
            heapify(self._due)
