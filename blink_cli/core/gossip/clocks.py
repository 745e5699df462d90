"""Asks peers for their clocks when a date proves nothing, and keeps what they said meanwhile.

    a message that is signed well but out of the window          is kept for some seconds, and its sender asked
    ClockRequest(nonce)   ---->                                  judged by no date: it only makes its receiver answer
                          <----   ClockReply(nonce, timeline)    judged by the nonce: it was signed after we asked
    the kept messages are judged again, by the timeline that has now been proved (core/signaling/replay.py)

A replayed request draws an answer that only its first sender can read, a replayed answer names a nonce that nobody waits for. Builds that do
not know these signals do not answer; then all that is known is what their dates claim.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from blink_cli.core.gossip.budget import TokenBucket
from blink_cli.core.gossip.effects import Arrival
from blink_cli.core.gossip.paths import Path
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.gossip.signal_topics import Listening
from blink_cli.core.signaling.envelope import OpenedEnvelope
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import CLOCK_NONCE_BYTES

_NONCES: Final = 4
"""The last ones: an answer to a question that has been said again meanwhile is as good, and every session of an identity answers."""


class KeptMessage(msgspec.Struct, frozen=True):
    """Opened and signed well, but of a date that proves nothing yet."""

    opened: OpenedEnvelope
    message_id: bytes
    listening: Listening
    arrival: Arrival


class Question(msgspec.Struct, frozen=True):
    """To be sealed to this key, and sent to the address from which its messages come as well."""

    peer: bytes
    nonce: bytes
    route: Path
    there_ms: int | None
    """How far its clock is ahead by the date of its last message, unproved: on the day of that clock it listens, if it said it just now."""


class Answered(msgspec.Struct, frozen=True):
    """A peer has told its clock."""

    asked_s: float
    """When the question was sent that it answers."""

    kept: tuple[KeptMessage, ...]
    """What was kept of it meanwhile."""


class Unanswered(msgspec.Struct, frozen=True):
    """Nobody answered: this is what the dates of the peer's messages claim."""

    peer: bytes
    ahead_ms: int
    route: Path


@dataclass(slots=True)
class _Asked:
    route: Path
    ahead_ms: int | None = None
    """By the date of its last message, unproved. None: nothing is to be told of it."""

    there_ms: int | None = None
    """The same, for where to ask."""

    stale: int = 0
    """Messages of this round whose date proved nothing."""

    nonces: dict[bytes, float] = field(default_factory=dict)
    """With the time at which each was sent."""

    failed_rounds: int = 0
    attempt: int = 0
    due_s: float | None = None
    rests_until_s: float = float("-inf")
    answered_s: float = float("-inf")
    kept: dict[bytes, KeptMessage] = field(default_factory=dict)


class ClockQuestions:
    """Of one session. Bounded in peers, in what is kept, and in questions a second."""

    def __init__(
        self,
        settings: GossipSettings,
        entropy: Callable[[int], bytes],
        class_of: Callable[[bytes], SenderClass],
    ) -> None:
        """Wonder about nobody."""
        self._settings = settings
        self._entropy = entropy
        self._class_of = class_of
        self._budgets = {
            SenderClass.STRANGER: TokenBucket(settings.clock_questions_per_s),
            SenderClass.INVITED: TokenBucket(settings.clock_questions_to_invited_per_s),
            SenderClass.CONTACT: TokenBucket(settings.clock_questions_to_contacts_per_s),
        }
        self._asked: dict[bytes, _Asked] = {}

    def keep(self, message: KeptMessage, route: Path, wall_ms: int) -> None:
        """Its date proves nothing: keep it until its sender has answered, and ask."""
        asked = self._about(message.opened.sender, route)
        asked.ahead_ms = asked.there_ms = message.opened.sent_ms - wall_ms
        asked.stale += message.message_id not in asked.kept
        asked.kept.pop(message.message_id, None)
        if len(asked.kept) >= self._settings.kept_messages_per_peer:
            del asked.kept[next(iter(asked.kept))]
        elif sum(len(other.kept) for other in self._asked.values()) >= self._settings.kept_messages:
            self._make_room_for_message()
        asked.kept[message.message_id] = message
        self._begin(asked, message.arrival.now_s)

    def wonder(
        self, peer: bytes, route: Path, now_s: float, there_ms: int, ahead_ms: int | None = None
    ) -> None:
        """Ask this peer, unless it has answered lately: it asks us, or is believed though its dates are off."""
        asked = self._about(peer, route)
        asked.there_ms = there_ms
        if now_s - asked.answered_s >= self._settings.clock_answer_lasts_s:
            asked.ahead_ms = ahead_ms
            self._begin(asked, now_s)

    def ask_again(self, peer: bytes, route: Path, now_s: float) -> None:
        """Our own clock was set: the peer asks back, and so learns of it."""
        self._begin(self._about(peer, route), now_s)

    def ask_since(self, since_s: float, peer: bytes, route: Path, now_s: float) -> None:
        """Ask this peer as `ask_again` does, unless it has answered since then."""
        asked = self._asked.get(peer)
        if asked is None or asked.answered_s < since_s:
            self.ask_again(peer, route, now_s)

    def answered(self, peer: bytes, nonce: bytes, ahead_s: float, now_s: float) -> Answered | None:
        """What was kept of it; None when this answers no question of ours. A clock that differs is asked for again after a while."""
        asked = self._asked.get(peer)
        asked_s = float("-inf") if asked is None else asked.nonces.get(nonce, float("-inf"))
        if asked is None or now_s - asked_s > self._settings.kept_for_s:
            return None
        kept = tuple(asked.kept.values())
        differs = abs(ahead_s) >= self._settings.clock_told_from_s
        due_s = now_s + self._settings.clock_recheck_s if differs else None
        self._asked[peer] = _Asked(asked.route, nonces=asked.nonces, answered_s=now_s, due_s=due_s)
        return Answered(
            asked_s, tuple(m for m in kept if now_s - m.arrival.now_s <= self._settings.kept_for_s)
        )

    def next_due_s(self) -> float | None:
        """When `handle_timeout` has something to do."""
        return min((a.due_s for a in self._asked.values() if a.due_s is not None), default=None)

    def handle_timeout(self, now_s: float) -> list[Question | Unanswered]:
        """Whom to ask now, and who has not answered."""
        found: list[Question | Unanswered] = []
        waits_s = self._settings.clock_question_after_s
        for peer, asked in self._asked.items():
            if asked.due_s is None or asked.due_s > now_s:
                continue
            if asked.attempt == len(waits_s):
                if asked.ahead_ms is not None and asked.stale != 1:
                    found.append(Unanswered(peer, asked.ahead_ms, asked.route))
                self._give_up(peer, asked, now_s)
            elif not self._budgets[self._class_of(peer)].take(now_s):
                asked.due_s = now_s + 1.0 / self._settings.clock_questions_per_s
            else:
                asked.due_s = now_s + waits_s[asked.attempt]
                asked.attempt += 1
                nonce = self._entropy(CLOCK_NONCE_BYTES)
                asked.nonces[nonce] = now_s
                if len(asked.nonces) > _NONCES:
                    del asked.nonces[next(iter(asked.nonces))]
                found.append(Question(peer, nonce, asked.route, asked.there_ms))
        return found

    def _give_up(self, peer: bytes, asked: _Asked, now_s: float) -> None:
        settings = self._settings
        is_stranger = self._class_of(peer) < SenderClass.INVITED
        rests_s = (
            settings.clock_question_rests_s if is_stranger else settings.clock_question_rests_of_invited_s
        )
        asked.rests_until_s = now_s + rests_s[min(asked.failed_rounds, len(rests_s) - 1)]
        asked.failed_rounds += 1
        asked.due_s, asked.attempt = None, 0
        asked.kept, asked.stale = {}, 0

    def _about(self, peer: bytes, route: Path) -> _Asked:
        asked = self._asked.pop(peer, None)
        if asked is None:
            if len(self._asked) >= self._settings.clock_questions:
                del self._asked[min(self._asked, key=self._class_of)]  # of its class the first that came
            asked = _Asked(route)
        asked.route = route
        self._asked[peer] = asked
        return asked

    def _make_room_for_message(self) -> None:
        """Of the lowest class that has some, who has most loses its oldest."""
        having = (peer for peer, asked in self._asked.items() if asked.kept)
        peer = min(having, key=lambda peer: (self._class_of(peer), -len(self._asked[peer].kept)))
        kept = self._asked[peer].kept
        del kept[next(iter(kept))]

    def _begin(self, asked: _Asked, now_s: float) -> None:
        if asked.attempt == 0:  # else its round goes on
            due_s = max(now_s, asked.rests_until_s, asked.answered_s + self._settings.clock_answer_gap_s)
            asked.due_s = due_s if asked.due_s is None else min(due_s, asked.due_s)
