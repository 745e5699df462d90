"""Who leaves is gone, may come back, and the last one ends the call: rules of a call as conversations between sessions."""

import pytest

from blink_cli.core.call.effects import Dial, SendToCall, SendToPeer
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import Phase
from blink_cli.core.errors import StateError
from blink_cli.core.signaling.signals import Leave
from blink_cli.lab.simulation.invariants import check_over, check_settled
from tests.core.call.party import Party, did


def test_leaving_while_dialling() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    party.accept("bob", call)
    party.run(0.01)
    party.leave("bob")
    party.run(1)
    assert party.call("alice") is None
    assert party.call("bob") is None
    assert not party.node("alice").connections


def test_who_leaves_is_gone_at_once_and_not_dialled() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob", "carol")
    party.leave("carol")
    party.run(0.2)
    assert not party.participant("alice", "carol").present
    before = len(party.effects)
    party.run(10)
    dialled = [
        e for _, e in party.effects[before:] if isinstance(e, Dial | SendToPeer) and e.peer == did("carol")
    ]
    assert dialled == []


def test_who_left_can_come_back() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.leave("carol")
    party.run(3)
    assert party.pending("carol")[0].left
    party.accept("carol", call)
    party.run(1)
    check_settled(party.world, ghosts=False)


def test_leaving_and_coming_back_at_once() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.leave("alice")
    party.accept("alice", call)
    party.run(1.5)
    check_settled(party.world, ghosts=False)


def test_a_lost_leave_is_repeated_when_somebody_still_counts_us_in() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.cut(("alice", "bob"), ("carol",), media=False)
    party.leave("carol")
    party.run(0.5)
    party.world.heal()
    party.run(1.5)
    assert not party.participant("alice", "carol").present
    assert party.phase("carol", call) is Phase.LEFT
    assert "participant_left carol left" in party.said("alice")


def test_the_last_other_leaves_and_the_call_is_over() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.leave("alice")
    party.run(0.3)
    assert party.said("bob")[-2:] == ["participant_left alice left", "call_terminated empty"]
    assert party.node("alice").topics == {}
    assert party.node("bob").topics == {}


def test_everyone_leaves_at_the_same_moment() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob", "carol")
    for name in ("alice", "bob", "carol"):
        party.leave(name)
    party.run(0.5)
    for name in ("alice", "bob", "carol"):
        assert party.node(name).topics == {}


def test_leave_is_said_several_times() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.leave("alice")
    leaves = [
        e
        for n, e in party.effects
        if n == "alice" and isinstance(e, SendToCall) and isinstance(e.signal, Leave)
    ]
    assert [leave.copies for leave in leaves] == [LAN.leave_copies]


def test_shutdown_leaves_nothing_open() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob")
    party.offer("carol", "alice")
    party.run(0.1)
    party.shutdown("alice")
    party.shutdown("alice")
    party.run(0.5)
    assert party.call("bob") is None
    for name in ("bob", "carol"):
        party.shutdown(name)
    check_over(party.world)
    with pytest.raises(StateError):
        party.offer("alice", "bob")
