"""A caller describes its side while it rings, and who accepts answers that, whichever of the two dials otherwise."""

from collections.abc import Sequence

import pytest

from blink_cli.core.api.events import LinkState
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import (
    Answer,
    ApplyAnswer,
    CallEffect,
    DescribeEarly,
    Dial,
    Hangup,
    SendToPeer,
)
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.settings import LAN
from blink_cli.core.ids import CallId, Did
from blink_cli.core.signaling.signals import (
    ANY_INCARNATION,
    Announce,
    Decline,
    Offer,
    Redial,
    SessionDescription,
    Signal,
)

ALICE, BOB, CAROL = (Did(f"did:key:z6Mk{name}") for name in ("alice", "bob", "carol"))
"""Of two the one who comes first here dials."""

WALL_MS = 1_800_000_000_000
THEIRS = 9
"""The incarnation of the other side."""


class Side:
    """One machine and a clock beside it."""

    def __init__(self, own: Did) -> None:
        self.machine = CallMachine(own, bytes)
        self.now = 100.0

    def told(self, told: inputs.CallInput) -> Sequence[CallEffect]:
        return self.machine.handle(told, self.now)

    def hears(self, sender: Did, signal: Signal, call: CallId | None = None) -> Sequence[CallEffect]:
        return self.told(inputs.SignalHeard(sender, signal, call))

    def run(self, seconds: float) -> list[CallEffect]:
        end, effects = self.now + seconds, list[CallEffect]()
        while (due := self.machine.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            effects += self.machine.handle_timeout(self.now)
        self.now = end
        return effects


class Caller(Side):
    """Bob calls somebody, at whom it rings."""

    def __init__(self, peer: Did) -> None:
        super().__init__(BOB)
        self.peer = peer
        self.told(inputs.Offering((peer,), "bob", WALL_MS))
        call = self.machine.current
        assert call is not None
        self.call = call
        offer = Offer(call, bytes(32), (BOB, peer), "bob")
        (early,) = (
            e for e in self.told(inputs.SignalAcknowledged(peer, offer)) if isinstance(e, DescribeEarly)
        )
        self.epoch = early.epoch

    def described(self) -> Sequence[CallEffect]:
        return self.told(inputs.Described(self.peer, self.epoch, "mine"))

    def announced(self) -> Sequence[CallEffect]:
        announce = Announce(THEIRS, 1, "", muted=False, deafened=False, recording=False, hears=())
        return self.hears(self.peer, announce, self.call)

    def answered(self) -> Sequence[CallEffect]:
        return self.hears(self.peer, self.description("answer", WALL_MS), self.call)

    def description(self, kind: str, to_incarnation: int) -> SessionDescription:
        return SessionDescription(self.call, kind, THEIRS, to_incarnation, self.epoch, "theirs")


class Called(Side):
    """It rings at Bob's."""

    def __init__(self, caller: Did, third: Did) -> None:
        super().__init__(BOB)
        self.caller, self.call = caller, CallId("ab" * 16)
        self.hears(caller, Offer(self.call, bytes(32), (caller, BOB, third), ""))

    def early(
        self, sender: Did, *, kind: str = "offer", to_incarnation: int = ANY_INCARNATION
    ) -> dict[str, int]:
        description = SessionDescription(self.call, kind, THEIRS, to_incarnation, 7, "theirs")
        assert self.hears(sender, description, self.call) == (), "nothing is made of it while it rings"
        return dict(self.machine.snapshot(self.now).ignored)

    def announced(self) -> list[CallEffect]:
        announce = Announce(THEIRS, 1, "", muted=False, deafened=False, recording=False, hears=())
        effects = self.hears(self.caller, announce, self.call)
        return [effect for effect in effects if isinstance(effect, Answer | Dial)]

    def late(self, sender: Did, incarnation: int = THEIRS) -> list[CallEffect]:
        """What it described comes when this side has accepted already."""
        description = SessionDescription(self.call, "offer", incarnation, ANY_INCARNATION, 7, "theirs")
        effects = self.hears(sender, description, self.call)
        return [effect for effect in effects if isinstance(effect, Answer | Dial)]

    def accepts(self) -> list[CallEffect]:
        return [
            effect
            for effect in self.told(inputs.Accepting(self.call, "bob", WALL_MS))
            if isinstance(effect, Answer | Dial)
        ]


def peers() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("peer", [ALICE, CAROL], ids=["who dials", "who is dialled"])


@peers()
def test_the_caller_describes_itself_while_it_rings_and_takes_the_answer(peer: Did) -> None:
    caller = Caller(peer)
    said = SessionDescription(caller.call, "offer", WALL_MS, ANY_INCARNATION, caller.epoch, "mine")
    assert caller.described() == (SendToPeer(peer, said, caller.call),)
    caller.announced()
    assert caller.answered()[-1] == ApplyAnswer(caller.call, peer, caller.epoch, "theirs")
    assert caller.answered() == ()
    later = caller.run(LAN.early_answer_patience_s + LAN.await_offer_s)
    assert not [e for e in later if isinstance(e, SendToPeer) and isinstance(e.signal, SessionDescription)]


@peers()
def test_the_answer_may_overtake_the_announce(peer: Did) -> None:
    caller = Caller(peer)
    caller.described()
    assert caller.answered()[-1] == ApplyAnswer(caller.call, peer, caller.epoch, "theirs")


def test_the_dialler_says_it_again_if_no_answer_comes_with_the_announce() -> None:
    caller = Caller(CAROL)
    caller.described()
    assert not [e for e in caller.announced() if isinstance(e, Dial)]
    said = SessionDescription(caller.call, "offer", WALL_MS, THEIRS, caller.epoch, "mine")
    assert SendToPeer(CAROL, said, caller.call) in caller.run(LAN.early_answer_patience_s)


def test_the_dialler_dials_as_ever_if_nothing_was_described() -> None:
    caller = Caller(CAROL)
    (dial,) = (e for e in caller.announced() if isinstance(e, Dial))
    assert dial.epoch > caller.epoch
    assert caller.described() == ()


def test_who_dials_otherwise_may_dial_although_something_was_described() -> None:
    caller = Caller(ALICE)
    caller.described()
    caller.announced()
    offer = SessionDescription(caller.call, "offer", THEIRS, WALL_MS, 3, "other")
    answers = [e for e in caller.hears(ALICE, offer, caller.call) if isinstance(e, Answer)]
    assert answers == [Answer(caller.call, ALICE, 3, "other")]


def test_an_answer_to_what_is_given_up_asks_for_another_dialling() -> None:
    caller = Caller(ALICE)
    caller.described()
    caller.told(inputs.Ended(ALICE, caller.epoch, "kept in vain"))
    caller.announced()
    asked = Redial(caller.call, WALL_MS, THEIRS, caller.epoch)
    assert SendToPeer(ALICE, asked, caller.call) in caller.answered()


@pytest.mark.parametrize("end", [inputs.Leaving(), inputs.Ending()])
def test_it_is_given_up_with_the_call(end: inputs.CallInput) -> None:
    caller = Caller(CAROL)
    caller.described()
    assert Hangup(caller.call, CAROL, caller.epoch) in caller.told(end)


def test_it_is_given_up_when_the_peer_declines() -> None:
    caller = Caller(CAROL)
    caller.described()
    assert Hangup(caller.call, CAROL, caller.epoch) in caller.hears(CAROL, Decline(caller.call))


@peers()
def test_who_accepts_answers_it_at_once(peer: Did) -> None:
    called = Called(peer, CAROL if peer is ALICE else ALICE)
    assert called.early(peer) == {}
    assert called.accepts() == [Answer(called.call, peer, 7, "theirs")]


@peers()
def test_who_accepted_before_it_came_answers_it_as_it_comes(peer: Did) -> None:
    called = Called(peer, CAROL if peer is ALICE else ALICE)
    assert called.accepts() == []
    assert called.late(peer) == [Answer(called.call, peer, 7, "theirs")]
    assert called.late(peer) == []
    assert called.announced() == []


def test_behind_the_announce_it_counts_for_who_waits_to_be_dialled() -> None:
    called = Called(ALICE, CAROL)
    called.accepts()
    assert called.announced() == []
    assert called.late(ALICE) == [Answer(called.call, ALICE, 7, "theirs")]


def test_behind_the_announce_it_does_not_count_for_who_dials() -> None:
    called = Called(CAROL, ALICE)
    called.accepts()
    assert [type(effect) for effect in called.announced()] == [Dial]
    assert called.late(CAROL) == []


def test_of_an_old_life_and_of_others_it_does_not_count_later_either() -> None:
    called = Called(ALICE, CAROL)
    called.accepts()
    called.announced()
    assert called.late(CAROL) == []
    assert called.late(ALICE, THEIRS - 1) == []
    assert dict(called.machine.snapshot(called.now).ignored) == {"stale": 2}


def test_who_answered_dials_when_it_is_told_that_nobody_waits_for_that() -> None:
    called = Called(CAROL, ALICE)
    called.early(CAROL)
    called.accepts()
    asked = called.hears(CAROL, Redial(called.call, THEIRS, WALL_MS, 7), called.call)
    assert [e for e in asked if isinstance(e, Dial)]


def test_it_lapses() -> None:
    called = Called(CAROL, ALICE)
    called.early(CAROL)
    announce = Announce(THEIRS, 1, "", muted=False, deafened=False, recording=False, hears=())
    called.run(LAN.early_description_lasts_s / 2)
    called.hears(CAROL, announce, called.call)
    called.run(LAN.early_description_lasts_s / 2)
    assert [type(effect) for effect in called.accepts()] == [Dial]


def test_only_the_caller_is_believed_and_only_while_it_rings() -> None:
    called = Called(CAROL, ALICE)
    assert called.early(ALICE) == {"not_the_caller": 1}
    assert called.early(CAROL, to_incarnation=5) == {"not_the_caller": 1, "not_in_this_call": 1}
    assert called.early(CAROL, kind="answer") == {"not_the_caller": 1, "not_in_this_call": 2}
    called.told(inputs.Rejecting(called.call))
    assert called.early(CAROL) == {"not_the_caller": 1, "not_in_this_call": 3}
    assert called.accepts() == []


def test_of_two_the_newer_one_counts() -> None:
    called = Called(CAROL, ALICE)
    called.early(CAROL)
    assert called.early(CAROL) == {"stale": 1}


def test_a_new_life_of_the_callers_is_not_answered_with_the_old_ones_description() -> None:
    called = Called(CAROL, ALICE)
    called.early(CAROL)
    announce = Announce(THEIRS + 1, 1, "", muted=False, deafened=False, recording=False, hears=())
    called.hears(CAROL, announce, called.call)
    assert [type(effect) for effect in called.accepts()] == [Dial]
    call = called.machine.snapshot(called.now).call
    assert call is not None
    assert {one.did: one.link for one in call.participants}[CAROL] is LinkState.CONNECTING
