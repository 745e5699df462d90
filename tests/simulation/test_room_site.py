"""Calls that are larger than a mesh, on a broker, in virtual time: everybody hears everybody through one room, and what is said of it grows with the call and no faster."""

from collections import Counter

import pytest
from msgspec.structs import replace

from blink_cli.core.call import inputs
from blink_cli.core.call.effects import CallEffect, SendToCall, SendToPeer
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.call.room_announcing import TALKING
from blink_cli.core.call.room_policy import RoomPolicy
from blink_cli.core.call.settings import LAN
from blink_cli.core.call.ways import Ways
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import MAX_PARTICIPANTS
from blink_cli.core.signaling.envelope import write_envelope
from blink_cli.core.signaling.signals import RoomAnnounce, Signal
from blink_cli.lab.simulation.invariants import check_rooms, check_settled
from blink_cli.lab.simulation.node import Node
from tests.simulation.test_broker_site import Broker, dids

URL = "wss://sfu.example.org:8989"
ANNA = Identity(b"\x01" * 32)

ONE_DATAGRAM_BYTES = 457
"""Of a sealed part of the smallest datagram."""


class Meeting:
    """One call of so many, all of whom may use an SFU."""

    def __init__(self, people: int, above: int = 8) -> None:
        self.broker = Broker(1, dids(people))
        self.said: Counter[str] = Counter()
        self.largest = 0
        self.broker.on_effect = self._count
        for node in self.broker.nodes:
            self.broker.let_use(node, RoomPolicy((URL,), above=above))
        self.broker.begin()
        self.call = self.broker.offer(*self.broker.nodes)
        for node in self.broker.nodes[1:]:
            self.broker.after(0.5, self.accept, node)
        self.run(0.5)

    def accept(self, node: Node) -> None:
        self.broker.input(node, inputs.Accepting(self.call, f"comer {node.index}", self.broker.wall_ms(node)))

    def run(self, seconds: float) -> None:
        self.broker.run(self.broker.now + seconds)

    def _count(self, _: Node, effect: CallEffect) -> None:
        if isinstance(effect, SendToCall | SendToPeer):
            self.said[type(effect.signal).__name__] += 1
            if isinstance(effect.signal, RoomAnnounce):
                self.largest = max(self.largest, bytes_of(effect.signal))


def count_calls(monkeypatch: pytest.MonkeyPatch, owner: type, name: str, done: Counter[str]) -> None:
    called = getattr(owner, name)

    def counted(*arguments: object) -> object:
        done[name] += 1
        return called(*arguments)

    monkeypatch.setattr(owner, name, counted)


def bytes_of(signal: Signal) -> int:
    return len(write_envelope(signal, ANNA, scope=bytes(32), recipient=bytes(32), sent_ms=1_800_000_000_000))


def test_a_call_larger_than_a_mesh_meets_in_one_room_and_says_little(monkeypatch: pytest.MonkeyPatch) -> None:
    people = MAX_PARTICIPANTS
    done: Counter[str] = Counter()
    count_calls(monkeypatch, Ways, "_direct_to", done)
    count_calls(monkeypatch, CallMachine, "_hear_announce", done)
    meeting = Meeting(people)
    meeting.run(3.0)
    # When sixty come at once each hears some five hundred announces: what it looks at for each must not be all sixty.
    assert people * people < done["_hear_announce"]
    assert done["_direct_to"] < 4 * done["_hear_announce"]
    check_settled(meeting.broker, ghosts=False)
    check_rooms(meeting.broker)
    # A mesh would have made people * (people - 1) descriptions.
    assert meeting.said["SessionDescription"] <= 10 * people
    assert meeting.largest <= ONE_DATAGRAM_BYTES
    meeting.said.clear()
    meeting.run(2.0)
    assert meeting.said.total() <= 2 * min(people, 32) + 2, "each hears as much as in a call of 32"


def test_a_member_that_floods_with_talk_makes_the_others_say_little_and_move_nothing() -> None:
    meeting = Meeting(12, above=4)
    last: dict[int, SendToCall] = {}
    meeting.broker.on_effect = lambda node, effect: (
        last.update({node.index: effect})
        if isinstance(effect, SendToCall) and isinstance(effect.signal, RoomAnnounce)
        else None
    )
    meeting.run(5.0)
    flooder, victim = meeting.broker.nodes[3], meeting.broker.nodes[7]
    heard, seconds, a_second = last[flooder.index], 5, 100  # the gossip lets one member through no more often
    announce = heard.signal
    assert isinstance(announce, RoomAnnounce)
    done: Counter[str] = Counter()

    def count(node: Node, effect: CallEffect) -> None:
        if node is victim:
            done[type(effect).__name__] += 1

    meeting.broker.on_effect = count
    for number in range(seconds * a_second):
        told = replace(
            announce,
            sequence=announce.sequence + 1_000 + number,
            flags=announce.flags ^ (TALKING if number % 2 else 0),
            counted=b"",  # as if it heard nobody, which each of them wants to be answered
        )
        signal = inputs.SignalHeard(flooder.did, told, meeting.call, heard.key_id)
        meeting.broker.after(number / a_second, meeting.broker.input, victim, signal)
    meeting.run(float(seconds))
    assert done["PeerTalks"] <= seconds * a_second
    assert done["SendToCall"] <= seconds / LAN.reply_gap_s + 2 * seconds, "an answer to each would be 500"
    assert not {"EnterRoom", "LeaveRoom", "HearInRoom"} & done.keys(), done
    # Whoever says that he does not hear us in the room is connected directly: once, as what he says changes nothing more.
    assert done["Dial"] + done["Answer"] <= 1
    assert done["SendToPeer"] <= 2
    meeting.run(3.0)
    check_settled(meeting.broker, ghosts=False)
    check_rooms(meeting.broker)
