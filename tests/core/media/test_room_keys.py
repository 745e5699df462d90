"""No two senders, streams or group keys share a key."""

from itertools import product

from blink_cli.core.ids import Did
from blink_cli.core.media.room_keys import frame_key

ANN, BOB = Did("did:key:z6MkAnn"), Did("did:key:z6MkBob")


def test_a_key_is_one_senders_one_streams_and_one_group_keys() -> None:
    keys = [
        frame_key(group_key * 32, sender, stream_id)
        for group_key, sender, stream_id in product((b"1", b"2"), (ANN, BOB), (b"s" * 16, b"t" * 16))
    ]
    assert len({key.kid for key in keys}) == len(keys)
    assert len({key.seal(0, b"the same")[6:] for key in keys}) == len(keys)


def test_both_ends_derive_the_same() -> None:
    sealed = frame_key(b"1" * 32, ANN, b"s" * 16).seal(0, b"voice")
    assert frame_key(b"1" * 32, ANN, b"s" * 16).open(sealed) == b"voice"
