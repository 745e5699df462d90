"""What carries a secret is sealed to a prekey of its receiver's session, who is asked for it, and sealed anew when that session has another."""

import pytest

from blink_cli.core.gossip import GossipSettings, Received
from blink_cli.core.gossip.prekey_questions import MAX_QUESTIONS, PrekeyQuestions
from blink_cli.core.signaling.envelope import write_envelope
from blink_cli.core.signaling.prekeys import CHANGE_S, KEEP_S
from blink_cli.core.signaling.sealing import seal_to_peer
from blink_cli.core.signaling.signals import Cancel, Decline, DirectSignal, Presence, Redial
from blink_cli.core.signaling.topics import day_of, public_channel
from tests.core.gossip.parts import (
    CALL_ID,
    GROUP_KEY,
    LAN,
    NOTHING_WAS_SAID,
    WALL_S,
    Party,
    Wire,
    offer,
    to_public,
)


def strangers(*, loss: float = 0.0, seed: int = 0) -> tuple[Wire, Party, Party]:
    anna, bob = Party(1), Party(2)
    return Wire([anna, bob], loss=loss, seed=seed, acquainted=False), anna, bob


def test_a_first_offer_takes_one_round_trip_more_and_leaves_unsealed_by_no_path() -> None:
    wire, anna, bob = strangers()
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert bob.received == [offer(anna, bob)]  # the wire takes no time, so without any repetition
    assert anna.acknowledged == [offer(anna, bob)]
    assert anna.gossip.next_timeout() is None


def test_nothing_but_first_words_goes_out_before_a_prekey_is_known() -> None:
    wire, anna, bob = strangers(loss=1.0)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    anna.gossip.open_call(CALL_ID, GROUP_KEY)
    wire.send_to_peer(anna, bob, Redial(CALL_ID, 1, 1, 1))
    wire.run(5.0)
    assert wire.carried
    for _, _, datagram in wire.carried:
        wire.put(bob, datagram, LAN, anna.address)
    assert bob.received == []
    assert bob.gossip.counters().clocks > 0


@pytest.mark.parametrize("seed", range(20))
def test_with_thirty_percent_lost_a_first_offer_arrives_once_and_soon(seed: int) -> None:
    wire, anna, bob = strangers(loss=0.3, seed=seed)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(5.0)
    assert bob.received == [offer(anna, bob)], f"seed {seed}"
    assert anna.acknowledged == [offer(anna, bob)], f"seed {seed}"


def test_a_presence_tells_the_prekey_and_spares_the_question() -> None:
    wire, anna, bob = strangers()
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
    assert anna.received == [Presence("bob", reply_wanted=False)]
    del wire.carried[:]
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert bob.received == [offer(anna, bob)]
    assert len([said for said in wire.carried if said[0] is anna]) == 1


@pytest.mark.parametrize("silent_s", [0.5, 60.0], ids=["heard just now", "not heard for a minute"])
@pytest.mark.parametrize("memory", [NOTHING_WAS_SAID, None], ids=["remembers", "crashed"])
def test_an_offer_under_way_reaches_the_session_that_its_peer_began_meanwhile(
    silent_s: float, memory: object
) -> None:
    wire, anna, bob = strangers()
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
    wire.run(silent_s)
    wire.parties.remove(bob)
    again = Party(2, seed=2, memory=memory)  # type: ignore[arg-type]
    again.gossip.begin(wire.now_s, wire.wall_s(again))
    wire.parties.append(again)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    # It was taken to be there still: asked by presence, or when its prekey begins to be in doubt.
    if silent_s < 2.0:
        wire.run(0.5)
        wire.send_to_peer(again, anna, Presence("bob", reply_wanted=False), None)
    wire.run(0.1)
    assert again.received == [offer(anna, bob)]
    assert anna.acknowledged == [offer(anna, bob)]


def test_without_any_presence_a_restarted_peer_is_found_out_by_the_next_repetitions() -> None:
    wire, anna, bob = strangers()
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
    wire.parties[1] = again = Party(2, seed=2)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert again.received == []
    wire.run(0.1)
    assert again.received == [offer(anna, bob)]


def test_a_prekey_changes_every_hour_and_what_was_sealed_to_the_last_one_opens_for_some_minutes() -> None:
    wire, anna, bob = strangers()
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
    first = anna.gossip._prekeys.of(bob.identity.public_key, wire.now_s)
    wire.run(CHANGE_S)
    wire.parties.remove(bob)
    wire.send_to_peer(anna, bob, Cancel(CALL_ID))  # sealed to the prekey that bob changes meanwhile
    said = [datagram for sender, _, datagram in wire.carried if sender is anna][-1]
    wire.parties.append(bob)
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
    assert bob.received == [Cancel(CALL_ID)]
    assert set(anna.gossip._prekeys.of(bob.identity.public_key, wire.now_s)).isdisjoint(first)
    late = Party(2)
    late.gossip._own_prekeys = bob.gossip._own_prekeys
    late.gossip.set_contacts(frozenset({anna.did}))
    wire.run(KEEP_S)
    wire.put(late, said, LAN, anna.address)
    assert late.gossip.counters().unknown_prekeys == 1


def test_nobody_is_believed_who_seals_to_the_long_term_key_alone() -> None:
    wire, anna, bob = strangers()
    key = bob.identity.public_key
    topic = public_channel(key, day_of(round(WALL_S * 1000))).topic
    signals: tuple[DirectSignal, ...] = (offer(anna, bob), Decline(CALL_ID), Cancel(CALL_ID))
    for number, signal in enumerate(signals):
        message_id = bytes([number]) * 16
        scope = topic + message_id
        envelope = write_envelope(
            signal, anna.identity, scope=scope, recipient=key, sent_ms=round(wire.wall_s(anna) * 1000)
        )
        wire.put(bob, to_public(bob, message_id, seal_to_peer(envelope, key, scope)), LAN, anna.address)
    assert bob.received == []
    assert bob.gossip.counters().unprotected == 3


def test_who_floods_with_unknown_prekeys_gets_no_answer() -> None:
    wire, anna, bob = strangers()
    for number in range(2_000):
        garbage = to_public(bob, number.to_bytes(16, "big"), bytes(32) + b"\x01" + bytes(60))
        assert not bob.gossip.receive(garbage, LAN, anna.address, wire.now_s + number / 100, wire.wall_s(bob))


def test_questions_are_bounded_and_an_answer_counts_for_whom_was_asked() -> None:
    questions = PrekeyQuestions(Party(1).gossip._entropy)
    nonce = questions.ask(b"bob", 0.0)
    assert nonce is not None
    assert questions.ask(b"bob", 0.01) is None
    assert questions.answered(b"bob", nonce, 1.0)
    assert not questions.answered(b"carl", nonce, 1.0)
    assert not questions.answered(b"bob", nonce, 6.0)
    for number in range(2 * MAX_QUESTIONS):
        questions.ask(b"peer %d" % number, 0.0)
    assert len(questions._asked) == MAX_QUESTIONS


def test_two_sessions_of_an_identity_both_get_what_is_for_it() -> None:
    wire, anna, bob = strangers()
    other = Party(2, seed=5)
    other.address = ("192.0.2.99", 9)
    wire.parties.append(other)
    for session in (bob, other):
        wire.send_to_peer(session, anna, Presence("bob", reply_wanted=False), None)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    assert [one.signal for one in bob.told if isinstance(one, Received)][-1] == offer(anna, bob)
    assert [one.signal for one in other.told if isinstance(one, Received)][-1] == offer(anna, bob)
    assert GossipSettings().max_deaf_of_peer <= 3
