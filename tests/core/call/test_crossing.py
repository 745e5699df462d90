"""Offers that cross, and two sessions of one identity: rules of a call as conversations between sessions."""

from blink_cli.core.api.events import (
    LinkState,
)
from blink_cli.lab.simulation.invariants import check_settled
from tests.core.call.party import Party


def test_two_offer_each_other_at_the_same_moment() -> None:
    party = Party("alice", "bob")
    one, other = party.offer("alice", "bob"), party.offer("bob", "alice")
    party.run(0.2)
    assert [p.call_id for p in party.pending("alice")] == [other]
    assert [p.call_id for p in party.pending("bob")] == [one]
    party.accept("bob", one)
    party.run(1)
    check_settled(party.world, ghosts=False)
    assert party.link("alice", "bob") is LinkState.CONNECTED
    assert party.pending("alice") == ()


def test_both_accept_the_others_offer() -> None:
    party = Party("alice", "bob")
    one, other = party.offer("alice", "bob"), party.offer("bob", "alice")
    party.run(0.2)
    party.accept("alice", other)
    party.accept("bob", one)
    party.run(0.5)
    # Each left its own call for the other's: both offers were withdrawn, and both are free to call again.
    assert party.call("alice") is None
    assert party.call("bob") is None
    party.in_call("alice", "bob")


def test_an_offer_to_somebody_in_another_call_rings_there() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob")
    call = party.offer("carol", "bob")
    party.run(0.5)
    assert [p.call_id for p in party.pending("bob")] == [call]
    assert party.link("bob", "alice") is LinkState.CONNECTED


def test_a_second_session_of_one_identity_stops_ringing_when_the_first_accepts() -> None:
    party = Party("alice", "bob", "bob2")
    call = party.offer("alice", "bob")
    party.run(0.1)
    assert party.pending("bob2")
    party.accept("bob", call)
    party.run(0.2)
    assert party.pending("bob2") == ()
    assert party.said("bob2")[-1] == "call_cancelled joined_elsewhere"
    assert party.link("alice", "bob") is LinkState.CONNECTED


def test_of_two_sessions_of_one_identity_the_newer_wins() -> None:
    party = Party("alice", "bob", "bob2")
    call = party.offer("alice", "bob")
    party.run(0.1)
    party.cut(("alice", "bob"), ("bob2",))
    party.accept("bob", call)
    party.run(1)
    party.world.heal()
    party.accept("bob2", call)
    party.run(2)
    assert party.said("bob")[-1] == "call_terminated joined_elsewhere"
    assert party.call("bob") is None
    check_settled(party.world, ghosts=False)
    assert "participant_left bob left" not in party.said("alice"), "the older one has gone without a word"
