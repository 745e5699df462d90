"""Who is there: by what was heard, and by nothing else."""

import itertools
import math

import pytest

from blink_cli.core.api.events import PeerAppeared, PeerVanished
from blink_cli.core.fact import Emit
from blink_cli.core.gossip.budget import BURST_S
from blink_cli.core.ids import Did
from blink_cli.core.presence.presence import (
    ABSENT_PROBE_S,
    ALIVE_S,
    BROKER_ALIVE_S,
    BROKER_LOST_S,
    BROKER_PROBE_S,
    MAX_PEERS,
    MAX_PROBES_PER_WAKE,
    MAX_UNHEARD_AT_ADDRESS,
    MOST_PROBE_S,
    NAME_WAIT_S,
    NAMED_FOR_S,
    PROBE_S,
    UNHEARD_PROBES_PER_S,
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
        while (due := self.table.next_timeout()) is not None and due <= end:
            self.now = max(self.now, due)
            effects += self.table.handle_timeout(self.now)
            again = self.table.next_timeout()
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


def test_who_is_heard_before_its_name_is_told_with_the_name() -> None:
    watched = Watched()
    assert watched.table.heard(BOB, watched.now) == []
    assert watched.alive() == [BOB], "listed at once"
    assert [asked.reply_wanted for asked in sent(watched.run(NAME_WAIT_S - 0.1))] == [True, True]
    effects = watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    assert effects == [Emit(PeerAppeared(did=BOB, nickname="bob"))]
    assert not [effect for effect in watched.run(1) if isinstance(effect, Emit)], "told once"


def test_who_never_says_its_name_is_told_without_it() -> None:
    watched = Watched()
    watched.table.heard(BOB, watched.now)
    told = [effect for effect in watched.run(NAME_WAIT_S) if isinstance(effect, Emit)]
    assert told == [Emit(PeerAppeared(did=BOB, nickname=""))]
    assert watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False) == []


def test_who_is_gone_before_it_was_told_of_never_came() -> None:
    watched = Watched()
    watched.table.heard(BOB, watched.now)
    assert watched.table.gone(BOB, watched.now + 0.1) == []
    assert not [effect for effect in watched.run(NAME_WAIT_S) if isinstance(effect, Emit)]


def test_a_contact_is_told_at_once_since_it_has_a_name_here() -> None:
    watched = Watched()
    watched.table.contacts(frozenset({BOB}), watched.now)
    assert watched.table.heard(BOB, watched.now) == [Emit(PeerAppeared(did=BOB, nickname=""))]


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
    assert sent(effects) == [SendPresence(BOB, reply_wanted=False, off_pace=True)]
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
    assert watched.table.next_timeout() is None


def test_strangers_cannot_fill_the_table_or_displace_who_is_there() -> None:
    watched = Watched()
    watched.table.contacts(frozenset({CAROL}), watched.now)
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    for number in range(3 * MAX_PEERS):
        watched.table.found(Did(f"did:key:zghost{number}"), "ghost", f"192.0.2.{number % 99}:9", watched.now)
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
    assert len(watched.table.handle_timeout(watched.now)) == MAX_PROBES_PER_WAKE
    due = watched.table.next_timeout()
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


def test_a_peer_that_is_heard_but_not_by_multicast_is_asked_every_second_and_stays() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    questions = []
    for _ in range(100):
        watched.table.heard(BOB, watched.now, expected=False)
        questions += sent(watched.run(0.1))
    assert watched.alive() == [BOB]
    asked = [effect.reply_wanted for effect in questions]
    assert 8 <= len(asked) <= 12
    assert asked.index(True) <= 2
    assert all(asked[2:]), "it is asked for as long as no multicast of it comes"

    answers = []
    for _ in range(30):
        watched.table.heard(BOB, watched.now)
        answers += sent(watched.run(0.1))
    assert not answers[-1].reply_wanted


def test_media_keep_a_peer_whose_signals_do_not_come() -> None:
    watched = Watched()
    watched.table.presence(BOB, "bob", "192.0.2.7", watched.now, reply_wanted=False)
    for _ in range(100):
        watched.table.media_heard(BOB, watched.now)
        watched.run(0.1)
    assert watched.alive() == [BOB]
    watched.run(ALIVE_S + 0.2)
    assert watched.alive() == []


def test_media_alone_make_nobody_appear() -> None:
    watched = Watched()
    watched.table.media_heard(BOB, watched.now)
    watched.table.found(BOB, "bob", "192.0.2.7", watched.now)
    watched.table.media_heard(BOB, watched.now)
    assert watched.alive() == []


def test_who_greets_is_asked_and_listed_only_when_it_answers() -> None:
    table = PresenceTable(ME)
    (asked,) = table.noticed(BOB, "anna", "[fe80::1%eth0]:7", 10.0)
    assert asked == SendPresence(BOB, reply_wanted=True)
    assert table.noticed(BOB, "anna", "192.0.2.1:7", 10.05) == [], "the same greeting by another path"
    assert table.snapshot(10.1) == ()
    table.presence(BOB, "anna", "192.0.2.1:7", 10.1, reply_wanted=False)
    (view,) = table.snapshot(10.1)
    assert view.alive
    assert table.noticed(BOB, "eve", "192.0.2.9:7", 20.0) == [], "one that is heard is believed more"


def test_who_was_only_named_is_asked_some_times_and_forgotten() -> None:
    watched = Watched()
    effects = watched.table.noticed(BOB, "bob", "192.0.2.7:9", watched.now)
    watched.table.found(CAROL, "carol", "192.0.2.8:9", watched.now)
    effects += watched.run(NAMED_FOR_S)
    assert 2 <= len(sent(effects)) <= 5
    effects = watched.run(600)
    assert len(sent(effects)) <= 1
    assert watched.table.claims(alive=False) == {CAROL: "carol"}, "DNS-SD still names carol"
    watched.table.gone(CAROL, watched.now)
    watched.run(600)
    assert watched.table.next_timeout() is None


def test_who_is_named_again_and_again_goes_on_being_asked() -> None:
    watched = Watched()
    for _ in range(20):
        watched.table.noticed(BOB, "bob", "192.0.2.7:9", watched.now)
        assert sent(watched.run(10))


def test_a_contact_and_who_was_heard_once_are_not_forgotten() -> None:
    watched = Watched()
    watched.table.contacts(frozenset({BOB}), watched.now)
    watched.table.heard(CAROL, watched.now)
    watched.run(600)
    effects = watched.run(60)
    assert sent(effects, BOB)
    assert sent(effects, CAROL)


def test_every_way_to_learn_a_nickname_makes_it_harmless() -> None:
    hostile = "bob\x1b[2J\u202e\u200b"
    found, noticed, told = Watched().table, Watched().table, Watched().table
    found.found(BOB, hostile, "192.0.2.7", 0.0)
    noticed.found(BOB, "x", "192.0.2.7", 0.0)
    noticed.noticed(BOB, hostile, "192.0.2.7", 9.0)
    told.presence(BOB, hostile, "192.0.2.7", 0.0, reply_wanted=False)
    for table in (found, noticed, told):
        assert [view.nickname for view in table.snapshot(10.0)] == ["bob [2J"]


def ghosts(watched: Watched, count: int) -> list[PresenceEffect]:
    """Records of so many sessions, all at once, none of which is there."""
    effects = []
    for number in range(count):
        did, address = Did(f"did:key:zghost{number}"), f"192.0.2.{number % 99}:9"
        effects += watched.table.found(did, "ghost", address, watched.now)
    return effects


def test_a_burst_of_records_does_not_set_the_pace_of_what_is_sent() -> None:
    watched = Watched()
    effects = ghosts(watched, 1_000) + watched.run(10)
    assert len(effects) <= (10 + BURST_S) * UNHEARD_PROBES_PER_S + 1
    watched.run(1_800)
    assert len(watched.run(60)) <= 1.2 * 60 * MAX_PEERS / MOST_PROBE_S
    effects = []
    for _ in range(600):  # the same records again, changed a little each time
        effects += ghosts(watched, 100) + watched.run(0.1)
    assert len(effects) <= 60 * UNHEARD_PROBES_PER_S + 20


def test_contacts_and_who_was_heard_are_asked_as_if_there_were_no_burst() -> None:
    watched = Watched()
    watched.table.contacts(frozenset({BOB}), watched.now)
    watched.table.heard(CAROL, watched.now)
    watched.run(4)
    ghosts(watched, 1_000)
    watched.table.found(BOB, "bob", "192.0.2.7:9", watched.now)
    effects = watched.run(5)
    assert len(sent(effects, BOB)) >= 4
    assert len(sent(effects, CAROL)) >= 4
    watched.table.presence(BOB, "bob", "192.0.2.7:9", watched.now, reply_wanted=True)
    assert watched.alive() == [BOB]


def test_who_is_found_and_not_heard_is_asked_less_and_less_often() -> None:
    watched = Watched()
    first = sent(watched.table.found(BOB, "bob", "192.0.2.7:9", watched.now) + watched.run(9.5))
    assert len(first) == 10, "every second at first: multicast may only just have begun to pass"
    watched.run(300)
    assert len(sent(watched.run(256))) <= 5


def test_one_address_has_so_many_names_and_no_more() -> None:
    watched = Watched()
    for number in range(200):
        watched.table.found(Did(f"did:key:zghost{number}"), "ghost", f"192.0.2.9:{number + 1}", watched.now)
    assert len(watched.table._peers) == MAX_UNHEARD_AT_ADDRESS
    watched.table.found(BOB, "bob", "192.0.2.10:9", watched.now)
    assert BOB in watched.table._peers


@pytest.mark.parametrize("heard_every_s", [0.02, 0.3, 0.97, 1.05, 1.15])
def test_what_is_said_goes_at_one_pace_whatever_is_heard_of_the_peer(heard_every_s: float) -> None:
    """In a call there are announces and media, outside of one presences alone: whoever only sees when we speak cannot tell."""
    watched = Watched()
    watched.table.heard(BOB, watched.now)
    said: list[tuple[float, SendPresence]] = []
    heard_s = watched.now
    while watched.now < 160.0:
        due = watched.table.next_timeout()
        assert due is not None
        if heard_s + heard_every_s < due:
            watched.now = heard_s = heard_s + heard_every_s
            watched.table.heard(BOB, watched.now)
            watched.table.media_heard(BOB, watched.now)
            answers = watched.table.presence(BOB, "bob", "192.0.2.7:1", watched.now, reply_wanted=True)
        else:
            watched.now = max(watched.now, due)
            answers = watched.table.handle_timeout(watched.now)
        said += [(watched.now, effect) for effect in sent(answers)]
    paced = [at_s for at_s, effect in said if not effect.off_pace]
    gaps = [later - earlier for earlier, later in itertools.pairwise(paced[1:])]
    assert len(paced) >= 12
    assert all(gap == pytest.approx(BROKER_PROBE_S, abs=1e-6) for gap in gaps), gaps
    others = [effect for at_s, effect in said if effect.off_pace and at_s > 101.0]
    assert not any(effect.reply_wanted for effect in others), "who is heard is not asked"


def test_a_wake_up_that_comes_late_does_not_move_those_that_follow() -> None:
    watched = Watched()
    watched.table.heard(BOB, watched.now)
    watched.run(1.0)
    paced: list[float] = []
    for number in range(20):
        watched.now = 101.0 + number + 0.3 * (number % 2)
        watched.table.heard(BOB, watched.now)
        if sent(watched.table.handle_timeout(watched.now)):
            paced.append(watched.now)
    assert len(paced) >= 19


def through_a_broker(watched: Watched, *, reply_wanted: bool = False) -> list[PresenceEffect]:
    return watched.table.presence(
        BOB, "bob", "00.broker:0", watched.now, reply_wanted=reply_wanted, overheard=True
    )


def behind_a_broker() -> Watched:
    """Both of them are there, and have been for a while."""
    watched = Watched()
    watched.table.contacts(frozenset({BOB}), watched.now)
    watched.table.broker_found(watched.now)
    for _ in range(4):
        through_a_broker(watched)
        watched.run(BROKER_PROBE_S)
    return watched


def test_who_is_heard_through_a_broker_alone_is_told_and_missed_at_its_pace() -> None:
    watched = behind_a_broker()
    (view,) = watched.table.snapshot(watched.now)
    assert (view.alive, view.overheard, view.address) == (True, True, None)
    said: list[float] = []
    for _ in range(12):
        through_a_broker(watched)
        for _ in range(50):
            said += [watched.now for effect in sent(watched.run(BROKER_PROBE_S / 50)) if not effect.off_pace]
    assert len(said) == 12
    effects = watched.run(BROKER_ALIVE_S - BROKER_PROBE_S - 0.1)
    assert [effect.reply_wanted for effect in sent(effects)][-1:] == [True]
    assert watched.alive() == [BOB]
    assert Emit(PeerVanished(did=BOB, nickname="bob")) in watched.run(0.2)


def test_who_is_heard_by_the_network_too_is_missed_as_soon_as_ever() -> None:
    watched = behind_a_broker()
    watched.table.presence(BOB, "bob", "192.0.2.7:9", watched.now, reply_wanted=False)
    through_a_broker(watched)
    (view,) = watched.table.snapshot(watched.now)
    assert (view.overheard, view.address) == (False, "192.0.2.7:9")
    assert [PeerVanished(did=BOB, nickname="bob")] == [
        effect.event for effect in watched.run(ALIVE_S + 0.1) if isinstance(effect, Emit)
    ]
    # Its network is gone, and the broker is not.
    assert Emit(PeerAppeared(did=BOB, nickname="bob")) in through_a_broker(watched)
    (view,) = watched.table.snapshot(watched.now)
    assert (view.overheard, view.address) == (True, None)
    watched.run(ALIVE_S + 0.1)
    assert watched.alive() == [BOB]


def test_when_the_broker_is_lost_those_behind_it_are_given_up_and_asked_when_it_is_back() -> None:
    watched = behind_a_broker()
    through_a_broker(watched)
    watched.table.broker_lost(watched.now)
    watched.run(BROKER_LOST_S - 0.1)
    assert watched.alive() == [BOB]
    watched.run(0.2)
    assert watched.alive() == []
    watched.run(100.0)
    assert sent(watched.table.broker_found(watched.now)) == [SendPresence(BOB, reply_wanted=True)]
    assert Emit(PeerAppeared(did=BOB, nickname="bob")) in through_a_broker(watched)


def test_a_short_loss_of_the_broker_is_no_news() -> None:
    watched = behind_a_broker()
    watched.table.broker_lost(watched.now)
    watched.run(2.0)
    assert sent(watched.table.broker_found(watched.now)) == [SendPresence(BOB, reply_wanted=True)]
    assert not [effect for effect in watched.run(2.0) if isinstance(effect, Emit)]
    through_a_broker(watched)
    watched.run(BROKER_ALIVE_S - 0.1)
    assert watched.alive() == [BOB]


def test_who_asks_through_a_broker_is_answered_a_moment_later_and_once() -> None:
    watched = behind_a_broker()
    watched.run(0.3)
    assert sent(through_a_broker(watched, reply_wanted=True)) == []
    said = [effect for effect in sent(watched.run(PROBE_S)) if not effect.off_pace]
    assert said == [SendPresence(BOB, reply_wanted=False)]


def test_a_contact_who_is_not_there_costs_a_broker_little() -> None:
    watched = Watched()
    watched.table.contacts(frozenset({BOB}), watched.now)
    watched.table.broker_found(watched.now)
    first = [effect for effect in sent(watched.run(2.0)) if not effect.off_pace]
    assert len(first) == 2, "who came at the same moment may not have listened yet"
    watched.run(40.0)
    assert len([effect for effect in sent(watched.run(300.0)) if not effect.off_pace]) == 10


def test_when_many_are_due_contacts_come_first() -> None:
    watched = Watched()
    ghosts(watched, 10 * MAX_PROBES_PER_WAKE)
    watched.table.found(BOB, "bob", "192.0.2.7:9", watched.now)
    watched.run(0.5)
    watched.now += 30.0  # this process was stopped: everybody is due, contacts last
    for peer in watched.table._peers.values():
        peer.due_s = watched.now - (0.1 if peer.did == BOB else 10.0)
    effects = watched.table.contacts(frozenset({BOB}), watched.now)
    assert len(sent(effects)) == 1


def test_the_paces_of_many_meet_so_that_they_wake_a_session_four_times_a_second() -> None:
    watched, moments = Watched(), list[float]()
    peers = [Did(f"did:key:zMe{number}") for number in range(MAX_PROBES_PER_WAKE)]
    told: dict[Did, list[float]] = {peer: [] for peer in peers}
    for peer in peers:  # each at another moment of the second
        watched.now += 0.0617
        watched.table.presence(peer, "them", "192.0.2.7", watched.now, reply_wanted=False)
    until = watched.now + 10.0
    heard_at = watched.now
    while (due := watched.table.next_timeout()) is not None and due <= until:
        watched.now = max(watched.now, due)
        if watched.now >= heard_at + 0.5:
            heard_at = watched.now
            for peer in peers:
                watched.table.heard(peer, watched.now)
        effects = watched.table.handle_timeout(watched.now)
        moments += [watched.now] * bool(effects)
        for peer in peers:
            told[peer] += [watched.now] * len(sent(effects, peer))
    later = [moment for moment in moments if moment > until - 5.0]
    assert len(later) <= 4 * 5 + 1
    for at in told.values():
        assert all(after - before <= PROBE_S + 0.001 for before, after in itertools.pairwise(at)), (
            "as often as before"
        )
        paced = [moment for moment in at if moment > until - 8.0]
        assert len(paced) in (7, 8, 9), "and not more often, once they have met"
