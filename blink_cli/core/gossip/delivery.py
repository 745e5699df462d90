"""Direct signals that nobody has acknowledged yet, and when each is said again.

An acknowledgement is a datagram on the topic of a random token that was sealed inside the signal: only who could open
the signal can send it, nobody else can tell what it answers, and it costs no public-key operation at either end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import DirectSignal, Offer
from blink_cli.core.topics import Topic


@dataclass(slots=True)
class Outgoing:
    """One signal under way to one peer."""

    peer: Did
    signal: DirectSignal
    call_id: CallId | None
    topic: Topic
    ack_token: bytes
    began_s: float
    message_id: bytes
    sealed: bytes
    sealed_at_s: float
    attempt: int = 0


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
        """Wait for the acknowledgement of a signal that has just been transmitted."""
        if len(self._by_token) >= self._max_outgoing:
            self._remove(next(iter(self._by_token)))
            self.given_up += 1
        self._by_token[outgoing.ack_token] = outgoing
        self._schedule(outgoing, now_s)

    def is_waiting(self, ack_token: bytes) -> bool:
        """Whether a signal under way has this token."""
        return ack_token in self._by_token

    def acknowledge(self, ack_token: bytes) -> Outgoing:
        """The signal under way that has this token; it is not repeated any more."""
        outgoing = self._by_token[ack_token]
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

    def next_due_s(self) -> float | None:
        """When `wake` has something to do."""
        while self._due and self._due[0][1] not in self._by_token:
            heappop(self._due)
        return self._due[0][0] if self._due else None

    def wake(self, now_s: float) -> Iterator[Outgoing]:
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
