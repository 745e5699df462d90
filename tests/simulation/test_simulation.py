"""The rules of a call on a seeded, hostile network: the first test of every one of them."""

import pytest

from blink_cli.core.call.announcing import Announcer
from blink_cli.core.call.book import CallBook
from blink_cli.core.call.conversation import Conversation
from blink_cli.core.call.link import Link
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.membership import Member
from tests.simulation.scenario import SeedFailedError, run_seed

SEEDS = 1500
PER_TEST = 250
FIRST = 0


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, PER_TEST))
def test_the_rules_hold_on_every_seed(first):
    failures = []
    joined = 0
    for seed in range(first, first + PER_TEST):
        try:
            joined += run_seed(seed).longest_call > 1
        except SeedFailedError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)
    assert joined > PER_TEST / 4, "a simulation in which hardly anybody is in a call proves little"


def test_a_seed_always_plays_the_same():
    assert run_seed(7) == run_seed(7)


def _dials_everyone(monkeypatch):
    monkeypatch.setattr("blink_cli.core.call.link.dials", lambda own, peer: True)


def _keeps_links_when_leaving(monkeypatch):
    monkeypatch.setattr(Link, "_hang_up", lambda self: None)


def _believes_old_announces(monkeypatch):
    def heard_life(self, instance, now, honest=Member.heard_life):
        self.left_instance = 0
        return honest(self, instance, now)

    monkeypatch.setattr(Member, "heard_life", heard_life)


def _never_dials_again(monkeypatch):
    def lose(self, turn, now, *, keeps=False, awaits_sign=False, honest=Link._lose):
        honest(self, turn, now, keeps=keeps, awaits_sign=awaits_sign)
        self._retry_at = float("inf")

    monkeypatch.setattr(Link, "_lose", lose)


def _never_asks(monkeypatch):
    monkeypatch.setattr(Link, "_ask", lambda self: None)


def _says_leave_once(monkeypatch):
    def hear(self, call, member, announce, now, honest=CallBook.hear_announce):
        call.leave_sent_at = float("inf")
        return honest(self, call, member, announce, now)

    monkeypatch.setattr(CallBook, "hear_announce", hear)


def _forgets_to_close_topics(monkeypatch):
    def strike(self, call, turn):
        del self._calls[call.call_id]

    monkeypatch.setattr(CallBook, "strike", strike)


def _never_lets_go(monkeypatch):
    monkeypatch.setattr(Link, "heard_at", property(lambda self: 1e9))


def _announces_changes_late(monkeypatch):
    monkeypatch.setattr(Announcer, "due_at", property(lambda self: self._last_at + 60))


def _does_not_leave_first(monkeypatch):
    monkeypatch.setattr(CallMachine, "_leave_current", lambda self, now: None)


def _takes_any_epoch(monkeypatch):
    def remote_offer(self, epoch, sdp, now, honest=Link.remote_offer):
        if epoch < self.epoch:
            self.epoch = epoch - 1
        return honest(self, epoch, sdp, now)

    monkeypatch.setattr(Link, "remote_offer", remote_offer)


def _keeps_an_older_session(monkeypatch):
    monkeypatch.setattr(CallMachine, "_hear_own_other_session", lambda self, *args: None)


def _keeps_stale_rumours(monkeypatch):
    monkeypatch.setattr("blink_cli.core.call.membership.KnownCall.forget_old_rumours", lambda self, now: None)


def _keeps_offering(monkeypatch):
    def close(self):
        for link in self.links.values():
            link.drop()
        from blink_cli.core.call_effects import StopMedia  # noqa: PLC0415 - only the mutant needs it

        self._out.append(StopMedia(self.call.call_id))

    monkeypatch.setattr(Conversation, "close", close)


@pytest.mark.parametrize(
    "mutate",
    [
        _dials_everyone,
        _keeps_links_when_leaving,
        _believes_old_announces,
        _never_dials_again,
        _never_asks,
        _says_leave_once,
        _forgets_to_close_topics,
        _never_lets_go,
        _announces_changes_late,
        _does_not_leave_first,
        _takes_any_epoch,
        _keeps_an_older_session,
        _keeps_stale_rumours,
        _keeps_offering,
    ],
)
def test_a_broken_rule_is_noticed(mutate, monkeypatch):
    mutate(monkeypatch)
    for seed in range(1200):
        try:
            run_seed(seed)
        except SeedFailedError:
            return
    pytest.fail("1,200 seeds did not notice the fault")
