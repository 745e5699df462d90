"""Presence in virtual time: who is there is what was heard, never what somebody says."""

import random

import pytest

from blink_cli.core.call_effects import Emit
from blink_cli.core.events import PeerAppeared, PeerVanished
from blink_cli.core.names import Did
from blink_cli.core.presence import ALIVE_S, MAX_PEERS, PresenceTable, SendPresence

ME, BOB, EVE = Did("did:key:me"), Did("did:key:bob"), Did("did:key:eve")


def events(effects):
    return [effect.event for effect in effects if isinstance(effect, Emit)]


def sent(effects):
    return [effect for effect in effects if isinstance(effect, SendPresence)]


def run(table, start_s, end_s):
    effects, now_s = [], start_s
    while (due_s := table.next_wake()) is not None and due_s <= end_s:
        now_s = max(now_s, due_s)
        effects += [(now_s, effect) for effect in table.wake(now_s)]
    return effects


def test_a_peer_that_is_only_announced_is_asked_and_not_believed():
    table = PresenceTable(ME)
    effects = table.found(BOB, "bob", "10.0.0.2:7667", 1.0)
    assert sent(effects) == [SendPresence(BOB, reply_wanted=True)]
    assert not events(effects)
    (view,) = table.snapshot(1.0)
    assert (view.alive, view.last_seen_ms, view.nickname) == (False, None, "bob")


def test_a_peer_is_there_from_its_first_signed_word_and_gone_three_seconds_after_its_last():
    table = PresenceTable(ME)
    assert events(table.heard(BOB, 10.0)) == [PeerAppeared(did=BOB, nickname="")]
    gone = [(at_s, e.event) for at_s, e in run(table, 10.0, 20.0) if isinstance(e, Emit)]
    assert gone[0][1] == PeerVanished(did=BOB, nickname="")
    assert gone[0][0] == pytest.approx(10.0 + ALIVE_S, abs=0.05)


def test_a_silent_peer_is_asked_more_often_before_it_is_given_up():
    table = PresenceTable(ME)
    table.heard(BOB, 0.0)
    asked = [at_s for at_s, e in run(table, 0.0, ALIVE_S) if isinstance(e, SendPresence) and e.reply_wanted]
    assert len([at_s for at_s in asked if at_s < ALIVE_S]) >= 5


def test_a_goodbye_is_believed_at_once_and_a_word_brings_the_peer_back():
    table = PresenceTable(ME)
    table.found(BOB, "bob", "10.0.0.2:7667", 0.0)
    table.presence(BOB, "bob", "10.0.0.2:7667", 0.1, reply_wanted=False)
    assert events(table.gone(BOB, 5.0)) == [PeerVanished(did=BOB, nickname="bob")]
    assert events(table.heard(BOB, 5.2)) == [PeerAppeared(did=BOB, nickname="bob")]


def test_what_a_peer_signs_wins_over_what_anybody_announces_for_it():
    table = PresenceTable(ME)
    table.presence(BOB, "bob", "10.0.0.2:1", 0.0, reply_wanted=False)
    table.found(BOB, "mallory", "10.6.6.6:6", 0.5)
    (view,) = table.snapshot(0.5)
    assert (view.nickname, view.address) == ("bob", "10.0.0.2:1")


def test_two_tables_keep_each_other_alive_over_a_network_that_loses_three_in_ten():
    seed = 7
    dice = random.Random(seed)
    tables = {ME: PresenceTable(ME), BOB: PresenceTable(BOB)}
    tables[ME].found(BOB, "bob", "a:1", 0.0)
    vanished = messages = 0
    queue = [(0.0, ME, SendPresence(BOB, reply_wanted=True))]
    now_s = 0.0
    while now_s < 600.0:
        due = [(table.next_wake() or now_s + 1, did) for did, table in tables.items()]
        at_s, who = min(due)
        now_s = max(now_s + 0.001, at_s)
        queue += [(now_s, who, effect) for effect in tables[who].wake(now_s)]
        while queue:
            _, sender, effect = queue.pop(0)
            if isinstance(effect, Emit):
                vanished += isinstance(effect.event, PeerVanished)
                continue
            messages += 1
            if dice.random() < 0.3:
                continue
            receiver = effect.peer
            answer = tables[receiver].presence(sender, "x", "a:1", now_s, reply_wanted=effect.reply_wanted)
            queue += [(now_s, receiver, reply) for reply in answer]
    assert vanished == 0, f"seed {seed}"
    assert messages < 600 * 2 * 2, "about one a second each way, and some repeats"


def test_strangers_cannot_fill_the_table_beyond_its_cap_nor_push_out_a_contact():
    table = PresenceTable(ME)
    table.contacts(frozenset({EVE}), 0.0)
    for number in range(2 * MAX_PEERS):
        table.found(Did(f"did:key:{number}"), "x", "a:1", float(number))
    table.heard(EVE, 1000.0)
    assert any(view.did == EVE and view.alive for view in table.snapshot(1000.0))
    assert len(table.snapshot(1000.0)) <= MAX_PEERS


def test_oneself_is_nobodys_peer():
    table = PresenceTable(ME)
    assert table.found(ME, "me", "a:1", 0.0) == []
    assert table.heard(ME, 0.0) == []
    assert table.snapshot(0.0) == ()
