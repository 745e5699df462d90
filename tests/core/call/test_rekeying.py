"""Who declines or leaves reads nothing that is said afterwards; who comes nothing that was said before; and nobody is lost over it."""

from collections import Counter
from itertools import pairwise

import pytest

from blink_cli.core.api.events import LinkState
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import SendToCall, SendToPeer, UseKey
from blink_cli.core.call.group_key import EPOCH_STEP_EVERY_S, MAX_EPOCH_STEP, CallKeys, GroupKey
from blink_cli.core.call.ignored import Ignored
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.transitions import Phase
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.signals import (
    Announce,
    Attending,
    CurrentKey,
    Leave,
    NewKey,
    Offer,
    SessionDescription,
)
from blink_cli.core.signaling.topics import key_id_of
from blink_cli.lab.simulation.invariants import check_settled
from tests.core.call.party import Party, did


def key_of(party: Party, name: str, call_id: CallId) -> GroupKey:
    call = party.node(name).machine._call_table.get(call_id)
    assert call is not None
    return call.keys.current


def shared_key(party: Party, call_id: CallId, *names: str) -> GroupKey:
    """The key that they all speak under."""
    keys = {key_of(party, name, call_id) for name in names}
    assert len(keys) == 1, keys
    return keys.pop()


def held(party: Party, name: str, call_id: CallId) -> set[bytes]:
    return set(party.node(name).topics.get(call_id, {}).values())


def keys_made(party: Party, call_id: CallId) -> list[bytes]:
    """In their order, whoever made them."""
    taken = [
        effect for _, effect in party.effects if isinstance(effect, UseKey) and effect.call_id == call_id
    ]
    return list(dict.fromkeys(effect.group_key for effect in taken))


def test_who_declines_cannot_read_on_and_still_sees_that_the_call_can_be_joined() -> None:
    party = Party("alice", "bob", "carol")
    call = party.offer("alice", "bob", "carol")
    party.run(0.05)
    party.accept("bob", call)
    party.run(0.2)
    party.reject("carol", call)
    party.run(3.0)
    key = shared_key(party, call, "alice", "bob")
    assert key.epoch > 0
    assert key.key not in held(party, "carol", call)
    party.run(60.0)
    (pending,) = party.pending("carol")
    assert pending.rejected
    assert set(pending.joined) == {did("alice"), did("bob")}
    said_since = [
        e for n, e in party.effects if isinstance(e, SendToCall) and n != "carol" and e.key_id == b""
    ]
    assert {type(effect.signal) for effect in said_since[-20:]} == {Attending}
    # She comes after all: she is given a key that is younger than her coming.
    before = len(keys_made(party, call))
    party.accept("carol", call)
    party.run(2.0)
    new = shared_key(party, call, "alice", "bob", "carol")
    assert new.key in keys_made(party, call)[before:]
    assert not set(keys_made(party, call)[:before]) & held(party, "carol", call)
    check_settled(party.world, ghosts=False)


def test_who_leaves_cannot_read_on_and_may_come_back() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(2.0)
    party.leave("bob")
    party.run(0.1)
    key = shared_key(party, call, "alice", "carol")
    assert key.key not in held(party, "bob", call)
    party.run(LAN.key_handover_s + 0.1)
    assert held(party, "bob", call) == {party.node("bob").topics[call][b""]}
    party.run(60.0)
    assert party.phase("bob", call) is Phase.LEFT
    before = set(keys_made(party, call))
    party.accept("bob", call)
    party.run(0.5)
    assert party.link("alice", "bob") is party.link("carol", "bob") is LinkState.CONNECTED
    assert shared_key(party, call, "alice", "bob", "carol").key not in before
    assert not before & held(party, "bob", call)
    check_settled(party.world, ghosts=False)


def test_a_mute_and_a_leave_in_the_middle_of_a_hand_over_are_seen() -> None:
    for seed in range(20):
        party = Party("alice", "bob", "carol", "dave", seed=seed)
        party.in_call("alice", "bob", "carol", "dave")
        party.run(2.0)
        party.world.weather.loss = 0.3
        party.leave("dave")
        party.run(0.002)
        party.show("bob", muted=True)
        party.run(1.5)
        for name in ("alice", "carol"):
            assert party.participant(name, "bob").muted, f"seed {seed}"
        party.leave("carol")
        party.run(1.5)
        for name in ("alice", "bob"):
            assert "participant_left carol left" in party.said(name), f"seed {seed}"


def test_a_new_key_comes_after_somebody_joined_and_keeps_nobody_waiting() -> None:
    party = Party("alice", "bob")
    call = party.offer("alice", "bob")
    party.run(0.05)
    party.accept("bob", call)
    party.run(0.5)
    assert party.link("alice", "bob") is LinkState.CONNECTED
    assert keys_made(party, call) == []
    party.run(LAN.rekey_after_join_s + 0.1)
    assert shared_key(party, call, "alice", "bob").epoch == 1


@pytest.mark.parametrize("count", [8, 16])
def test_many_who_join_or_leave_at_once_give_few_keys(count: int) -> None:
    names = [f"a{number:02}x" for number in range(count)]
    party = Party(*names)
    call = party.offer(names[0], *names[1:])
    party.run(0.1)
    for name in names[1:]:
        party.accept(name, call)
    party.run(5.0)
    assert len(keys_made(party, call)) <= 2
    shared_key(party, call, *names)
    joined = len(keys_made(party, call))
    for name in names[2:]:
        party.leave(name)
    party.run(5.0)
    assert len(keys_made(party, call)) - joined <= 3
    key = shared_key(party, call, *names[:2])
    assert all(key.key not in held(party, name, call) for name in names[2:])


def test_a_maker_that_crashes_in_the_middle_leaves_nobody_behind() -> None:
    party = Party("alice", "bob", "carol", "dave")
    call = party.in_call("alice", "bob", "carol", "dave")
    party.run(2.0)
    party.leave("dave")
    party.run(0.0)
    world, alice, carol = party.world, party.node("alice"), party.node("carol")
    honest = world._send

    def lose_to_carol(source: object, target: object, *message: object) -> None:
        if source is not alice or target is not carol:
            honest(source, target, *message)  # type: ignore[arg-type]

    world._send = lose_to_carol  # type: ignore[method-assign]
    party.run(0.02)
    world.crash(alice)
    party.run(8.0)
    shared_key(party, call, "bob", "carol")
    assert party.participant("bob", "carol").link is LinkState.CONNECTED


def test_leaves_on_both_sides_of_a_partition_end_in_one_key_that_neither_leaver_has() -> None:
    party = Party("alice", "bob", "carol", "dave", "emil", "fred")
    call = party.in_call("alice", "bob", "carol", "dave", "emil", "fred")
    party.run(2.0)
    party.cut(("alice", "bob", "carol"), ("dave", "emil", "fred"))
    party.run(4.0)
    party.leave("bob")
    party.leave("emil")
    party.run(4.0)
    assert key_of(party, "alice", call) != key_of(party, "dave", call)
    party.world.heal()
    party.run(8.0)
    key = shared_key(party, call, "alice", "carol", "dave", "fred")
    assert key.key not in held(party, "bob", call) | held(party, "emil", call)
    check_settled(party.world, ghosts=False)


def test_a_partition_of_the_signals_alone_heals_too() -> None:
    party = Party("alice", "bob", "carol", "dave")
    call = party.in_call("alice", "bob", "carol", "dave")
    party.run(2.0)
    party.cut(("alice", "bob"), ("carol", "dave"), media=False)
    for name in ("alice", "carol"):  # each half makes keys of its own
        party.node(name).machine._active_call._rekeying.went(party.world.now)  # type: ignore[union-attr]
        party.node(name).machine._due = party.world.now
        party.world._wake(party.node(name), party.node(name).life)
    party.run(90.0)  # longer than any repetition
    party.world.heal()
    party.run(31.0)
    shared_key(party, call, "alice", "bob", "carol", "dave")


def test_keys_of_who_left_or_was_not_invited_are_not_taken() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(2.0)
    bobs = party.call("bob")
    assert bobs is not None
    party.leave("bob")
    party.run(2.0)
    alice, key = party.node("alice"), key_of(party, "alice", call)
    for sender in ("bob", "mallory"):
        forged = NewKey(call, bobs.incarnation, CurrentKey(key.epoch + 1, b"m" * 32), ())
        party.world.input(alice, inputs.SignalHeard(did(sender), forged, None))
    assert key_of(party, "alice", call) == key
    assert party.ignored("alice")[Ignored.NOT_INVITED] == 1
    offer = Offer(
        call, party.node("alice").topics[call][b""], tuple(map(did, ("alice", "bob", "carol"))), "bob",
        CurrentKey(key.epoch + 1, b"m" * 32),
    )  # fmt: skip
    party.world.input(alice, inputs.SignalHeard(did("bob"), offer, None))
    assert key_of(party, "alice", call) == key


def test_what_is_said_under_an_old_key_is_not_read_after_the_hand_over() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(2.0)
    old = key_of(party, "bob", call)
    party.leave("bob")
    party.run(LAN.key_handover_s + 1.0)
    assert old.key not in held(party, "alice", call)


def test_a_participant_cannot_make_the_others_change_keys_or_give_theirs_without_end() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(3.0)
    alice, bobs = party.node("alice"), party.call("bob")
    assert bobs is not None
    epoch, given = key_of(party, "alice", call).epoch, Counter[str]()
    party.effects.clear()
    for number in range(500):
        if number % 2:
            told = CurrentKey(epoch + number, number.to_bytes(32, "big"))
        else:
            told = CurrentKey(1, bytes(31) + b"\x01")
        new_key = NewKey(call, bobs.incarnation, told, ())
        party.world.input(alice, inputs.SignalHeard(did("bob"), new_key, None))
        party.run(0.01)
    for name, effect in party.effects:
        given[name] += isinstance(effect, SendToPeer) and isinstance(effect.signal, NewKey)
    taken = [e for n, e in party.effects if n == "alice" and isinstance(e, UseKey)]
    assert len(taken) <= 5.0 / LAN.key_taken_gap_s + 5
    assert given["alice"] <= 30
    party.run(8.0)
    shared_key(party, call, "alice", "bob", "carol")


def test_the_invitations_key_is_nobodys_new_key() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(3.0)
    key, bobs = key_of(party, "alice", call), party.call("bob")
    assert bobs is not None
    invitation = party.node("alice").topics[call][b""]
    told = NewKey(call, bobs.incarnation, CurrentKey(key.epoch + 1, invitation), ())
    party.world.input(party.node("alice"), inputs.SignalHeard(did("bob"), told, None))
    assert key_of(party, "alice", call) == key
    party.run(3.0)
    shared_key(party, call, "alice", "bob", "carol")


def test_a_call_that_rings_does_not_take_the_invitations_key_for_a_new_one() -> None:
    party = Party("alice", "bob")
    offer = Offer(CallId("ab" * 16), b"k" * 32, (did("alice"), did("bob")), "alice", CurrentKey(1, b"k" * 32))
    party.world.input(party.node("bob"), inputs.SignalHeard(did("alice"), offer, None))
    assert party.node("bob").machine.ringing == (offer.call_id,)
    assert key_of(party, "bob", offer.call_id).epoch == 0


def test_a_caller_that_withdrew_before_it_was_heard_is_given_no_key() -> None:
    party = Party("alice", "bob", "carol")
    world, alice = party.world, party.node("alice")
    honest = world._send

    def pass_nothing_of_the_call(source: object, target: object, kind: str, *message: object) -> None:
        described = any(isinstance(part, SessionDescription) for part in message)
        if alice not in {source, target} or not (kind == "call" or described):
            honest(source, target, kind, *message)  # type: ignore[arg-type]

    world._send = pass_nothing_of_the_call  # type: ignore[method-assign]
    call = party.offer("alice", "bob", "carol")
    party.run(0.05)
    for name in ("bob", "carol"):
        party.accept(name, call)
    party.run(0.5)
    party.leave("alice")
    party.run(0.1)
    party.effects.clear()
    party.run(8.0)
    assert shared_key(party, call, "bob", "carol").epoch > 0
    given = [e.peer for _, e in party.effects if isinstance(e, SendToPeer) and isinstance(e.signal, NewKey)]
    assert given
    assert did("alice") not in given


@pytest.mark.parametrize("by_key", [False, True])
def test_a_participant_cannot_part_two_others_by_epochs_that_one_alone_is_told(by_key: bool) -> None:  # noqa: FBT001
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(3.0)
    alice, carols = party.node("alice"), party.call("carol")
    assert carols is not None
    # Nothing that alice says meanwhile reaches bob.
    party.cut(("alice", "carol"), ("bob",), media=False)
    for number in range(1, 6):
        epoch = number * MAX_EPOCH_STEP
        told: NewKey | Attending = Attending(carols.incarnation, epoch, ())
        if by_key:
            told = NewKey(call, carols.incarnation, CurrentKey(epoch, bytes([number]) * 32), ())
        party.world.input(alice, inputs.SignalHeard(did("carol"), told, None if by_key else call))
        party.run(1.0)
    party.leave("carol")
    party.run(1.5)
    assert key_of(party, "alice", call).epoch > 2 * MAX_EPOCH_STEP
    party.world.heal()
    party.run(20.0)
    shared_key(party, call, "alice", "bob")


def test_epochs_cannot_be_used_up() -> None:
    keys = CallKeys(bytes(32), 5.0)
    assert not keys.is_greater(GroupKey(2**53 - 1, b"m" * 32))
    assert keys.is_greater(GroupKey(MAX_EPOCH_STEP, b"m" * 32))
    for number in range(10_000):
        keys.heard_epoch(2**53 - 1, now=number * 0.01)
    assert keys.next_epoch <= (2 + 100 / EPOCH_STEP_EVERY_S) * MAX_EPOCH_STEP


def test_of_two_keys_everybody_chooses_the_same() -> None:
    one, other = GroupKey(3, b"a" * 32), GroupKey(3, b"b" * 32)
    for first, second in ((one, other), (other, one)):
        keys = CallKeys(bytes(32), 5.0)
        for key in (first, second):
            if keys.is_greater(key):
                keys.adopt(key, 0.0)
        assert keys.current == max(one, other, key=lambda key: key.rank)
    assert "a" * 8 not in repr(one)


def test_a_call_that_is_over_leaves_no_key() -> None:
    party = Party("alice", "bob")
    call = party.in_call("alice", "bob")
    party.run(2.0)
    party.leave("bob")
    party.run(20.0)
    for name in ("alice", "bob"):
        assert held(party, name, call) == set()


def test_announces_are_said_under_the_newest_key_and_leaves_to_all_who_were_invited() -> None:
    party = Party("alice", "bob", "carol")
    call = party.in_call("alice", "bob", "carol")
    party.run(2.0)
    key = shared_key(party, call, "alice", "bob", "carol")
    party.effects.clear()
    party.run(3.0)
    said = [effect for _, effect in party.effects if isinstance(effect, SendToCall)]
    assert {effect.key_id for effect in said} == {key_id_of(key.key)}
    assert all(isinstance(effect.signal, Announce) for effect in said)
    party.leave("carol")
    leaves = [e for _, e in party.effects if isinstance(e, SendToCall) and isinstance(e.signal, Leave)]
    assert {effect.key_id for effect in leaves} == {b""}
    epochs = [GroupKey(0, k).key_id for k in keys_made(party, call)]
    assert all(one != other for one, other in pairwise(epochs))
