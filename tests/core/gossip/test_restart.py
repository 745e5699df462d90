"""A session that begins again under a recording of all that was ever said to it, and of whom it is to hear nothing twice."""

import pytest

from blink_cli.core.gossip import GossipSettings, Received
from blink_cli.core.signaling.replay_memory import ReplayMemory, decode_memory, encode_memory
from blink_cli.core.signaling.signals import Presence, Signal
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, LAN, Party, Wire, announce, offer

HERE = Presence("anna", reply_wanted=False)
ERRORS_S = [0.0, 240.0, -240.0, 3_600.0, -3_600.0]
ENDINGS = ["it crashed", "it ended"]


def a_call(error_s: float) -> tuple[Wire, Party, Party]:
    """Some seconds in which everything is said that one session says to another."""
    anna, bob = Party(1), Party(2)
    anna.clock_error_s = error_s
    wire = Wire([anna, bob])
    wire.run(1.0)
    wire.send_to_peer(anna, bob, HERE, None)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    for party in (anna, bob):
        party.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    for sequence in range(1, 20):
        wire.send_to_call(anna, announce(sequence))
        wire.run(1.0)
    assert offer(anna, bob) in bob.received
    return wire, anna, bob


def memory_after(ending: str, party: Party) -> ReplayMemory | None:
    memory = party.gossip.memory() if ending == "it ended" else None
    return None if memory is None else decode_memory(encode_memory(memory))


def begin_again(wire: Wire, party: Party, memory: ReplayMemory | None) -> Party:
    again = Party(2, seed=7, memory=memory)
    wire.parties[wire.parties.index(party)] = again
    return again


def replay(wire: Wire, to: Party) -> list[Signal]:
    before = len(to.deliveries)
    for sender, _, datagram in list(wire.carried):
        if sender.did != to.did:
            wire.put(to, datagram, LAN, ("192.0.2.66", 6))
    return [effect.signal for effect in to.deliveries[before:]]


@pytest.mark.parametrize("caller", ["is there", "is gone"])
@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("error_s", ERRORS_S)
def test_a_session_that_begins_again_under_a_recording_believes_nothing_of_it(
    error_s: float, ending: str, caller: str
) -> None:
    wire, anna, bob = a_call(error_s)
    again = begin_again(wire, bob, memory_after(ending, bob))
    if caller == "is gone":
        wire.parties.remove(anna)
    for moment_s in (0.0, 0.2, 2.0, 60.0, 200.0, 280.0, 320.0, 600.0):
        wire.run(moment_s)
        assert replay(wire, again) == [], moment_s
        again.gossip.open_call(
            CALL_ID, GROUP_KEY, (anna.did, bob.did)
        )  # if it is offered the same call again
    if caller == "is gone":
        assert [effect for effect in again.told if isinstance(effect, Received)] == []


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("error_s", ERRORS_S)
def test_what_is_said_to_it_now_is_heard_at_once(error_s: float, ending: str) -> None:
    wire, anna, bob = a_call(error_s)
    again = begin_again(wire, bob, memory_after(ending, bob))
    wire.run(0.5)
    wire.send_to_peer(anna, again, offer(anna, bob))
    wire.run(0.001)
    assert again.received == [offer(anna, bob)]
    assert anna.acknowledged[-1:] == [offer(anna, bob)]


@pytest.mark.parametrize("error_s", ERRORS_S)
def test_an_offer_that_was_under_way_before_it_began_rings_soon(error_s: float) -> None:
    anna, bob = Party(1), Party(2)
    anna.clock_error_s = error_s
    wire = Wire([anna])
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(31.0)
    wire.parties.append(Party(2, memory=None))
    anna_says_it_again_within_s = GossipSettings().repeat_after_s[-1]
    wire.run(anna_says_it_again_within_s + 0.2)
    assert wire.parties[1].received == [offer(anna, bob)]
    assert anna.acknowledged == [offer(anna, bob)]


def test_a_build_that_proves_no_clock_is_heard_at_once_by_a_session_that_knows_what_was_said() -> None:
    wire, anna, bob = a_call(0.0)
    again = begin_again(wire, bob, bob.gossip.memory())
    effects = anna.gossip.send_to_peer(bob.did, HERE, None, wire.now_s, wire.wall_s(anna))
    wire.parties.remove(anna)  # and so does not answer
    wire.do(anna, effects)
    assert again.received == [HERE]


def test_what_absent_peers_once_said_tells_nothing_of_their_clocks() -> None:
    wire, anna, bob = a_call(0.0)
    wire.parties.remove(anna)
    again = begin_again(wire, bob, None)
    for _ in range(4):
        assert replay(wire, again) == []
        wire.run(5.0)
    assert again.told == []


def test_recordings_do_not_make_a_session_ask_without_end() -> None:
    wire, anna, bob = a_call(0.0)
    wire.parties.remove(anna)
    again = begin_again(wire, bob, None)
    recorded = list(wire.carried)
    del wire.carried[:]
    for _ in range(60):
        for sender, _, datagram in recorded:
            if sender is anna:
                wire.put(again, datagram, LAN, ("192.0.2.66", 6))
        wire.run(1.0)
    assert len(wire.carried) < 2 * 5 * len((0.5, 5, 30, 60)), (
        "some rounds of five questions, by two ways each"
    )


def test_strangers_do_not_keep_contacts_waiting_for_a_question() -> None:
    anna, bob = Party(1), Party(2, memory=None)
    bob.gossip.set_contacts(frozenset({anna.did}))
    wire = Wire([bob])
    for number in range(3, 70):
        stranger = Party(number)
        wire.do(
            stranger, stranger.gossip.send_to_peer(bob.did, HERE, None, wire.now_s, wire.wall_s(stranger))
        )
    wire.parties.append(anna)
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.run(0.001)
    assert bob.received == [offer(anna, bob)]
