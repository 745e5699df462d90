"""Who is there: by what was heard, and by nothing else."""

import math

from blink_cli.core.call_effects import Emit
from blink_cli.core.events import PeerAppeared, PeerVanished
from blink_cli.core.names import Did
from blink_cli.core.presence import (
    ABSENT_PROBE_S,
    ALIVE_S,
    MAX_PEERS,
    MAX_PROBES_PER_WAKE,
    PROBE_S,
    PresenceEffect,
    PresenceTable,
    SendPresence,
)

ME, BOB, CAROL = (Did(f"did:key:zMe{name}") for name in ("", "bob", "carol"))


class Watched:
    """A table and its clock."""

    def __init__(self) -> None:
        self.table = PresenceTable(ME)
        self.now = 100.0

    def run(self, seconds: float) -> list[PresenceEffect]:
        end, effects = self.now + seconds, list[PresenceEffect]()
        while (due := self.table.next_wake()) is not None and due <= end:
            self.now = max(self.now, due)
            effects += self.table.wake(self.now)
            again = self.table.next_wake()
            assert again is None or again > self.now, "woken for nothing"
        self.now = end
        return effects

    def alive(self) -> list[Did]:
        return [view.did for view in self.table.snapshot(self.now) if view.alive]


def sent(effects: list[PresenceEffect], peer: Did = BOB) -> list[SendPresence]:
    return [effect for effect in effects if isinstance(effect, SendPresence) and effect.peer == peer]


def test_found_by_dns_sd_is_not_yet_there_but_asked_at_once() -> None:
    watched = Watched()
    effects = watched.table.found(BOB, "bob", "192.0.2.7", watched.now)
    assert effects == [SendPresence(BOB, reply_wanted=True)]
    (view,) = watched.table.snapshot(watched.now)
    assert (view.nickname, view.address, view.alive, view.last_seen_ms) == ("bob", "192.0.2.7", False, None)


def test_whoever_is_heard_is_there_and_is_gone_after_three_seconds_of_silence() -> None:
    watched = Watched()
    assert watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False) == [
        Emit(PeerAppeared(did=BOB, nickname="bob"))
    ]
    watched.run(ALIVE_S - 0.1)
    assert watched.alive() == [BOB]
    assert Emit(PeerVanished(did=BOB, nickname="bob")) in watched.run(0.2)
    assert watched.alive() == []


def test_any_signed_signal_is_a_sign_of_life() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    for _ in range(10):
        watched.run(2)
        assert watched.table.heard(BOB, watched.now) == []
    assert watched.alive() == [BOB]


def test_who_is_there_is_told_about_every_second_that_we_are() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    told = 0
    for _ in range(40):
        told += len(sent(watched.run(0.5)))
        watched.table.heard(BOB, watched.now)
    assert 15 <= told <= 25


def test_a_silent_peer_is_asked_more_often_before_it_is_given_up() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    asked = [effect for effect in sent(watched.run(ALIVE_S - 0.01)) if effect.reply_wanted]
    assert len(asked) >= 4


def test_a_question_is_answered_without_asking_back() -> None:
    watched = Watched()
    watched.table.heard(BOB, watched.now)
    watched.run(0.5)
    watched.now += 1
    effects = watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=True)
    assert sent(effects) == [SendPresence(BOB, reply_wanted=False)]
    assert sent(watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=True)) == []


def test_goodbye_is_gone_at_once_and_heard_again_is_there_again() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    assert watched.table.gone(BOB, watched.now) == [Emit(PeerVanished(did=BOB, nickname="bob"))]
    assert watched.alive() == []
    assert watched.table.gone(BOB, watched.now) == []
    assert watched.table.gone(CAROL, watched.now) == []
    # What it said last, repeated or by way of others, does not bring it back.
    assert watched.table.heard(BOB, watched.now + 0.9) == []
    assert watched.alive() == []
    assert watched.table.heard(BOB, watched.now + 1.1) == [Emit(PeerAppeared(did=BOB, nickname="bob"))]
    assert watched.alive() == [BOB]


def test_who_is_found_again_after_a_goodbye_is_there_as_soon_as_it_is_heard() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    watched.table.gone(BOB, watched.now)
    watched.table.found(BOB, "bob", "192.0.2.7", watched.now + 0.2)
    watched.table.heard(BOB, watched.now + 0.3)
    assert watched.alive() == [BOB]


def test_what_dns_sd_claims_does_not_rename_who_speaks_for_itself() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    watched.table.found(BOB, "mallory", "198.51.100.1", watched.now)
    (view,) = watched.table.snapshot(watched.now)
    assert (view.nickname, view.address) == ("bob", "192.0.2.7")


def test_contacts_are_looked_for_but_not_shown_before_they_are_heard() -> None:
    watched = Watched()
    assert sent(watched.table.contacts(frozenset({BOB}), watched.now)) == [
        SendPresence(BOB, reply_wanted=True)
    ]
    assert watched.table.snapshot(watched.now) == ()
    asked = len(sent(watched.run(60)))
    assert 60 / ABSENT_PROBE_S / 2 <= asked <= 60 / PROBE_S


def test_this_session_is_nobodys_peer() -> None:
    watched = Watched()
    assert watched.table.found(ME, "me", "192.0.2.1", watched.now) == []
    assert watched.table.heard(ME, watched.now) == []
    assert watched.table.next_wake() is None


def test_strangers_cannot_fill_the_table_or_displace_who_is_there() -> None:
    watched = Watched()
    watched.table.contacts(frozenset({CAROL}), watched.now)
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    for number in range(3 * MAX_PEERS):
        watched.table.found(Did(f"did:key:zghost{number}"), "ghost", "192.0.2.9", watched.now)
    assert len(watched.table._peers) == MAX_PEERS
    assert BOB in watched.alive()
    assert CAROL in watched.table._peers


def test_who_lives_is_not_displaced_even_when_all_live() -> None:
    watched = Watched()
    for number in range(MAX_PEERS):
        watched.table.heard(Did(f"did:key:zpeer{number}"), watched.now)
    assert watched.table.heard(BOB, watched.now) == []
    assert len(watched.alive()) == MAX_PEERS


def test_many_presences_are_spread_over_several_wakes() -> None:
    watched = Watched()
    for number in range(60):
        watched.table.heard(Did(f"did:key:zpeer{number}"), watched.now)
    assert len(watched.table.wake(watched.now)) == MAX_PROBES_PER_WAKE
    due = watched.table.next_wake()
    assert due is not None
    assert due > watched.now


def test_claims_tell_what_those_who_are_there_call_themselves() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    watched.table.found(CAROL, "carol", "192.0.2.8", watched.now)
    assert watched.table.claims(alive=True) == {BOB: "bob"}
    assert watched.table.claims(alive=False) == {CAROL: "carol"}


def test_the_snapshot_says_how_long_ago_somebody_was_heard() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    (view,) = watched.table.snapshot(watched.now + 1.25)
    assert view.last_seen_ms == 1250
    assert not math.isinf(view.last_seen_ms)
