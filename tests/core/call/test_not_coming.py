"""Offers that are declined, withdrawn, or meet somebody busy: rules of a call as conversations between sessions."""

from blink_cli.core.api.events import (
    LinkState,
)
from blink_cli.core.call import inputs
from blink_cli.core.call.settings import LAN
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.signals import Offer
from blink_cli.lab.simulation.invariants import check_settled
from tests.core.call.party import Party, did


def test_who_is_in_another_call_is_shown_as_busy_to_the_caller_alone_and_may_still_come() -> None:
    party = Party("alice", "bob", "carol", "dave")
    party.in_call("alice", "bob")
    call = party.offer("carol", "bob", "dave")
    party.run(0.5)
    assert "participant_busy bob" in party.said("carol")
    assert "participant_busy dave" not in party.said("carol")
    assert not any("busy" in line for name in ("alice", "bob", "dave") for line in party.said(name))
    assert party.participant("carol", "bob").busy
    assert party.participant("carol", "bob").delivered
    assert party.call("bob") is not None, "nothing was decided for it"
    assert [pending.call_id for pending in party.pending("bob")] == [call]
    assert party.participant("carol", "bob").rings
    party.accept("bob", call)
    party.run(1)
    assert not party.participant("carol", "bob").busy
    assert not party.participant("carol", "bob").rings
    assert party.said("carol").count("participant_busy bob") == 1
    check_settled(party.world, ghosts=False)


def test_who_declines_is_busy_no_more() -> None:
    party = Party("alice", "bob", "carol", "dave")
    party.in_call("alice", "bob")
    call = party.offer("carol", "bob", "dave")
    party.run(0.5)
    party.reject("bob", call)
    party.run(0.5)
    assert not party.participant("carol", "bob").busy
    assert party.participant("carol", "bob").declined
    assert not party.participant("carol", "bob").rings


def test_everybody_declines_and_the_caller_learns_it() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.1)
    party.reject("bob", call)
    party.run(0.5)
    assert party.call("alice") is not None
    assert party.pending("bob")[0].rejected
    party.reject("carol", call)
    party.run(0.5)
    assert party.said("alice")[-3:] == [
        "participant_declined bob",
        "participant_declined carol",
        "call_terminated declined",
    ]
    assert party.pending("bob") == ()
    assert party.said("bob")[-1] == "call_cancelled withdrawn"


def test_a_rejected_call_is_joined_later() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.1)
    party.reject("bob", call)
    party.accept("carol", call)
    party.run(60)
    assert party.pending("bob")[0].rejected
    assert set(party.pending("bob")[0].joined) == {did("alice"), did("carol")}
    party.accept("bob", call)
    party.run(1)
    check_settled(party.world, ghosts=False)
    assert not party.participant("alice", "bob").declined


def test_a_rejected_call_that_ends_is_listed_no_more() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.1)
    party.reject("bob", call)
    party.accept("carol", call)
    party.run(1)
    party.leave("carol")
    party.run(0.3)
    assert party.said("alice")[-1] == "call_terminated empty"
    assert party.said("bob")[-1] == "call_cancelled empty"
    assert party.pending("bob") == ()


def test_the_caller_withdraws_before_anybody_came() -> None:
    party = Party("alice", "bob")
    party.offer("alice", "bob")
    party.run(0.1)
    party.leave("alice")
    party.run(0.3)
    assert party.said("alice")[-1] == "call_terminated left"
    assert party.said("bob") == ["incoming_call alice", "call_cancelled withdrawn"]
    assert party.pending("alice") == ()


def test_a_withdrawal_arrives_although_every_leave_is_lost() -> None:
    party = Party("alice", "bob")
    party.offer("alice", "bob")
    party.run(0.1)
    party.cut(("alice",), ("bob",))
    party.leave("alice")
    party.run(2)
    assert party.said("bob") == ["incoming_call alice"]
    party.world.heal()
    party.run(2.5)
    assert party.said("bob") == ["incoming_call alice", "call_cancelled withdrawn"]


def test_a_withdrawal_is_not_repeated_for_ever() -> None:
    party = Party("alice", "bob")
    party.cut(("alice",), ("bob",))
    party.offer("alice", "bob")
    party.leave("alice")
    party.run(LAN.farewell_s + 1)
    assert not party.node("alice").courier.letters
    assert party.node("alice").machine.next_timeout() is None


def test_a_withdrawal_that_comes_before_its_offer_stops_it() -> None:
    party = Party("alice", "bob")
    call = CallId("ab" * 16)
    bob = party.node("bob").machine
    from blink_cli.core.signaling.signals import Cancel  # noqa: PLC0415 - used here only

    bob.handle(inputs.SignalHeard(did("alice"), Cancel(call), None), 1000.0)
    offer = Offer(call, bytes(32), (did("alice"), did("bob")), "")
    assert bob.handle(inputs.SignalHeard(did("alice"), offer, None), 1000.1) == ()
    assert party.ignored("bob") == {"withdrawn_offer": 1}


def test_an_offer_that_comes_after_its_withdrawal_rings_no_more_whoever_left_last() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.1)
    late = Offer(call, bytes(32), (did("alice"), did("bob"), did("carol")), "alice")
    party.cut(("alice",), ("bob", "carol"))
    party.accept("bob", call)
    party.accept("carol", call)
    party.run(1)
    party.leave("alice")  # it has heard of neither, and withdraws
    party.world.heal()
    party.run(3)
    party.leave("carol")
    party.run(1)
    assert party.said("bob")[-1] == "call_terminated empty"
    party.node("bob").machine.handle(inputs.SignalHeard(did("alice"), late, None), party.world.now)
    assert party.pending("bob") == ()
    assert party.ignored("bob") == {"withdrawn_offer": 1}


def test_accepting_while_the_offer_is_withdrawn() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.1)
    party.leave("alice")
    party.accept("bob", call)  # the withdrawal is on its way
    party.run(0.5)
    assert party.call("bob") is None
    assert party.said("bob")[-1] in {"call_terminated withdrawn", "call_terminated empty"}


def test_accepting_while_the_offer_is_withdrawn_and_another_has_come() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.1)
    party.cut(("alice",), ("bob", "carol"))
    party.accept("bob", call)
    party.accept("carol", call)
    party.run(1)
    party.leave("alice")  # it has heard of neither, and withdraws
    party.run(1)
    party.world.heal()
    party.run(3)
    assert party.link("bob", "carol") is LinkState.CONNECTED
    assert not party.participant("bob", "alice").present
    assert party.call("alice") is None


def test_an_offer_whose_caller_vanishes_stops_ringing() -> None:
    party = Party("alice", "bob")
    party.offer("alice", "bob")
    party.run(0.1)
    party.world.crash(party.node("alice"))
    party.run(LAN.pending_silence_s - 1)
    assert party.pending("bob")
    party.run(2)
    assert party.pending("bob") == ()
    assert party.said("bob")[-1] == "call_cancelled empty"


def test_accepting_a_call_whose_caller_has_vanished_ends_after_a_while() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.1)
    party.world.crash(party.node("alice"))
    party.accept("bob", call)
    party.run(LAN.joining_patience_s + 6)
    assert party.said("bob")[-1] == "call_terminated empty"


def test_a_call_is_ended_before_anyone_connected() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    party.cut(("alice",), ("bob",), signals=False)
    party.accept("bob", call)
    party.run(1)
    party.leave("alice")
    party.run(0.5)
    assert party.said("bob")[-1] == "call_terminated empty"
    assert not party.node("alice").connections
    assert not party.node("bob").connections
