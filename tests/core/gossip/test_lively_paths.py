"""With many interfaces, or two families on one, signals go where somebody is, and everywhere when somebody is looked for."""

from blink_cli.core.gossip import Path, PathKind, unicast_path
from blink_cli.core.gossip.lively_paths import LivelyPaths
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.signaling.signals import Presence
from tests.core.gossip.parts import CALL_ID, GROUP_KEY, Party, Wire, announce

ETH4 = Path(PathKind.LAN, "192.0.2.1", "eth0")
ETH6 = Path(PathKind.LAN, "fe80::1%eth0", "eth0")
NEIGHBOUR = unicast_path(("192.0.2.9", 7667))
BRIDGES = tuple(Path(PathKind.LAN, f"172.18.{number}.1", f"br{number}") for number in range(30))


def lively(*paths: Path) -> LivelyPaths:
    made = LivelyPaths(GossipSettings())
    made.set_paths(paths)
    return made


def test_one_family_of_an_interface_is_enough_until_somebody_uses_the_other_alone() -> None:
    paths = (ETH4, ETH6, NEIGHBOUR)
    known = lively(*paths)
    assert known.usual(paths, 0.0) == (ETH4, NEIGHBOUR)
    known.came(1, ETH6, 10.0)
    assert known.usual(paths, 10.0) == paths
    assert known.usual(paths, 44.9) == paths
    assert known.usual(paths, 45.1) == (ETH4, NEIGHBOUR)


def test_a_copy_that_was_quicker_by_the_other_family_says_nothing() -> None:
    paths = (ETH4, ETH6)
    known = lively(*paths)
    known.came(1, ETH6, 10.0)
    known.came(1, ETH4, 10.001)
    assert known.usual(paths, 10.1) == (ETH4,)
    known.came(2, ETH6, 11.0)
    known.came(3, ETH6, 12.0)
    known.came(3, ETH4, 12.001)
    assert known.usual(paths, 12.1) == paths, "somebody else was heard by IPv6 alone before"


def test_of_many_interfaces_eight_and_those_with_somebody_behind() -> None:
    known = lively(*BRIDGES)
    assert known.usual(BRIDGES, 0.0) == BRIDGES[:8]
    known.came(1, BRIDGES[20], 5.0)
    assert known.usual(BRIDGES, 5.0) == (*BRIDGES[:8], BRIDGES[20])
    known.set_paths(BRIDGES[:20])
    known.set_paths(BRIDGES)
    assert known.usual(BRIDGES, 5.0) == BRIDGES[:8], "it was away meanwhile"


def test_a_peer_on_the_thirtieth_interface_is_found_and_then_costs_nine_datagrams_a_signal() -> None:
    anna = Party(1, paths=BRIDGES)
    bob = Party(2, paths=BRIDGES[-1:])
    wire = Wire([anna, bob])
    wire.send_to_peer(anna, bob, Presence("anna", reply_wanted=True), None)
    assert len(bob.received) == 1
    wire.send_to_peer(bob, anna, Presence("bob", reply_wanted=False), None)
    before = len(wire.carried)
    wire.send_to_peer(anna, bob, Presence("anna", reply_wanted=False), None)
    assert len(bob.received) == 2
    assert len(wire.carried) - before == 9
    for party in (anna, bob):
        party.gossip.open_call(CALL_ID, GROUP_KEY)
    wire.send_to_call(anna, announce())
    assert len(bob.received) == 3


def test_who_has_ipv6_alone_and_who_has_both_hear_each_other() -> None:
    both, six = Party(1, paths=(ETH4, ETH6)), Party(2, paths=(ETH6,))
    wire = Wire([both, six])
    both.gossip.greet_as("both")
    six.gossip.greet_as("six")
    wire.run(20)
    for party in (both, six):
        party.gossip.open_call(CALL_ID, GROUP_KEY)
    wire.send_to_call(both, announce())
    assert len(six.received) == 1


def test_two_that_have_both_families_use_one() -> None:
    parties = [Party(number, paths=(ETH4, ETH6)) for number in (1, 2)]
    wire = Wire(parties)
    for party in parties:
        party.gossip.greet_as("x")
        party.gossip.open_call(CALL_ID, GROUP_KEY)
    wire.run(20)
    before = len(wire.carried)
    wire.send_to_call(parties[0], announce())
    assert [path for _, path, _ in wire.carried[before:]] == [ETH4]
