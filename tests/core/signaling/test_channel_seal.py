"""Each datagram of a channel opens for who has its key, in its place, and shows one of three sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.signaling.channel_seal import MAX_PART_BYTES, SEALED_BYTES, open_part, seal_message
from blink_cli.core.signaling.topics import Channel, Topic

CHANNEL, OTHER = Channel(Topic(b"t" * 16), b"k" * 32), Channel(Topic(b"t" * 16), b"o" * 32)
MESSAGE_ID = b"i" * 16
SCOPE = CHANNEL.topic + MESSAGE_ID


@given(st.binary(max_size=13_000))
def test_who_has_the_key_opens_every_part(message: bytes) -> None:
    parts = seal_message(message, CHANNEL, MESSAGE_ID)
    opened = [open_part(part, CHANNEL.key, SCOPE, index, len(parts)) for index, part in enumerate(parts)]
    assert b"".join(opened) == message
    assert {len(part) for part in parts} <= set(SEALED_BYTES)
    assert len(parts) <= 12


@pytest.mark.parametrize("length", [0, 1, 457, 458, 777, 778, MAX_PART_BYTES, MAX_PART_BYTES + 1])
def test_the_steps_begin_where_they_should(length: int) -> None:
    parts = seal_message(bytes(length), CHANNEL, MESSAGE_ID)
    last = (length - 1) % MAX_PART_BYTES + 1 if length else 0
    assert len(parts[-1]) == min(step for step in SEALED_BYTES if step >= last + 18)


def test_no_other_key_place_or_size_opens_it() -> None:
    (sealed,) = seal_message(b"come", CHANNEL, MESSAGE_ID)
    for key, scope, index, count in (
        (OTHER.key, SCOPE, 0, 1),
        (CHANNEL.key, SCOPE[:-1] + b"j", 0, 1),
        (CHANNEL.key, SCOPE, 1, 2),
        (CHANNEL.key, SCOPE, 0, 2),
    ):
        with pytest.raises(WireError):
            open_part(sealed, key, scope, index, count)
    with pytest.raises(WireError):
        open_part(sealed[:-1], CHANNEL.key, SCOPE, 0, 1)


@given(st.data())
def test_one_changed_bit_spoils_it(data: st.DataObject) -> None:
    (sealed,) = seal_message(b"come", CHANNEL, MESSAGE_ID)
    place = data.draw(st.integers(0, 8 * len(sealed) - 1))
    spoilt = bytearray(sealed)
    spoilt[place // 8] ^= 1 << place % 8
    with pytest.raises(WireError):
        open_part(bytes(spoilt), CHANNEL.key, SCOPE, 0, 1)


def test_bytes_written_down_stay_what_they_are() -> None:
    # Another value here means that sessions of different versions do not hear each other: raise the version byte.
    (sealed,) = seal_message(b"come", CHANNEL, MESSAGE_ID)
    assert sealed[:16].hex() == "7a8937bbdd4c69f9bfbae213857eaf90"
