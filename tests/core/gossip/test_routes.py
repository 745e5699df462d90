"""Who hears no multicast gets by unicast what is for it, and nobody else does."""

from blink_cli.core.gossip import Path, PathKind, unicast_path
from blink_cli.core.gossip.effects import MulticastHeard
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.signaling.signals import Decline, Leave, Presence
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, LAN, Party, Wire, announce

HERE = Presence("bob", reply_wanted=False)
ASKS = Presence("bob", reply_wanted=True)


def in_a_call(*numbers: int) -> tuple[Wire, list[Party]]:
    parties = [Party(number) for number in numbers]
    for party in parties:
        party.gossip.open_call(CALL_ID, GROUP_KEY, tuple(other.did for other in parties))
    return Wire(parties), parties


def sent_by(wire: Wire, sender: Party) -> list[Path]:
    """The paths of what it has sent since last asked."""
    paths = [path for party, path, _ in wire.carried if party is sender]
    wire.carried.clear()
    return paths


def test_where_multicast_passes_an_announce_goes_out_once() -> None:
    wire, (anna, bob, carl) = in_a_call(1, 2, 3)
    for other in (bob, carl):
        wire.send_to_peer(other, anna, HERE, None)
    wire.carried.clear()
    wire.send_to_call(anna, announce())
    assert sent_by(wire, anna) == [LAN]


def test_an_announce_goes_straight_to_who_asks_for_a_reply_until_it_does_not_any_more() -> None:
    wire, (anna, bob, carl) = in_a_call(1, 2, 3)
    bob.hears_multicast = False
    wire.send_to_peer(bob, anna, ASKS, None)
    wire.carried.clear()
    wire.send_to_call(anna, announce())
    assert sent_by(wire, anna) == [LAN, unicast_path(bob.address)]
    assert bob.received == [announce()]
    assert not bob.deliveries[0].expected
    assert carl.received == [announce()]
    assert carl.deliveries[0].expected

    bob.hears_multicast = True
    wire.send_to_peer(bob, anna, HERE, None)
    wire.carried.clear()
    wire.send_to_call(anna, announce(2))
    assert sent_by(wire, anna) == [LAN]


def test_who_asked_and_fell_silent_is_forgotten() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    wire.send_to_peer(bob, anna, ASKS, None)
    wire.run(GossipSettings().deaf_for_s + 0.1)
    wire.carried.clear()
    wire.send_to_call(anna, announce())
    assert sent_by(wire, anna) == [LAN]


def test_who_was_not_invited_and_asks_gets_nothing_of_the_call() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    stranger = Party(9)
    wire.parties.append(stranger)
    wire.send_to_peer(stranger, anna, ASKS, None)
    wire.carried.clear()
    wire.send_to_call(anna, announce())
    assert sent_by(wire, anna) == [LAN]
    assert bob.received == [announce()]


def test_what_is_said_only_once_reaches_those_who_have_just_become_deaf() -> None:
    wire, (anna, bob, carl) = in_a_call(1, 2, 3)
    for other in (bob, carl):
        wire.send_to_peer(other, anna, HERE, None)
        other.hears_multicast = False
    wire.send_to_call(anna, announce())
    assert bob.received == []
    wire.send_to_call(anna, announce(2), straight=True)
    assert bob.received == carl.received == [announce(2)]
    wire.send_to_call(anna, Leave(1), copies=1)
    assert Leave(1) not in bob.received
    wire.run(0.1)
    assert Leave(1) in bob.received
    assert Leave(1) in carl.received


def test_a_direct_signal_to_a_deaf_peer_goes_straight_at_once() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    bob.hears_multicast = False
    wire.send_to_peer(bob, anna, ASKS, None)
    wire.send_to_peer(anna, bob, Decline(CALL_ID))
    assert bob.received == [Decline(CALL_ID)]


def test_two_deaf_sessions_of_one_identity_are_both_served() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    again = Party(2, seed=1)
    again.address = ("192.0.2.77", 40_077)
    again.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    wire.parties.append(again)
    for session in (bob, again):
        session.hears_multicast = False
        wire.send_to_peer(session, anna, ASKS, None)
    wire.send_to_call(anna, announce())
    assert bob.received == again.received == [announce()]


def test_a_question_goes_where_dns_sd_says_that_its_peer_is_but_less_and_less_often() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    bob.hears_multicast = anna.hears_multicast = False
    anna.gossip.expect_at(bob.did, bob.address)
    tried = 0
    for _ in range(120):
        before = len(bob.received)
        wire.send_to_peer(anna, bob, ASKS, None)
        tried += len(bob.received) > before
        wire.run(1.0)
    assert 5 <= tried <= 10, "anybody can name anybody's address in DNS-SD"


def test_of_a_peer_that_was_heard_dns_sd_is_not_believed() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    wire.send_to_peer(bob, anna, HERE, None)
    anna.gossip.expect_at(bob.did, ("192.0.2.99", 1))
    wire.carried.clear()
    wire.send_to_peer(anna, bob, ASKS, None)
    assert sent_by(wire, anna) == [LAN, unicast_path(bob.address)]


def test_multicast_that_comes_after_its_unicast_copy_is_told() -> None:
    wire, (anna, bob) = in_a_call(1, 2)
    bob.hears_multicast = False
    wire.send_to_peer(bob, anna, ASKS, None)
    wire.send_to_call(anna, announce())
    (late,) = [datagram for party, path, datagram in wire.carried if party is anna and path == LAN]
    wire.put(bob, late, LAN, anna.address)
    assert MulticastHeard(anna.did, LAN) in bob.told
    assert bob.received == [announce()]


def test_a_neighbour_is_heard_as_it_should_be() -> None:
    anna, bob = Party(1), Party(2)
    neighbour = unicast_path(anna.address)
    bob.paths = (neighbour,)
    bob.gossip.set_paths(bob.paths)
    anna.paths = (unicast_path(bob.address),)
    anna.gossip.set_paths(anna.paths)
    wire = Wire([anna, bob])
    wire.send_to_peer(anna, bob, HERE, None)
    assert bob.deliveries[0].path.kind is PathKind.UNICAST
    assert bob.deliveries[0].expected


def test_questions_from_many_spoofed_addresses_do_not_make_us_send_to_all_of_them() -> None:
    wire, (anna, _) = in_a_call(1, 2)
    stranger = Party(9)
    for number in range(60):
        effects = stranger.gossip.send_to_peer(anna.did, ASKS, None, wire.now_s, wire.wall_s(stranger))
        for effect in effects:
            wire.put(anna, effect.datagram, LAN, ("203.0.113.7", 1_000 + number))
        wire.run(0.05)
    wire.carried.clear()
    wire.send_to_peer(anna, stranger, HERE, None)
    assert len(sent_by(wire, anna)) <= 3
