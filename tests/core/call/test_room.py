"""A call through a room on an SFU: who enters which, who is heard how, what happens when it is lost."""

import pytest
from msgspec.structs import replace

from blink_cli.core.api.events import LinkState, SfuLost, SfuNotTaken, Topology, TopologyChanged
from blink_cli.core.call import inputs
from blink_cli.core.call.effects import Dial, PeerTalks, SendToCall, UseRoomKeys
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.room_policy import RoomPolicy, Via
from blink_cli.core.call.settings import LAN
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import CallId
from blink_cli.core.media.room import RoomFeed
from blink_cli.core.signaling.signals import Announce, RoomAnnounce
from blink_cli.lab.simulation.invariants import check_rooms, check_settled
from tests.core.call.party import Party, did

A, B, C = "ws://a", "ws://b", "ws://c"
THREE = RoomPolicy((A,), above=2)


class Meeting(Party):
    """A party whose sessions may use SFUs."""

    def __init__(self, *names: str, policy: RoomPolicy = THREE, seed: int = 1) -> None:
        super().__init__(*names, seed=seed)
        for name in names:
            self.use(name, policy)

    def use(self, name: str, policy: RoomPolicy) -> None:
        self.world.let_use(self.node(name), policy)

    def offer_via(self, via: Via, caller: str, *invited: str) -> CallId:
        node = self.node(caller)
        self.world.input(
            node, inputs.Offering(tuple(did(n) for n in invited), caller, self.world.wall_ms(node), via)
        )
        assert node.machine.current is not None
        return node.machine.current

    def meet(self, via: Via, caller: str, *others: str) -> CallId:
        call = self.offer_via(via, caller, *others)
        self.run(0.05)
        for name in others:
            self.accept(name, call)
        self.run(3.0)
        return call

    def topology(self, name: str) -> Topology:
        call = self.call(name)
        assert call is not None
        return call.topology

    def place(self, name: str) -> str | None:
        seat = self.node(name).seat
        return None if seat is None else seat.url


def test_two_meet_in_a_room_without_any_description() -> None:
    party = Meeting("alice", "bob")
    party.meet(Via.SFU, "alice", "bob")
    assert party.link("alice", "bob") is party.link("bob", "alice") is LinkState.CONNECTED
    assert party.topology("alice") is party.topology("bob") is Topology.SFU
    assert not [effect for _, effect in party.effects if isinstance(effect, Dial)]
    check_rooms(party.world)


def test_a_server_that_stands_still_is_doubted_by_direct_connections_and_relied_on_again_later() -> None:
    party = Meeting("alice", "bob")
    party.meet(Via.SFU, "alice", "bob")
    alice, world = party.node("alice"), party.world
    for silent in (True, False, True, False):  # four changes in four seconds move the connection once
        world.input(alice, inputs.RoomSilent(A, silent=silent))
        party.run(1.0)
        assert alice.seat is not None, "it is not given up"
    dials = [effect for _, effect in party.effects if isinstance(effect, Dial)]
    assert len(dials) == 1
    assert direct(party, "alice") == direct(party, "bob") == 1
    party.run(LAN.room_trusted_after_s + 2.0)
    assert direct(party, "alice") == direct(party, "bob") == 0
    assert party.topology("alice") is party.topology("bob") is Topology.SFU
    assert not [said for name in party.names for said in party.said(name) if said.endswith(" lost")]
    check_rooms(world)


def test_a_server_that_does_not_answer_hardly_delays_a_small_call() -> None:
    party = Meeting("alice", "bob")
    party.world.sfus.kill(A)
    call = party.offer_via(Via.SFU, "alice", "bob")
    party.run(0.05)
    party.accept("bob", call)
    party.run(LAN.room_spare_patience_s + 0.4)
    assert party.link("alice", "bob") is party.link("bob", "alice") is LinkState.CONNECTED


def direct(party: Meeting, name: str) -> int:
    """How many direct connections stand there."""
    return len(party.node(name).connections)


def test_a_call_goes_over_when_it_outgrows_its_bound_and_back_when_it_is_small_again() -> None:
    party = Meeting("alice", "bob", "carol", "dave", policy=RoomPolicy((A,), above=3))
    call = party.meet(Via.AUTO, "alice", "bob", "carol", "dave")
    party.leave("dave")
    party.run(2.0)
    assert party.topology("alice") is Topology.SFU, "one who goes does not move the call"
    lost = [said for name in party.names for said in party.said(name) if said.endswith(" lost")]
    party.leave("carol")
    party.run(4.0)
    assert party.topology("alice") is party.topology("bob") is Topology.MESH
    assert party.link("alice", "bob") is LinkState.CONNECTED
    for name in ("carol", "dave"):
        party.accept(name, call)
    party.run(5.0)
    assert {party.topology(name) for name in party.names} == {Topology.SFU}
    assert not lost
    ways = (Topology.SFU, Topology.MESH, Topology.SFU)
    assert party.events("alice", TopologyChanged) == [TopologyChanged(call_id=call, topology=w) for w in ways]
    check_settled(party.world, ghosts=False)
    check_rooms(party.world)


def test_nobody_is_cut_off_while_a_call_goes_over() -> None:
    party = Meeting("alice", "bob", "carol", "dave", policy=RoomPolicy((A,), above=3))
    party.meet(Via.AUTO, "alice", "bob", "carol", "dave")
    for name in party.names:
        assert {party.said(name).count(f"link_changed {other} connected") for other in party.names} == {0, 1}
    for name in ("carol", "dave"):
        party.leave(name)
    party.run(4.0)
    assert party.topology("alice") is Topology.MESH
    assert party.said("alice").count("link_changed bob connected") == 1
    assert not [said for said in party.said("alice") if said.endswith(" lost")]


def test_a_lost_server_is_replaced_by_direct_connections_until_it_is_back() -> None:
    party = Meeting("alice", "bob", "carol")
    party.meet(Via.AUTO, "alice", "bob", "carol")
    party.world.sfus.kill(A)
    party.run(5.0)
    assert {party.topology(name) for name in party.names} == {Topology.MESH}
    check_settled(party.world, ghosts=False)
    (lost,) = party.events("alice", SfuLost)
    assert isinstance(lost, SfuLost)
    assert (lost.url, lost.mesh) == (A, True)
    party.world.sfus.restart(A)
    party.run(9.0)
    check_rooms(party.world)
    assert {party.topology(name) for name in party.names} == {Topology.SFU}


def test_a_call_too_large_for_a_mesh_says_so_when_its_server_is_lost_and_returns_by_itself() -> None:
    party = Meeting("alice", "bob", "carol", "dave", "eve")
    small = replace(LAN, max_mesh=3)
    party.world._make_machine = lambda own, dice: CallMachine(own, dice, small)
    for node in party.world.nodes:
        party.world.restart(node)
    party.meet(Via.SFU, *party.names)
    party.run(3.0)
    check_rooms(party.world)
    party.effects.clear()
    party.world.sfus.kill(A)
    party.run(5.0)
    for name in party.names:
        (lost,) = party.events(name, SfuLost)
        assert isinstance(lost, SfuLost)
        assert not lost.mesh
    assert not [e for _, e in party.effects if isinstance(e, Dial)], "nobody begins what no machine carries"
    party.world.sfus.restart(A)
    party.run(10.0)
    check_settled(party.world, ghosts=False)
    check_rooms(party.world)


def test_the_next_server_of_the_list_takes_over() -> None:
    party = Meeting("alice", "bob", "carol", policy=RoomPolicy((A, B), above=2))
    party.meet(Via.AUTO, "alice", "bob", "carol")
    party.world.sfus.kill(A)
    party.run(8.0)
    assert {party.place(name) for name in party.names} == {B}
    check_rooms(party.world)


def test_who_is_alone_in_a_room_goes_to_where_the_others_are() -> None:
    party = Meeting("alice", "bob", "carol", policy=RoomPolicy((A, B), takes_any=True, above=2))
    party.use("alice", RoomPolicy((A, C), takes_any=True, above=2))
    party.meet(Via.SFU, "alice", "bob", "carol")
    party.cut(("alice",), ("bob", "carol"))
    party.world.sfus.kill(A)
    party.run(8.0)
    assert (party.place("alice"), party.place("bob"), party.place("carol")) == (C, B, B)
    party.world.heal()
    party.run(6.0)
    assert {party.place(name) for name in party.names} == {B}
    check_settled(party.world, ghosts=False)
    check_rooms(party.world)


def test_a_server_that_nobody_named_here_is_not_entered_and_the_user_is_told() -> None:
    party = Meeting("alice", "bob", "carol")
    party.use("carol", RoomPolicy((B,), above=8))
    call = party.meet(Via.SFU, "alice", "bob", "carol")
    party.run(4.0)
    assert party.place("alice") == party.place("bob") == A
    assert party.events("carol", SfuNotTaken) == [SfuNotTaken(call_id=call, url=A)]
    assert party.link("carol", "alice") is LinkState.CONNECTED, "a pair keeps its direct connection"
    check_settled(party.world, ghosts=False)


def test_any_enters_what_the_others_name() -> None:
    party = Meeting("alice", "bob")
    party.use("bob", RoomPolicy(takes_any=True))
    party.meet(Via.SFU, "alice", "bob")
    assert party.place("bob") == A


@pytest.mark.parametrize(
    "url",
    ["http://a", "ws://user:word@a", "ws://a?x", "ws://" + "a" * 64, "ws://a..b", "ws://a\r\nb", "ws://ä"],
)
def test_any_enters_nothing_that_is_no_address_of_an_sfu(url: str) -> None:
    party = Meeting("alice", "bob")
    party.use("alice", RoomPolicy((url,)))
    party.use("bob", RoomPolicy(takes_any=True))
    party.meet(Via.SFU, "alice", "bob")
    assert party.place("alice") == url
    assert party.place("bob") is None
    assert party.link("bob", "alice") is LinkState.CONNECTED, "directly"


def test_who_knows_no_rooms_keeps_a_direct_connection_to_everybody() -> None:
    party = Meeting("alice", "bob", "old")
    party.node("old").knows_rooms = False
    party.use("old", RoomPolicy())
    party.world.restart(party.node("old"))
    party.meet(Via.SFU, "alice", "bob", "old")
    assert party.place("alice") == party.place("bob") == A
    assert party.link("alice", "old") is party.link("old", "bob") is LinkState.CONNECTED
    assert set(party.node("alice").connections) == {did("old")}
    check_settled(party.world, ghosts=False)


def test_the_callers_choice_of_a_mesh_holds_when_it_is_gone() -> None:
    party = Meeting("alice", "bob", "carol", "dave", policy=RoomPolicy((A,), above=2))
    party.meet(Via.MESH, "alice", "bob", "carol", "dave")
    assert {party.place(name) for name in party.names} == {None}
    party.leave("alice")
    party.run(3.0)
    assert {party.place(name) for name in party.names} == {None}
    check_settled(party.world, ghosts=False)


def test_without_an_sfu_nothing_is_said_of_rooms_and_none_can_be_asked_for() -> None:
    party = Party("alice", "bob")
    party.in_call("alice", "bob")
    said = {type(effect.signal) for _, effect in party.effects if isinstance(effect, SendToCall)}
    assert RoomAnnounce not in said
    with pytest.raises(UsageError, match="No SFU"):
        party.world.input(party.node("bob"), inputs.Offering((did("alice"),), "bob", 1, Via.SFU))


def test_when_all_know_rooms_nobody_says_the_long_announce() -> None:
    party = Meeting("alice", "bob", "carol")
    party.meet(Via.SFU, "alice", "bob", "carol")
    party.effects.clear()
    party.run(3.0)
    said = {type(effect.signal) for _, effect in party.effects if isinstance(effect, SendToCall)}
    assert said == {RoomAnnounce}
    party.cut(("alice",), ("bob", "carol"))
    party.world.sfus.cut(party.node("alice"))
    party.run(35.0)
    assert any(isinstance(e.signal, Announce) for _, e in party.effects if isinstance(e, SendToCall)), (
        "who is gone may come back in another build"
    )


def test_everybody_opens_at_every_moment_what_the_others_seal() -> None:
    party = Meeting("alice", "bob", "carol", "dave")
    call = party.offer_via(Via.SFU, "alice", "bob", "carol", "dave")
    party.run(0.05)
    for name in ("bob", "carol"):
        party.accept(name, call)
    party.run(3.0)
    before = party.node("alice").room_keys[0]
    party.accept("dave", call)  # a second later there is another key
    for _ in range(400):
        party.run(0.01)
        for name in ("alice", "bob", "carol"):
            node = party.node(name)
            for ear in node.ears:
                sealed = next(other for other in party.world.nodes if other.did == ear).room_keys[0]
                assert sealed in node.room_keys, "no packet is lost for want of a key"
    assert party.node("alice").room_keys[0].epoch > before.epoch
    party.leave("dave")
    party.run(1.0 + 0.6)
    current = party.node("alice").room_keys[0]
    assert current.epoch > before.epoch + 1
    assert current.key not in party.node("dave").topics[call].values(), "who left hears nothing more"


def test_who_begins_to_talk_says_so_at_once_and_twice_and_is_given_to_the_media() -> None:
    party = Meeting("alice", "bob")
    party.meet(Via.SFU, "alice", "bob")
    party.effects.clear()
    party.world.input(party.node("alice"), inputs.OwnTalk(talking=True))
    ((_, said),) = [(n, e) for n, e in party.effects if n == "alice" and isinstance(e, SendToCall)]
    assert isinstance(said, SendToCall)
    assert said.copies == 1
    party.run(0.01)
    assert [e for n, e in party.effects if n == "bob" and isinstance(e, PeerTalks)] == [
        PeerTalks(said.call_id, did("alice"), talking=True)
    ]
    party.effects.clear()
    for _ in range(50):
        for talking in (False, True):
            party.world.input(party.node("alice"), inputs.OwnTalk(talking=talking))
        party.run(0.01)
    told = [e for n, e in party.effects if n == "alice" and isinstance(e, SendToCall)]
    assert len(told) <= 10, "no microphone makes a session flood its call"


def test_media_are_given_their_keys_before_the_room() -> None:
    party = Meeting("alice", "bob")
    call = party.offer_via(Via.SFU, "alice", "bob")
    party.run(0.05)
    party.accept("bob", call)
    kinds = [type(effect).__name__ for name, effect in party.effects if name == "bob"]
    assert kinds.index("StartMedia") < kinds.index(UseRoomKeys.__name__) < kinds.index("EnterRoom")


def test_what_the_media_say_of_another_room_is_ignored() -> None:
    party = Meeting("alice", "bob")
    party.meet(Via.SFU, "alice", "bob")
    node, before = party.node("alice"), party.ignored("alice").get("old_link", 0)
    party.world.input(node, inputs.RoomEntered(B, RoomFeed(1, b"s" * 16, 111)))
    party.world.input(node, inputs.RoomLost(B, "gone"))
    assert sum(party.ignored("alice").values()) == before + 2
    assert party.topology("alice") is Topology.SFU
