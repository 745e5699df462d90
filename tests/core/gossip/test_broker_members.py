"""Who else uses a broker learns nothing by asking, and is sent nothing that is not said on a topic anyway."""

import pytest

from blink_cli.core.gossip import Path, PathKind, Transmit, unicast_path
from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC, Neighbours
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.signaling.signals import Presence
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, LAN, WALL_S, Party, Wire, announce, offer

BROKER = Path(PathKind.BROKER, "nats", "nats", overheard=True)
MEMBER = ("ab" * 16 + ".broker", 0)
INBOX = unicast_path(MEMBER, overheard=True)


def sent_by(party: Party, datagram: bytes, path: Path, now_s: float = 100.0) -> list[Transmit]:
    effects = party.gossip.receive(datagram, path, MEMBER, now_s, WALL_S + now_s)
    return [effect for effect in effects if isinstance(effect, Transmit)]


@pytest.mark.parametrize("path", [INBOX, BROKER], ids=["inbox", "topic"])
def test_a_member_does_not_become_a_neighbour(path: Path) -> None:
    anna = Party(1, paths=(LAN, BROKER))
    guest = Neighbours(GossipSettings(), bytes)
    guest.set_paths((LAN, INBOX))
    (hello,) = guest.handle_timeout(100.0)
    assert not sent_by(anna, hello.datagram, path)
    # On the network the same hello is answered: the test would see it.
    (challenge,) = anna.gossip.receive(
        hello.datagram, unicast_path(("192.0.2.9", 9)), ("192.0.2.9", 9), 100.0, WALL_S + 100.0
    )
    assert isinstance(challenge, Transmit)


def test_nobody_is_looked_for_who_greets_through_a_broker() -> None:
    anna, bert = Party(1, paths=(LAN, BROKER)), Party(2)
    anna.gossip.greet_as("anna")
    said = b"\x03" + bert.identity.public_key + b"bert"
    (greeting,) = write_datagrams(NEIGHBOUR_TOPIC, bytes(16), (said,), ttl=0, attempt=0)
    assert anna.gossip.receive(greeting, INBOX, MEMBER, 100.0, WALL_S + 100.0) == []
    assert anna.gossip.receive(greeting, LAN, ("192.0.2.9", 9), 100.0, WALL_S + 100.0)


def test_another_version_is_answered_on_its_inbox_without_a_name() -> None:
    anna = Party(1, paths=(LAN, BROKER))
    anna.gossip.greet_as("anna")
    (answer,) = sent_by(anna, b"\xb9" + bytes(60), INBOX)
    assert answer.paths == (INBOX,)
    assert all(path.overheard for path in answer.paths)
    assert anna.identity.public_key not in answer.datagram


def test_what_is_said_to_a_call_is_one_message_of_the_broker_however_many_are_in_it() -> None:
    parties = [Party(number, paths=(BROKER,)) for number in range(1, 9)]
    for party in parties:
        party.address = (f"{party.address[1]:032x}.broker", 0)
    wire = Wire(parties)
    caller, *others = parties
    for other in others:
        wire.send_to_peer(caller, other, offer(caller, *others))
        wire.send_to_peer(other, caller, offer(other, caller))
    dids = tuple(party.did for party in parties)
    for party in parties:
        party.gossip.open_call(CALL_ID, GROUP_KEY, dids)
    wire.carried.clear()
    wire.send_to_call(caller, announce(), copies=2, straight=True)
    wire.run(1.0)
    assert [path for sender, path, _ in wire.carried if sender is caller] == [BROKER] * 3
    assert all(len(other.received) == 2 for other in others), "the offer, and the announce once"


@pytest.mark.parametrize(
    ("contact", "path", "told"), [(True, BROKER, 1), (False, BROKER, 0), (False, LAN, 1)]
)
def test_through_a_broker_presence_goes_to_contacts_alone(contact: bool, path: Path, told: int) -> None:  # noqa: FBT001 - parametrised
    anna, bert = Party(1, paths=(path,)), Party(2, paths=(path,))
    wire = Wire([anna, bert])
    wire.send_to_peer(bert, anna, offer(bert, anna))  # they know each other, and listen
    wire.send_to_peer(anna, bert, offer(anna, bert))
    if contact:
        anna.gossip.set_contacts(frozenset({bert.did}))
    wire.send_to_peer(anna, bert, Presence("anna", reply_wanted=False), None)
    assert sum(isinstance(signal, Presence) for signal in bert.received) == told
