"""Whatever bytes come: no exception, nothing delivered, every datagram counted once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core.gossip import Acknowledged, GossipEffect, Path, PathKind, Received, Transmit
from blink_cli.core.gossip.datagram import write_datagrams
from blink_cli.core.gossip.neighbours import NEIGHBOUR_TOPIC
from blink_cli.core.signaling.channel_seal import SEALED_BYTES, seal_message
from blink_cli.core.signaling.signals import Redial
from blink_cli.core.signaling.topics import (
    Channel,
    call_channel,
    day_of,
    knock_channel,
    member_channel,
    public_channel,
)
from tests.core.gossip.parts import (
    CALL_ID,
    GROUP_KEY,
    LAN,
    LOOPBACK,
    WALL_S,
    Party,
    Wire,
    announce,
    offer,
    pair_secret,
)

STRANGER = ("198.51.100.7", 4_000)
BEGAN_S = WALL_S + 99.0
"""Wall clock when the monotonic one was 0: what is said on a `Wire` was said about now."""


def listening_party() -> Party:
    """In a call, with a second path, so that relaying is reached too, and with an offer of its own under way."""
    party = Party(2, paths=(LAN, Path(PathKind.LAN, "198.51.100.1"), LOOPBACK))
    party.gossip._own_prekeys.tell(1.0)  # the one that VALID is sealed to
    party.gossip.open_call(CALL_ID, GROUP_KEY, (Party(1).did, party.did))
    party.gossip.send_to_peer(Party(9).did, offer(party, Party(9)), CALL_ID, 1.0, BEGAN_S + 1.0)
    return party


def valid_datagrams() -> list[bytes]:
    anna, bob = Party(1), Party(2)
    wire = Wire([anna])
    wire.acquaint(anna, bob)
    anna.gossip.open_call(CALL_ID, GROUP_KEY, (anna.did, bob.did))
    wire.send_to_peer(anna, bob, offer(anna, bob))
    wire.send_to_peer(anna, bob, offer(anna, bob, *(Party(number) for number in range(3, 33))))
    wire.send_to_peer(anna, bob, Redial(CALL_ID, 1, 1, 1))
    wire.send_to_call(anna, announce())
    return [datagram for _, _, datagram in wire.carried]


VALID = valid_datagrams()
BOB = Party(2).identity.public_key
CHANNELS = (
    public_channel(BOB, day_of(round(WALL_S * 1000))),
    knock_channel(BOB, b"saltsalt"),
    call_channel(GROUP_KEY, CALL_ID),
    member_channel(GROUP_KEY, CALL_ID, pair_secret(Party(1), Party(2)), BOB),
)
TOPICS = st.sampled_from([*(channel.topic for channel in CHANNELS), NEIGHBOUR_TOPIC, bytes(15) + b"\x01"])


def feed(party: Party, datagrams: list[bytes]) -> list[GossipEffect]:
    """Give them, a moment apart; return what the session was told."""
    told: list[GossipEffect] = []
    for number, datagram in enumerate(datagrams):
        now_s = 2.0 + number * 0.01
        effects = party.gossip.receive(datagram, LAN, STRANGER, now_s, BEGAN_S + now_s)
        effects += party.gossip.handle_timeout(now_s, BEGAN_S + now_s)
        told += [effect for effect in effects if not isinstance(effect, Transmit)]
    counters = party.gossip.counters()
    names = type(counters).__struct_fields__
    counted = names[names.index("oversize") : names.index("acknowledgements_received") + 1]
    assert sum(getattr(counters, name) for name in counted) == counters.received == len(datagrams)
    return told


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=1_300), max_size=20))
def test_arbitrary_bytes(datagrams: list[bytes]) -> None:
    assert feed(listening_party(), datagrams) == []


@st.composite
def structured_garbage(draw: st.DrawFn) -> bytes:
    """A header that is right, or nearly, on a topic that is listened to, and anything behind it."""
    head = bytes(
        [
            draw(st.sampled_from([0xB2, 0xB2, 0xB2, 0xB3, 0xBF])),
            draw(st.integers(0, 9)),
            draw(st.integers(0, 255)),
            draw(st.integers(0, 12)),
            draw(st.integers(0, 13)),
        ]
    )
    message_id = draw(st.sampled_from([b"a" * 16, b"b" * 16]) | st.binary(min_size=16, max_size=16))
    behind = draw(st.binary(max_size=300)).ljust(draw(st.sampled_from([0, *SEALED_BYTES])), b"x")
    return head + draw(TOPICS) + message_id + behind


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(CHANNELS), st.binary(max_size=2_500)), max_size=20))
def test_anything_sealed_well_for_a_channel(said: list[tuple[Channel, bytes]]) -> None:
    datagrams: list[bytes] = []
    for number, (channel, message) in enumerate(said):
        message_id = number.to_bytes(16)
        parts = seal_message(message, channel, message_id)
        datagrams += write_datagrams(channel.topic, message_id, parts, ttl=2, attempt=0)
    assert feed(listening_party(), datagrams) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(structured_garbage(), max_size=40))
def test_structured_garbage(datagrams: list[bytes]) -> None:
    assert feed(listening_party(), datagrams) == []


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_one_byte_of_a_valid_message_changed(data: st.DataObject) -> None:
    datagram = data.draw(st.sampled_from(VALID))
    place = data.draw(st.integers(0, len(datagram) - 1))
    changed = bytearray(datagram)
    changed[place] ^= data.draw(st.integers(1, 255))
    told = feed(listening_party(), [bytes(changed)])
    # Time to live and attempt are for relays, and belong to no message.
    assert told == [] or place in (1, 2)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_valid_messages_cut_short_and_glued(data: st.DataObject) -> None:
    first, second = data.draw(st.sampled_from(VALID)), data.draw(st.sampled_from(VALID))
    cut = data.draw(st.integers(0, len(first) - 1))
    glued = first[:cut] + second[data.draw(st.integers(0, len(second))) :]
    # Unless the cut put a whole message together again, it is none.
    told = feed(listening_party(), [first[:cut], *([] if glued in VALID else [glued])])
    assert told == [] or glued[3:] in [datagram[3:] for datagram in VALID]


def test_the_valid_messages_are_valid() -> None:
    told = feed(listening_party(), VALID)
    assert [type(effect) for effect in told] == [Received] * 4, told
    assert not any(isinstance(effect, Acknowledged) for effect in told)


@pytest.mark.parametrize("length", [1_201, 9_000, 65_507])
def test_too_long_is_counted_and_dropped(length: int) -> None:
    party = listening_party()
    assert feed(party, [VALID[0][:37] + bytes(length - 37)]) == []
    assert party.gossip.counters().oversize == 1
