"""The rules of calls on the real gossip, sealed and signed, in virtual time: who holds which key opens what."""

from collections.abc import Iterable
from random import Random

from typing_extensions import override

from blink_cli.core.call import inputs
from blink_cli.core.call.effects import (
    CallEffect,
    CloseTopics,
    ConfirmOffer,
    DropKey,
    OpenTopics,
    SendToCall,
    SendToPeer,
    StopSending,
    UseKey,
)
from blink_cli.core.call.group_key import GroupKey
from blink_cli.core.call.machine import CallMachine
from blink_cli.core.gossip import Acknowledged, GossipEffect, Received
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.signals import Announce, Presence
from tests.core.gossip.parts import Party, Wire


class Session(Party):
    """A party of the wire with the rules of calls on top; its links are never made."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.machine = CallMachine(self.did, Random(number).randbytes)
        self.has_place = False

    def key(self, call_id: CallId) -> GroupKey:
        call = self.machine._call_table.get(call_id)
        assert call is not None
        return call.keys.current


class Room(Wire):
    """Carries what the machines say over the gossip."""

    @override
    def do(self, sender: Party, effects: Iterable[GossipEffect]) -> None:
        for effect in effects:
            super().do(sender, [effect])
            if not isinstance(sender, Session):
                continue
            if isinstance(effect, Received) and not isinstance(effect.signal, Presence):
                self.act(
                    sender,
                    sender.machine.handle(
                        inputs.SignalHeard(effect.sender, effect.signal, effect.call_id, effect.key_id),
                        self.now_s,
                    ),
                )
            elif isinstance(effect, Acknowledged):
                self.act(
                    sender,
                    sender.machine.handle(inputs.SignalAcknowledged(effect.peer, effect.signal), self.now_s),
                )

    def act(self, session: Session, effects: Iterable[CallEffect]) -> None:
        gossip, now, wall = session.gossip, self.now_s, self.wall_s(session)
        for effect in effects:
            match effect:
                case SendToPeer(peer, signal, call_id):
                    self.do(session, gossip.send_to_peer(peer, signal, call_id, now, wall))
                case SendToCall(call_id, said, copies, straight, key_id):
                    sent = gossip.send_to_call(
                        call_id, said, copies, now, wall, straight=straight, key_id=key_id
                    )
                    self.do(session, sent)
                case OpenTopics(call_id, group_key, participants):
                    gossip.open_call(call_id, group_key, participants)
                case CloseTopics(call_id):
                    gossip.close_call(call_id)
                case UseKey(call_id, group_key):
                    gossip.use_key(call_id, group_key)
                case DropKey(call_id, key_id):
                    gossip.drop_key(call_id, key_id)
                case ConfirmOffer(peer, call_id):
                    self.do(session, gossip.confirm_offer(peer, call_id))
                case StopSending(call_id, stopped):
                    gossip.stop_sending(call_id, stopped)
                case _:
                    pass

    def pass_time(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.run(0.05)
            for party in self.parties:
                assert isinstance(party, Session)
                due = party.machine.next_timeout()
                if due is not None and due <= self.now_s:
                    self.act(party, party.machine.handle_timeout(self.now_s))


def test_who_left_and_who_declined_open_nothing_that_is_said_afterwards() -> None:
    anna, bob, carl, dora = everybody = [Session(number) for number in range(1, 5)]
    room = Room([*everybody])
    for session in everybody:
        session.gossip.begin(room.now_s, room.wall_s(session))
    others = [session.did for session in everybody[1:]]
    room.act(anna, anna.machine.handle(inputs.Offering(tuple(others), "anna", 1_000), room.now_s))
    room.pass_time(0.2)
    call_id = anna.machine.current
    assert call_id is not None
    for session in (bob, carl):
        assert session.machine.ringing == (call_id,)
        room.act(session, session.machine.handle(inputs.Accepting(call_id, "b", 1_000), room.now_s))
    room.act(dora, dora.machine.handle(inputs.Rejecting(call_id), room.now_s))
    room.pass_time(2.0)
    first = anna.key(call_id)
    assert first == bob.key(call_id) == carl.key(call_id)
    assert first.epoch > 0
    room.act(carl, carl.machine.handle(inputs.Leaving(), room.now_s))
    room.pass_time(1.5)
    assert anna.key(call_id) == bob.key(call_id) != first
    for out in (carl, dora):
        out.told.clear()
    bob.told.clear()
    room.act(
        anna, anna.machine.handle(inputs.Showing(muted=True, deafened=False, recording=False), room.now_s)
    )
    room.pass_time(1.0)
    assert any(isinstance(signal, Announce) and signal.muted for signal in bob.received)
    for out in (carl, dora):
        assert not [signal for signal in out.received if isinstance(signal, Announce)]
        assert call_id in out.machine.pending
    # Carl comes back, and is told.
    room.act(carl, carl.machine.handle(inputs.Accepting(call_id, "carl", 9_000), room.now_s))
    room.pass_time(1.5)
    assert carl.key(call_id) == anna.key(call_id) == bob.key(call_id)
    assert any(isinstance(signal, Announce) and signal.muted for signal in carl.received)
