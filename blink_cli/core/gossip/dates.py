"""Judges messages by their dates, and has the clocks of their senders proved where a date proves nothing (clocks.py, core/signaling/replay.py)."""

from collections.abc import Callable

import msgspec

from blink_cli.core.gossip.acquaintances import Acquaintances
from blink_cli.core.gossip.budget import SharedBudget
from blink_cli.core.gossip.channels import Channels
from blink_cli.core.gossip.clocks import ClockQuestions, KeptMessage, Question, Unanswered
from blink_cli.core.gossip.counters import GossipCounters
from blink_cli.core.gossip.effects import Arrival, ClockRead, GossipEffect
from blink_cli.core.gossip.routes import Routes
from blink_cli.core.gossip.sealer import Sealer
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.gossip.signal_topics import SignalTopics
from blink_cli.core.gossip.speaker import Speaker
from blink_cli.core.identity.did import did_of, public_key_of
from blink_cli.core.signaling.envelope import Claim, OpenedEnvelope
from blink_cli.core.signaling.replay import Freshness, ReplayWindow
from blink_cli.core.signaling.replay_memory import ReplayMemory
from blink_cli.core.signaling.sender_class import SenderClass
from blink_cli.core.signaling.signals import Busy, ClockReply, ClockRequest, Offer, Presence, Signal
from blink_cli.core.signaling.timeline import is_on


class Judgement(msgspec.Struct, frozen=True):
    """What is new among messages, and what else there is to do, before they are delivered."""

    fresh: tuple[KeptMessage, ...] = ()
    effects: tuple[GossipEffect, ...] = ()


class Dates:
    """Of one session."""

    def __init__(
        self,
        settings: GossipSettings,
        entropy: Callable[[int], bytes],
        *,
        counters: GossipCounters,
        topics: SignalTopics,
        sealer: Sealer,
        speaker: Speaker,
        channels: Channels,
        routes: Routes,
        acquaintances: Acquaintances,
        memory: ReplayMemory | None,
    ) -> None:
        """Know nobody's clock; `memory` is what the last session of this identity has seen, if that is known."""
        self._settings = settings
        self._counters = counters
        self._topics = topics
        self._sealer = sealer
        self._speaker = speaker
        self._channels = channels
        self._routes = routes
        self._acquaintances = acquaintances
        self._memory = memory
        self._replay = ReplayWindow(window_ms=round(settings.replay_window_s * 1000))
        self._questions = ClockQuestions(settings, entropy, acquaintances.class_of)
        self._answers = {
            sender_class: SharedBudget(
                per_s=settings.clock_answers_per_s,
                per_source_per_s=settings.clock_answers_per_peer_per_s,
                sources=settings.sources,
            )
            for sender_class in SenderClass
        }
        self._wall_runs_ahead_s: float | None = None
        """Wall clock minus monotonic clock, when it was last looked at."""

        self._set_at_s = float("-inf")
        """When the wall clock was last found to be set."""

    def next_due_s(self) -> float | None:
        """When `handle_timeout` has something to do."""
        return self._questions.next_due_s()

    def look_at_clock(self, now_s: float, wall_s: float) -> None:
        """When the wall clock was set, those who are there are asked for theirs: they ask back, and so learn of it.

        Who was not heard lately, because this process was stopped or the machine slept, is asked when it is heard again (`judge`).
        """
        ours_ms = self._sealer.date_ms(now_s, wall_s)
        self._topics.set_date(ours_ms, now_s)
        before_s, self._wall_runs_ahead_s = self._wall_runs_ahead_s, wall_s - now_s
        if before_s is None:
            self._replay.begin(self._memory, ours_ms, round(now_s * 1000))
            self._memory = None
        elif abs(self._wall_runs_ahead_s - before_s) > self._settings.clock_set_s:
            self._set_at_s = now_s
            for did, route in self._routes.heard_since(now_s - self._settings.heard_lately_s):
                self._questions.ask_again(public_key_of(did), route, now_s)

    def memory(self) -> ReplayMemory | None:
        """What the next session of this identity must know; None when this one has not begun to hear."""
        return None if self._wall_runs_ahead_s is None else self._replay.memory()

    def acquaintances_changed(self) -> None:
        """Keep windows of their own for contacts and those who are invited."""
        self._replay.keep(self._acquaintances.keys())

    def handle_timeout(self, now_s: float, wall_s: float) -> tuple[GossipEffect, ...]:
        """Ask for clocks; tell what is claimed of those that were not told."""
        effects: list[GossipEffect] = []
        for found in self._questions.handle_timeout(now_s):
            match found:
                case Question(peer, nonce, route, there_ms):
                    request = ClockRequest(nonce)
                    dates_ms = self._dates_there_ms(peer, there_ms, now_s, wall_s)
                    effects += self._speaker.about_clocks(
                        peer, request, dates_ms=dates_ms, route=route, now_s=now_s, wall_s=wall_s
                    )
                case Unanswered(_, ahead_ms, _) if abs(ahead_ms) < self._settings.clock_told_from_s * 1000:
                    pass  # said before this session began, perhaps; nobody's clock seems to be wrong
                case Unanswered(peer, ahead_ms, route):
                    ahead_s = self._ahead_of_wall_s(ahead_ms, now_s, wall_s)
                    effects.append(ClockRead(did_of(peer), ahead_s, proved=False, route=route))
        return tuple(effects)

    def foresee(self, claim: Claim, message_id: bytes, arrival: Arrival, wall_s: float) -> Freshness:
        """What a message is worth if it is signed as it claims."""
        ours_ms = self._sealer.date_ms(arrival.now_s, wall_s) - round(arrival.waited_s * 1000)
        return self._replay.foresee(
            claim.sender, message_id, claim.sent_ms, ours_ms, round(arrival.now_s * 1000)
        )

    def judge(self, message: KeptMessage, wall_s: float) -> Judgement:
        """Tell what is new; keep what its sender must vouch for; drop the rest."""
        opened, now_s = message.opened, message.arrival.now_s
        route = message.arrival.back
        # The sender's clock is judged by when its words came, not by when they are read.
        ours_ms = self._sealer.date_ms(now_s, wall_s) - round(message.arrival.waited_s * 1000)
        match self._freshness(message, now_s, ours_ms):
            case Freshness.FRESH:
                ahead_ms = opened.sent_ms - ours_ms
                if abs(ahead_ms) > self._settings.clock_told_from_s * 1000 and not self._replay.is_proved(
                    opened.sender, message.message_id
                ):
                    self._questions.wonder(opened.sender, route, now_s, ahead_ms, ahead_ms)
                elif now_s - self._set_at_s <= self._settings.clock_set_asks_for_s:
                    self._questions.ask_since(self._set_at_s, opened.sender, route, now_s)
                return Judgement(fresh=(message,))
            case Freshness.SEEN:
                self._counters.replays += 1
                return Judgement()
            case Freshness.FORGOTTEN:
                self._counters.stale += 1
                return Judgement()
            case Freshness.STALE:
                self._counters.stale += 1
                self._questions.keep(message, route, ours_ms)
                return Judgement(effects=self.handle_timeout(now_s, wall_s))

    def answer(
        self, opened: OpenedEnvelope, request: ClockRequest, arrival: Arrival, wall_s: float
    ) -> tuple[GossipEffect, ...]:
        """Tell a peer our clock; ask for its own, which it may not know to be wrong. Nothing: it asks too often."""
        sender, now_s, route = opened.sender, arrival.now_s, arrival.back
        self._counters.clocks += 1
        if not self._answers[self._acquaintances.class_of(sender)].take(sender, now_s):
            return ()
        if not request.for_prekey:
            there_ms = opened.sent_ms - self._sealer.date_ms(now_s, wall_s)
            self._questions.wonder(sender, route, now_s, there_ms)
        key = self._sealer.timeline_key(now_s, wall_s)
        reply = ClockReply(request.nonce, key, max(0, round(wall_s * 1000)))
        said = self._speaker.about_clocks(
            sender, reply, dates_ms=(opened.sent_ms,), route=route, now_s=now_s, wall_s=wall_s
        )
        return (*said, *self.handle_timeout(now_s, wall_s))

    def learn(
        self, opened: OpenedEnvelope, reply: ClockReply, message_id: bytes, arrival: Arrival, wall_s: float
    ) -> Judgement | None:
        """Take a peer's answer, and judge again what was kept of it; None when it answers no question of ours."""
        now_s = arrival.now_s
        ahead_s = reply.wall_ms / 1000 - (wall_s - arrival.waited_s)
        answered = self._questions.answered(opened.sender, reply.nonce, ahead_s, now_s)
        if answered is None or not is_on(reply.timeline, message_id):
            self._counters.replays += 1
            return None
        self._counters.clocks += 1
        self._replay.prove(
            opened.sender,
            reply.timeline,
            opened.sent_ms,
            round(now_s * 1000),
            asked_ms=round(answered.asked_s * 1000),
        )
        ours_ms = self._sealer.date_ms(now_s, wall_s)
        fresh = tuple(
            message
            for message in answered.kept
            if self._topics.is_open(message.listening)
            and self._freshness(message, now_s, ours_ms) is Freshness.FRESH
        )
        self._counters.stale -= len(fresh)
        read = ClockRead(did_of(opened.sender), ahead_s, proved=True, route=arrival.back)
        return Judgement(fresh, (read,))

    def _freshness(self, message: KeptMessage, now_s: float, ours_ms: int) -> Freshness:
        opened = message.opened
        return self._replay.accept(
            opened.sender,
            message.message_id,
            opened.sent_ms,
            ours_ms,
            round(now_s * 1000),
            lasts_ms=round(1000 * self._lasts_s(opened.signal)),
        )

    def _lasts_s(self, signal: Signal) -> float:
        """How old it may be, and still be meant."""
        match signal:
            case Offer() | Busy():
                return self._settings.offer_lasts_s
            case Presence():
                return self._settings.presence_lasts_s
            case _:
                return self._settings.replay_window_s

    def _ahead_of_wall_s(self, ahead_ms: int, now_s: float, wall_s: float) -> float:
        """What is so far ahead of our dates is so far ahead of our wall clock, which may have been set since they began."""
        return (ahead_ms + self._sealer.date_ms(now_s, wall_s)) / 1000 - wall_s

    def _dates_there_ms(
        self, peer: bytes, there_ms: int | None, now_s: float, wall_s: float
    ) -> tuple[int, ...]:
        """What a peer's clock may show: what was believed of it, and what its last message claims, which anybody may have recorded."""
        ours_ms = self._sealer.date_ms(now_s, wall_s)
        believed_ms = self._channels.date_there_ms(peer, now_s)
        claimed_ms = None if there_ms is None else max(0, ours_ms + there_ms)
        known = tuple(date_ms for date_ms in (believed_ms, claimed_ms) if date_ms is not None)
        return known or (ours_ms,)
