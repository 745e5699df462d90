"""Links and peers that are lost, and found again: rules of a call as conversations between sessions."""

import pytest

from blink_cli.core.api.events import (
    IncomingCall,
    LinkChanged,
    LinkState,
)
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import SendToCall, SendToPeer
from blink_cli.core.ids import Did
from blink_cli.core.signaling.signals import Announce, Attending, Out, PeerReception, Redial
from blink_cli.lab.simulation.invariants import check_settled
from blink_cli.lab.simulation.node import Node
from tests.core.call.party import Party, did


def test_a_killed_peer_is_lost_within_three_seconds_and_leaves_after_thirty() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob", "carol")
    killed_at = party.world.now
    party.world.crash(party.node("carol"))
    party.run(40)
    lost_at = party.when("alice", lambda e: isinstance(e, LinkChanged) and e.link is LinkState.LOST)
    assert lost_at - killed_at <= 3.0
    assert "participant_left carol lost" in party.said("alice")
    assert party.link("alice", "bob") is LinkState.CONNECTED


def test_a_two_party_call_ends_when_the_other_is_lost_for_good() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.world.crash(party.node("bob"))
    party.run(35)
    assert party.said("alice")[-2:] == ["participant_left bob lost", "call_terminated empty"]


@pytest.mark.parametrize("gap_s", [1.0, 5.0, 20.0, 28.0])
def test_an_unplugged_peer_is_whole_again_within_two_seconds(gap_s: float) -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob", "carol")
    party.cut(("alice", "bob"), ("carol",))
    party.run(gap_s)
    party.world.heal()
    party.run(2)
    check_settled(party.world, ghosts=False)


def test_a_call_cut_in_two_for_a_minute_can_be_put_together() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.cut(("alice", "bob"), ("carol",))
    party.run(60)
    assert party.call("carol") is None
    party.world.heal()
    party.run(3)
    assert [p.call_id for p in party.pending("carol")] == [call]
    party.accept("carol", call)
    party.run(1.5)
    check_settled(party.world, ghosts=False)


def test_media_alone_is_cut_and_comes_back() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.cut(("alice",), ("bob",), signals=False)
    party.run(20)
    assert party.link("alice", "bob") is not LinkState.CONNECTED
    assert party.participant("alice", "bob").present, "its signals say that it is still here"
    party.world.heal()
    party.run(5)
    check_settled(party.world, ghosts=False)


def test_signals_alone_are_cut_and_nobody_notices() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.cut(("alice",), ("bob",), media=False)
    party.run(60)
    assert party.link("alice", "bob") is LinkState.CONNECTED


def test_a_short_silence_does_not_cost_a_new_connection() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    epoch = party.participant("alice", "bob").epoch
    party.cut(("alice",), ("bob",))
    party.run(4)
    assert party.link("alice", "bob") is LinkState.LOST
    party.world.heal()
    # The media poll of the simulation is coarse; the real one shows at once that the old connection still works.
    node = party.node("alice")
    party.world.input(node, inputs.Heard(did("bob"), epoch, party.world.now))
    assert party.link("alice", "bob") is LinkState.CONNECTED
    assert party.participant("alice", "bob").epoch == epoch


def test_a_link_closed_without_leave_is_dialled_again() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    alice, bob = party.node("alice"), party.node("bob")
    epoch = party.participant("alice", "bob").epoch
    party.world.input(alice, inputs.Ended(did("bob"), epoch, "dtls closed"))
    party.run(1)
    assert party.participant("alice", "bob").epoch > epoch
    epoch = party.participant("alice", "bob").epoch
    party.world.input(bob, inputs.Ended(did("alice"), epoch, "dtls closed"))
    party.run(1.5)
    assert party.participant("alice", "bob").epoch > epoch, "the side that does not dial has asked for it"
    check_settled(party.world, ghosts=False)


def test_who_does_not_dial_asks_when_its_announces_are_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    alice, honest = party.node("alice"), party.world._receive_call

    def deaf(node: Node, sender: Did, number: int, said: SendToCall) -> None:
        if node is not alice:
            honest(node, sender, number, said)

    # Nothing that bob says to the whole call reaches alice; what it says to her alone does.
    monkeypatch.setattr(party.world, "_receive_call", deaf)
    party.accept("bob", call)
    party.run(2)
    asked = [e for n, e in party.effects if n == "bob" and isinstance(e, SendToPeer)]
    assert any(isinstance(effect.signal, Redial) for effect in asked)
    assert party.link("alice", "bob") is LinkState.CONNECTED


def test_a_session_whose_clock_is_behind_comes_after_another_of_its_identity_left() -> None:
    party = Party("alice", "bob", "bob2", "carol")
    party.node("bob2").skew_ms = -90_000
    call = party.offer("alice", "bob", "carol")
    party.run(0.2)
    party.cut(("alice", "carol", "bob"), ("bob2",))
    party.accept("carol", call)
    party.accept("bob", call)
    party.run(1)
    party.leave("bob")
    party.run(1)
    party.world.crash(party.node("bob"))
    party.world.heal()
    party.accept("bob2", call)
    party.run(3)
    check_settled(party.world, ghosts=False)
    assert party.link("alice", "bob") is LinkState.CONNECTED


def test_a_frozen_session_forgives_the_others_for_its_own_sleep() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob", "carol")
    node = party.node("carol")
    party.world.freeze(node)
    party.run(45)
    assert "participant_left carol lost" in party.said("alice")
    party.world.thaw(node, node.life)
    party.run(5)
    assert party.call("carol") is not None, "its own call has not ended while it slept"
    check_settled(party.world, ghosts=False)


def test_its_own_sleep_is_forgiven_once_however_much_comes_before_the_wake() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob", "carol")
    node = party.node("carol")
    party.world.freeze(node)
    party.run(5)
    for connection in list(node.connections.values()):
        party.world.input(node, inputs.Heard(connection.peer, connection.epoch, party.world.now))
    party.world.thaw(node, node.life)
    party.run(2)
    party.cut(("carol",), ("alice", "bob"))
    party.run(3.1)
    assert party.link("carol", "alice") is LinkState.LOST
    assert party.link("carol", "bob") is LinkState.LOST


def test_a_crashed_session_is_offered_the_call_again_and_rejoins_with_accept() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.world.crash(party.node("carol"))
    party.run(8)
    party.world.restart(party.node("carol"))
    party.run(4)
    assert [p.call_id for p in party.pending("carol")] == [call]
    assert len(party.events("carol", IncomingCall)) == 1
    party.accept("carol", call)
    party.run(1.5)
    check_settled(party.world, ghosts=False)
    joined = [said for said in party.said("alice") if said.startswith("participant_joined carol")]
    assert len(joined) == 1, "the same participant on a new link"


@pytest.mark.parametrize("back_s", [3_600, 20 * 365 * 86_400], ids=["an hour", "twenty years"])
def test_a_crashed_session_rejoins_although_its_clock_was_set_back(back_s: int) -> None:
    party = Party("alice", "bob")
    bob = party.node("bob")
    party.world.set_clock(bob, back_s)
    call = party.in_call("alice", "bob")
    party.world.crash(bob)
    party.run(5)
    party.world.restart(bob)
    party.world.set_clock(bob, -back_s)
    party.run(3)
    party.accept("bob", call)
    party.run(2)
    check_settled(party.world, ghosts=False)


@pytest.mark.parametrize("step_s", [3_600, -3_600, 20 * 365 * 86_400, -20 * 365 * 86_400])
def test_a_clock_that_is_set_in_the_middle_of_a_call_costs_nothing(step_s: int) -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.world.set_clock(party.node("bob"), step_s)
    party.run(3)
    party.leave("bob")
    party.run(0.3)
    assert not party.participant("alice", "bob").present
    party.accept("bob", call)
    party.run(2)
    check_settled(party.world, ghosts=False)
    assert not [said for name in ("alice", "carol") for said in party.said(name) if "lost" in said]


def test_nobody_can_use_the_numbers_of_lives_up() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    known = party.node("bob").machine._call_table.get(call)
    assert known is not None
    known.heard_rumour(party.world.wall_ms(party.node("bob")) + 3_600_000)
    known.heard_rumour(2**53 - 1)
    party.accept("bob", call)
    assert party.world.wall_ms(party.node("bob")) + 3_600_000 < known.own_incarnation < 2**52
    party.run(2)
    check_settled(party.world, ghosts=False)


def test_a_life_that_some_never_heard_of_does_not_keep_the_next_one_from_the_others() -> None:
    party = Party("alice", "bob", "carol")
    bob, alice = party.node("bob"), party.node("alice")
    party.world.set_clock(bob, 3_600)
    call = party.offer("alice", "bob", "carol")
    party.run(0.05)
    party.cut(("alice", "bob"), ("alice", "carol"))
    party.accept("carol", call)
    party.accept("bob", call)
    party.run(2)
    first = party.participant("alice", "bob").incarnation
    assert not party.participant("carol", "bob").present
    party.world.crash(bob)
    party.world.set_clock(bob, -7_200)
    party.run(2)
    party.world.restart(bob)
    while not bob.machine.ringing:
        party.run(0.005)
    party.world.heal()
    party.cut(("alice", "carol"), ("bob", "carol"))
    party.accept("bob", call)
    party.run(1)
    assert 0 < party.participant("carol", "bob").incarnation < first, "only carol counts this life in"
    party.world.heal()
    party.run(5)
    check_settled(party.world, ghosts=False)
    assert party.participant("alice", "bob").incarnation > first
    # What the first life said, heard once more, brings nothing back.
    last = Announce(first, 10_000, "bob", muted=True, deafened=False, recording=False, hears=())
    stale = party.ignored("alice")["stale"]
    party.world.input(alice, inputs.SignalHeard(did("bob"), last, call))
    assert party.ignored("alice")["stale"] == stale + 1
    check_settled(party.world, ghosts=False)


def test_a_session_with_a_clock_behind_is_seen_by_all_although_some_never_heard_the_other_one() -> None:
    party = Party("alice", "bob", "bob2", "carol")
    party.node("bob2").skew_ms = -90_000
    call = party.offer("alice", "bob", "carol")
    party.run(0.2)
    party.cut(("alice", "bob"), ("alice", "carol"), ("bob2",))
    party.accept("carol", call)
    party.accept("bob", call)
    party.run(1)
    party.leave("bob")
    party.run(1)
    party.world.crash(party.node("bob"))
    party.world.heal()
    party.cut(("alice", "carol"), ("carol", "bob2"))
    party.accept("bob2", call)
    party.run(4)
    assert party.link("carol", "bob") is LinkState.CONNECTED
    assert party.link("bob2", "carol") is LinkState.CONNECTED
    party.world.heal()
    party.run(5)
    check_settled(party.world, ghosts=False)


def test_who_is_believed_to_have_left_in_its_present_life_takes_a_newer_one() -> None:
    party = Party("alice", "bob")
    call = party.in_call("alice", "bob")
    alice, bob = party.node("alice").machine._active_call, party.node("bob").machine._active_call
    assert alice is not None
    assert bob is not None
    party.cut(("alice",), ("bob",))
    party.run(4)
    number = bob.incarnation
    # A late Cancel of another session of this identity, which names no life, ended the present one for her.
    said = Attending(alice.incarnation, bob.call.keys.current.epoch, (Out(bob.call.own_place, number),))
    party.world.input(party.node("bob"), inputs.SignalHeard(did("alice"), said, call))
    assert bob.incarnation == number + 1
    party.world.heal()
    party.run(5)
    check_settled(party.world, ghosts=False)


def test_nobody_can_make_us_drop_our_links_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    party = Party("alice", "bob", "mallory")
    party.in_call("alice", "bob", "mallory")
    liar, bob = party.node("mallory").machine._active_call, party.node("bob").machine._active_call
    assert liar is not None
    assert bob is not None

    def hears(now: float) -> tuple[PeerReception, ...]:
        return (PeerReception(did("bob"), "lost", bob.incarnation + 1000),)

    monkeypatch.setattr(liar._announces, "hears", hears)
    lives = [bob.incarnation]
    for _ in range(30):
        party.run(1)
        lives += [bob.incarnation] * (bob.incarnation != lives[-1])
    assert len(lives) == 2, "it is believed once"
    assert party.link("alice", "bob") is LinkState.CONNECTED


def test_a_crashed_session_that_accepts_before_it_heard_of_its_old_life_is_reborn() -> None:
    party = Party("alice", "bob")
    call = party.in_call("alice", "bob")
    bob = party.node("bob")
    party.world.crash(bob)
    party.run(4)
    party.world.restart(bob)
    bob.skew_ms = -3_600_000
    while not bob.machine.ringing:
        party.run(0.005)
    party.accept("bob", call)
    party.run(3)
    check_settled(party.world, ghosts=False)
