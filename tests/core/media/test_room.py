"""Where a call meets on an SFU, and what is said of a stream there."""

import msgspec
import pytest

from blink_cli.core.media.room import RoomFeed, room_place

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
URL = "wss://sfu.example:8989"


def test_everybody_invited_finds_the_same_room_without_being_told() -> None:
    assert room_place(URL, KEY) == room_place(URL, KEY)
    place = room_place(URL, KEY)
    assert (place.url, len(place.pin)) == (URL, 32)
    assert 1 <= place.room <= 2**48


def test_another_call_and_another_server_have_another_room_and_pin() -> None:
    places = [room_place(URL, KEY), room_place(URL, OTHER), room_place("wss://other.example", KEY)]
    assert len({place.room for place in places}) == len({place.pin for place in places}) == 3


def test_a_pin_is_in_no_log() -> None:
    place = room_place(URL, KEY)
    assert place.pin not in repr(place)


def test_a_feed_is_said_as_it_is_and_one_out_of_bounds_is_refused() -> None:
    feed = RoomFeed(7, b"s" * 16, 111, 63)
    said = msgspec.msgpack.encode(feed)
    assert msgspec.msgpack.decode(said, type=RoomFeed) == feed
    for wrong in ([7, b"short", 111, 63], [7, b"s" * 16, 128, 63], [-1, b"s" * 16, 111, 63], [7, b"s" * 16]):
        with pytest.raises(msgspec.ValidationError):
            msgspec.msgpack.decode(msgspec.msgpack.encode(wrong), type=RoomFeed)
