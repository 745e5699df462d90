"""Sessions that nobody was told of find each other by what they say on the group."""

import pytest

from blink_cli.core.gossip import Noticed, Path, PathKind, Transmit, unicast_path
from blink_cli.core.gossip.datagram import HEADER_BYTES, write_datagrams
from blink_cli.core.gossip.greeting import GREETING
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.identity.identity import Identity
from tests.core.gossip.parts import LAN, Party, Wire

LAN6 = Path(PathKind.LAN, "fe80::1%eth0", "eth0")


def noticed(party: Party) -> list[tuple[str, str]]:
    return [(told.peer, told.nickname) for told in party.told if isinstance(told, Noticed)]


def test_whoever_greets_is_noticed_and_where() -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    anna.gossip.greet_as("anna \x1b[31m")
    bob.gossip.greet_as("bob")
    wire.run(0.2)
    (told,) = [told for told in bob.told if isinstance(told, Noticed)]
    assert told == Noticed(anna.did, "anna [31m", anna.address)
    assert noticed(anna) == [(bob.did, "bob")]


def test_a_session_that_is_not_to_be_discovered_says_and_takes_nothing() -> None:
    anna, hidden = Party(1), Party(2)
    wire = Wire([anna, hidden])
    anna.gossip.greet_as("anna")
    wire.run(30)
    assert hidden.told == []
    assert all(sender is anna for sender, _, _ in wire.carried)


def test_who_comes_later_or_on_a_new_path_greets_at_once() -> None:
    anna, late = Party(1), Party(2)
    wire = Wire([anna, late])
    anna.gossip.greet_as("anna")
    wire.run(5)
    late.gossip.greet_as("late")
    wire.run(0)
    assert noticed(anna) == [(late.did, "late")]
    before = len(wire.carried)
    anna.gossip.set_paths((LAN, LAN6))
    wire.run(0)
    assert [path for _, path, _ in wire.carried[before:]] == [LAN, LAN6]


@pytest.mark.parametrize("seed", range(5))
def test_the_pace_is_four_greetings_in_the_first_seconds_and_then_one_in_ten(seed: int) -> None:
    anna = Party(1, seed=seed)
    wire = Wire([anna])
    anna.gossip.greet_as("anna")
    wire.run(6)
    assert len(wire.carried) == 4
    wire.run(100)
    assert 12 <= len(wire.carried) <= 16


def test_greetings_reach_neighbours_and_are_not_passed_on() -> None:
    anna, bob, far = Party(1), Party(2), Party(3, paths=())
    bob.gossip.set_paths((LAN, unicast_path(far.address)))
    wire = Wire([anna, bob, far])
    for party, name in ((anna, "anna"), (bob, "bob"), (far, "far")):
        party.gossip.greet_as(name)
    wire.run(5)
    assert {name for _, name in noticed(far)} == {"bob"}


@pytest.mark.parametrize(
    "said", [b"\x03", b"\x03" + b"k" * 31, b"\x03" + bytes(32) + b"nobody", b"\x03" + b"\xff" * 300]
)
def test_greetings_that_make_no_sense_are_ignored(said: bytes) -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna, bob])
    bob.gossip.greet_as("bob")
    anna.gossip.greet_as("anna")
    (made, *_) = [
        effect for effect in anna.gossip.handle_timeout(wire.now_s, 0.0) if isinstance(effect, Transmit)
    ]
    wire.put(bob, made.datagram[:HEADER_BYTES] + said, LAN, anna.address)
    assert noticed(bob) == []


def test_a_flood_of_greetings_is_looked_at_only_so_often() -> None:
    bob = Party(99)
    bob.gossip.greet_as("bob")
    wire = Wire([bob])
    for number in range(1, 98):
        stranger = Party(number)
        stranger.gossip.greet_as("x")
        for effect in stranger.gossip.handle_timeout(wire.now_s, 0.0):
            assert isinstance(effect, Transmit)
            wire.put(bob, effect.datagram, LAN, stranger.address)
    assert len(noticed(bob)) == 40, "what two seconds allow, at once"


def test_who_floods_with_greetings_takes_nothing_from_others() -> None:
    anna, bob, flooder = Party(1), Party(2), ("192.0.2.66", 6)
    wire = Wire([anna, bob])
    bob.gossip.greet_as("bob")
    wire.run(6)
    for number in range(1_000):
        key = Identity(number.to_bytes(32, "big")).public_key
        (datagram,) = write_datagrams(
            NEIGHBOUR_TOPIC, bytes(16), (GREETING + key,), ttl=0, attempt=number % 256
        )
        wire.put(bob, datagram, LAN, flooder)
        wire.run(0.005)
    flooded = len(noticed(bob))
    assert flooded <= 2 * (5 + 2)
    anna.gossip.greet_as("anna")
    wire.run(0.01)
    assert noticed(bob)[flooded:] == [(anna.did, "anna")]
