"""Each rule of a call as a conversation between sessions; every order of events that a call must survive."""

import pytest

from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import Phase
from blink_cli.core.call_effects import Answer, Dial, SendToCall, SendToPeer
from blink_cli.core.errors import NotFoundError, StateError, UsageError
from blink_cli.core.events import (
    IncomingCall,
    LinkChanged,
    LinkState,
    OfferDelivered,
    ParticipantStateChanged,
)
from blink_cli.core.names import CallId, Did
from blink_cli.core.signals import Announce, Leave, Offer, Redial, Signal
from tests.core.call.party import Party, did
from tests.simulation.invariants import check_over, check_settled
from tests.simulation.world import Node

# coming


def test_two_people_call_and_talk() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.15)
    assert [p.call_id for p in party.pending("bob")] == [call]
    assert party.pending("bob")[0].joined == (did("alice"),)
    party.accept("bob", call)
    party.run(1)
    assert party.said("alice") == [
        "call_joined",
        "offer_delivered bob",
        "participant_joined bob",
        "link_changed bob connecting",
        "link_changed bob connected",
    ]
    assert party.said("bob") == [
        "incoming_call alice",
        "call_joined",
        "participant_joined alice",
        "link_changed alice connecting",
        "link_changed alice connected",
    ]
    for name in ("alice", "bob"):
        call_view = party.call(name)
        assert call_view is not None
        assert call_view.state == "in_call"
        assert call_view.caller == did("alice")


def test_the_caller_is_offering_and_the_comer_joining_until_a_link_stands() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    party.cut(("alice",), ("bob",))
    party.accept("bob", call)
    alice, bob = party.call("alice"), party.call("bob")
    assert alice is not None
    assert bob is not None
    assert (alice.state, bob.state) == ("offering", "joining")


def test_only_the_first_of_the_two_dials() -> None:
    party = Party("alice", "bob")
    call = party.offer("bob", "alice")
    party.run(0.05)
    party.accept("alice", call)
    party.run(1)
    assert [name for name, effect in party.effects if isinstance(effect, Dial)] == ["alice"]
    assert [name for name, effect in party.effects if isinstance(effect, Answer)] == ["bob"]


def test_an_offer_is_repeated_until_it_arrives() -> None:
    party = Party("alice", "bob")
    party.cut(("alice",), ("bob",))
    call = party.offer("alice", "bob")
    party.run(20)
    assert party.pending("bob") == ()
    party.world.heal()
    party.run(2.5)
    assert [p.call_id for p in party.pending("bob")] == [call]
    assert len(party.events("alice", OfferDelivered)) == 1


def test_offering_leaves_the_current_call_first() -> None:
    party = Party("alice", "bob", "carol")
    first = party.in_call("alice", "bob")
    second = party.offer("alice", "carol")
    party.run(0.5)
    assert "participant_left alice left" in party.said("bob")
    assert "call_terminated empty" in party.said("bob")
    assert party.call("alice").call_id == second  # type: ignore[union-attr]
    assert first not in party.node("alice").topics


def test_accepting_leaves_the_current_call_first() -> None:
    party = Party("alice", "bob", "carol")
    party.in_call("alice", "bob")
    call = party.offer("carol", "alice")
    party.run(0.1)
    party.accept("alice", call)
    party.run(1)
    assert party.call("bob") is None
    assert party.link("alice", "carol") is LinkState.CONNECTED


def test_ten_are_invited_and_three_come() -> None:
    names = [f"n{letter}" for letter in "abcdefghij"]
    party = Party("caller", *names)
    call = party.offer("caller", *names)
    party.run(0.1)
    for name in names[:3]:
        party.accept(name, call)
    for name in names[3:6]:
        party.reject(name, call)
    party.run(2)
    check_settled(party.world, ghosts=False)
    assert sum(p.present for p in party.call("caller").participants) == 4  # type: ignore[union-attr]
    assert sum(p.declined for p in party.call("caller").participants) == 3  # type: ignore[union-attr]
    assert len(party.pending(names[9])[0].joined) == 4
    party.accept(names[9], call)
    party.run(1)
    check_settled(party.world, ghosts=False)


def test_twelve_join_at_once_and_every_pair_connects() -> None:
    names = [f"n{letter}" for letter in "abcdefghijkl"]
    party = Party(*names)
    call = party.offer(names[5], *(n for n in names if n != names[5]))
    party.run(0.1)
    for name in names:
        if name != names[5]:
            party.accept(name, call)
    party.run(2)
    check_settled(party.world, ghosts=False)
    assert len(party.node(names[0]).connections) == 11


def test_a_late_joiner_gets_everybodys_state() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.05)
    party.accept("bob", call)
    party.run(0.5)
    party.show("alice", muted=True, recording=True)
    party.show("bob", deafened=True)
    party.run(5)
    party.accept("carol", call)
    party.run(0.01)
    alice, bob = party.participant("carol", "alice"), party.participant("carol", "bob")
    assert (alice.muted, alice.deafened, alice.recording) == (True, False, True)
    assert (bob.muted, bob.deafened, bob.recording) == (False, True, False)
    assert "participant_state_changed alice muted recording" in party.said("carol")


def test_who_records_is_told_when_it_begins_and_however_it_ends() -> None:
    party = Party("alice", "bob", "carol", "dave")
    call = party.offer("alice", "bob", "carol", "dave")
    party.run(0.05)
    for name in ("bob", "carol", "dave"):
        party.accept(name, call)
    party.run(0.5)
    for name in ("bob", "carol", "dave"):
        party.show(name, recording=True)
    party.show("bob", muted=True, recording=True)
    party.run(0.5)
    party.show("bob", muted=True)
    party.run(0.5)
    party.leave("carol")
    party.run(0.5)
    party.leave("alice")
    told = [event for event in party.said("alice") if event.startswith("recording_")]
    assert sorted(told[:3]) == [f"recording_started {name}" for name in ("bob", "carol", "dave")]
    assert told[3:] == [
        "recording_stopped bob stopped",
        "recording_stopped carol left the call",
        "recording_stopped dave the call ended",
    ]


def test_a_state_change_is_told_at_once_and_once() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.show("bob", muted=True)
    party.run(0.05)
    assert party.participant("alice", "bob").muted
    party.run(3)
    changes = party.events("alice", ParticipantStateChanged)
    assert len(changes) == 1


def test_announces_say_how_everyone_is_heard() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    party.node("alice").machine.reception(did("bob"), 31, 4)
    party.run(2)
    heard = party.participant("bob", "alice").hears
    assert [(h.did, h.link, h.loss_permille, h.longest_burst_packets) for h in heard] == [
        (did("bob"), "connected", 31, 4)
    ]


# not coming


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
    party.accept("bob", call)
    party.run(1)
    assert not party.participant("carol", "bob").busy
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
    assert party.node("alice").machine.next_wake() is None


def test_a_withdrawal_that_comes_before_its_offer_stops_it() -> None:
    party = Party("alice", "bob")
    call = CallId("ab" * 16)
    bob = party.node("bob").machine
    from blink_cli.core.signals import Cancel  # noqa: PLC0415 - used here only

    bob.signal(did("alice"), Cancel(call), None, 1000.0)
    assert (
        bob.signal(did("alice"), Offer(call, bytes(32), (did("alice"), did("bob")), ""), None, 1000.1) == ()
    )
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


# leaving


def test_leaving_while_dialling() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    party.accept("bob", call)
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


# losing and finding


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
    party.world.input(node, node.machine.heard, did("bob"), epoch, party.world.now)
    assert party.link("alice", "bob") is LinkState.CONNECTED
    assert party.participant("alice", "bob").epoch == epoch


def test_a_link_closed_without_leave_is_dialled_again() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    alice, bob = party.node("alice"), party.node("bob")
    epoch = party.participant("alice", "bob").epoch
    party.world.input(alice, alice.machine.link_closed, did("bob"), epoch, "dtls closed", party.world.now)
    party.run(1)
    assert party.participant("alice", "bob").epoch > epoch
    epoch = party.participant("alice", "bob").epoch
    party.world.input(bob, bob.machine.link_closed, did("alice"), epoch, "dtls closed", party.world.now)
    party.run(1.5)
    assert party.participant("alice", "bob").epoch > epoch, "the side that does not dial has asked for it"
    check_settled(party.world, ghosts=False)


def test_who_does_not_dial_asks_when_its_announces_are_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    alice, honest = party.node("alice"), party.world._receive_call

    def deaf(node: Node, sender: Did, number: int, call_id: CallId, signal: Signal) -> None:
        if node is not alice:
            honest(node, sender, number, call_id, signal)

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
        party.world.input(node, node.machine.heard, connection.peer, connection.epoch, party.world.now)
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


def test_a_crashed_session_rejoins_although_its_clock_was_set_back() -> None:
    party = Party("alice", "bob")
    call = party.in_call("alice", "bob")
    bob = party.node("bob")
    party.world.crash(bob)
    party.run(5)
    party.world.restart(bob)
    bob.skew_ms = -3_600_000
    party.run(3)
    party.accept("bob", call)
    party.run(2)
    check_settled(party.world, ghosts=False)


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


# sessions that cross


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


# misuse


def test_impossible_commands_are_explained() -> None:
    party = Party("alice", "bob")
    with pytest.raises(UsageError, match="Nobody to call"):
        party.offer("alice")
    with pytest.raises(UsageError, match="call itself"):
        party.offer("alice", "alice")
    with pytest.raises(UsageError, match="at most 32"):
        party.offer("alice", *(f"n{i}" for i in range(32)))
    with pytest.raises(StateError, match="in no call"):
        party.leave("alice")
    with pytest.raises(NotFoundError, match="can be joined"):
        party.accept("alice", CallId("ab" * 16))
    with pytest.raises(NotFoundError):
        party.reject("alice", CallId("ab" * 16))
    call = party.offer("alice", "bob", "bob")
    with pytest.raises(StateError, match="already in that call"):
        party.accept("alice", call)
    party.run(0.1)
    party.reject("bob", call)
    with pytest.raises(StateError, match="does not ring"):
        party.reject("bob", call)


def test_setup_is_quick_although_datagrams_are_lost() -> None:
    took = []
    for seed in range(60):
        party = Party("alice", "bob", seed=seed)
        party.world.weather.loss = 0.3
        call = party.offer("alice", "bob")
        while not party.pending("bob"):
            party.run(0.01)
        began = party.world.now
        party.accept("bob", call)
        while any(party.call(n) is None or party.call(n).state != "in_call" for n in ("alice", "bob")):  # type: ignore[union-attr]
            party.run(0.01)
        took.append(party.world.now - began)
    took.sort()
    assert took[len(took) // 2] < 0.5
    assert took[-1] < 4


def test_announces_come_about_every_second() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    before = len(party.effects)
    party.run(20)
    announces = [
        e
        for n, e in party.effects[before:]
        if n == "alice" and isinstance(e, SendToCall) and isinstance(e.signal, Announce)
    ]
    assert 19 <= len(announces) <= 23
