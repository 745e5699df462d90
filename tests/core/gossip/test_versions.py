"""Builds of different versions of the protocol say so to each other, without end in neither."""

from itertools import pairwise
from unittest.mock import patch

import pytest

from blink_cli.core.gossip import OtherVersion, unicast_path, versions
from blink_cli.core.gossip.settings import GossipSettings
from blink_cli.core.gossip.versions import WORD
from blink_cli.core.identity.did import public_key_of
from blink_cli.core.identity.identity import Identity
from blink_cli.core.presence.other_versions import LASTS_S
from tests.core.gossip.parts import LAN, Party, Wire

OLD_HEADER = b"\xb1\x04\x00\x00\x01"
"""Of a datagram of version 1: these five bytes, topic and message id, and what it carries."""


def told(party: Party) -> list[OtherVersion]:
    return [effect for effect in party.told if isinstance(effect, OtherVersion)]


def word(lowest: int, highest: int, rest: bytes = b"\x00") -> bytes:
    return WORD + bytes((lowest, highest)) + rest


def test_a_session_of_version_one_is_told_once_with_its_name_and_answered() -> None:
    bob, anna = Party(2), Party(1)
    wire = Wire([bob])
    greeting = OLD_HEADER + bytes(16) + b"i" * 16 + b"\x03" + anna.identity.public_key + b"anna"
    announce = OLD_HEADER + b"t" * 16 + b"i" * 16 + bytes(200)
    for datagram in (announce, greeting, announce, greeting):
        wire.put(bob, datagram, LAN, anna.address)
    assert told(bob) == [
        OtherVersion(anna.address, 1, 1, None, ""),
        OtherVersion(anna.address, 1, 1, anna.did, "anna"),
    ]
    assert [(path, len(said)) for _, path, said in wire.carried] == [(unicast_path(anna.address), 8)]
    assert bob.gossip.counters().other_version == 4


def test_who_goes_on_speaking_another_version_is_told_of_as_long_as_it_is_shown() -> None:
    bob, anna = Party(2), Party(1)
    wire = Wire([bob])
    named = word(3, 3, b"\x01" + anna.identity.public_key + b"\x04anna")
    told_s: list[float] = []
    for _ in range(60):
        before = len(told(bob))
        wire.put(bob, named, LAN, anna.address)
        told_s += [wire.now_s] * (len(told(bob)) - before)
        wire.now_s += GossipSettings().greet_every_s
    assert len(told_s) == 10
    assert max(later - one for one, later in pairwise(told_s)) < LASTS_S


@pytest.mark.parametrize(
    ("lowest", "highest", "differs"),
    [(3, 4, True), (1, 1, True), (1, 2, False), (2, 9, False), (4, 3, False)],
)
def test_a_word_of_any_build_to_come_is_understood(lowest: int, highest: int, differs: bool) -> None:  # noqa: FBT001 - parametrised
    anna, bob = Party(1), Party(2)
    wire = Wire([bob])
    named = b"\xff" + anna.identity.public_key + b"\x04anna" + b"and what else it may say"
    wire.put(bob, word(lowest, highest, named), LAN, anna.address)
    expected = [OtherVersion(anna.address, lowest, highest, anna.did, "anna")]
    assert told(bob) == (expected if differs else [])
    assert wire.carried == [], "nobody answers a word"


def test_a_datagram_of_a_later_version_is_answered_and_not_believed_by_its_byte() -> None:
    bob = Party(2)
    wire = Wire([bob])
    for number in range(100):
        wire.put(bob, b"\xb7" + bytes(60), LAN, ("192.0.2.77", 7 + number % 2))
    assert told(bob) == []
    assert len(wire.carried) == 2


def test_while_others_speak_another_version_it_is_said_who_speaks_this_one() -> None:
    anna, bob = Party(1), Party(2)
    wire = Wire([bob])
    bob.gossip.greet_as("bob")
    wire.run(30.0)
    assert not [said for _, _, said in wire.carried if said.startswith(WORD)]
    wire.put(bob, word(3, 3), LAN, anna.address)
    wire.run(GossipSettings().version_lasts_s + 60.0)
    words = [said for _, _, said in wire.carried if said.startswith(WORD)]
    assert 5 <= len(words) <= 7
    assert words[0] == word(2, 2, b"\x01" + bob.identity.public_key + b"\x03bob")
    # A build that speaks another one understands it.
    with patch.object(versions, "SPOKEN", 3):
        wire.put(anna, words[0], LAN, bob.address)
    assert told(anna) == [OtherVersion(bob.address, 2, 2, bob.did, "bob")]


def test_neither_spoofed_addresses_nor_garbage_make_it_send_or_tell_without_end() -> None:
    bob = Party(2)
    wire = Wire([bob])
    bob.gossip.greet_as("bob")
    wire.run(30.0)
    wire.carried.clear()
    old = OLD_HEADER + b"t" * 16 + b"i" * 16 + bytes(200)
    for number in range(5_000):
        source = (f"198.51.{number % 200}.7", number)
        for datagram in (old, word(3, 3), b"\xb3" + bytes(50), word(3, 3, b"\x01" + bytes(3)), WORD):
            wire.put(bob, datagram, LAN, source)
        wire.now_s += 0.002
    settings = GossipSettings()
    assert len(wire.carried) <= settings.version_answers_per_s * 12
    assert len(told(bob)) <= settings.versions_told_per_s * 12
    assert len(bob.gossip._versions._heard) <= settings.versions_heard


@pytest.mark.parametrize("kind", ["words", "greetings of version 1"])
def test_a_flood_of_names_costs_a_public_key_operation_only_for_what_is_told(kind: str) -> None:
    """Which takes 0.1 ms: 5,000 words a second would take half a core."""
    bob = Party(2)
    wire = Wire([bob])
    greeting = OLD_HEADER + bytes(16) + b"i" * 16 + b"\x03"
    with patch.object(versions, "public_key_of", wraps=public_key_of) as look:
        for number in range(500):
            key = Identity(number.to_bytes(32, "big")).public_key
            claim = word(3, 3, b"\x01" + key + b"\x05ghost") if kind == "words" else greeting + key + b"ghost"
            wire.put(bob, claim, LAN, ("198.51.100.7", 1_000 + number))
            wire.now_s += 0.002
    assert 0 < look.call_count <= GossipSettings().versions_told_per_s * 2
    assert told(bob)
