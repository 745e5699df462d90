"""Who is called, comes, and what the others then know of it: rules of a call as conversations between sessions."""

from blink_cli.core.api.events import (
    IncomingCall,
    LinkState,
    OfferDelivered,
    ParticipantStateChanged,
)
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import Answer, Dial
from blink_cli.lab.simulation.invariants import check_settled
from tests.core.call.party import Party, did


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
    party.node("alice").machine.handle(inputs.Reception(did("bob"), 31, 4), party.world.now)
    party.run(2)
    heard = party.participant("bob", "alice").hears
    assert [(h.did, h.link, h.loss_permille, h.longest_burst_packets) for h in heard] == [
        (did("bob"), "connected", 31, 4)
    ]


def test_what_a_caller_calls_itself_is_made_harmless_wherever_it_is_said() -> None:
    party = Party("alice", "bob")
    claim = "al\u00adice\u2060\u3164"
    alice, world = party.node("alice"), party.world
    world.input(alice, inputs.Offering((did("bob"),), claim, world.wall_ms(alice)))
    party.run(0.05)
    (rings,) = party.events("bob", IncomingCall)
    assert isinstance(rings, IncomingCall)
    assert rings.nickname == "alice"
    party.accept("bob", rings.call_id)
    party.run(1.5)
    assert party.participant("bob", "alice").nickname == "alice"
