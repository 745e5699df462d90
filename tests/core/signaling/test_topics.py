"""Topics are told apart by use, key, day and direction, and hold nothing of any."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import CallId
from blink_cli.core.signaling.pair_secrets import PairSecrets
from blink_cli.core.signaling.topics import (
    DAY_MS,
    TOPIC_BYTES,
    call_channel,
    day_of,
    days_around,
    knock_channel,
    member_channel,
    pair_channel,
    public_channel,
)

KEY = bytes(range(32))
CALL, OTHER_CALL = CallId("ab" * 16), CallId("cd" * 16)
ANNA, BOB = Identity(b"a" * 32), Identity(b"b" * 32)
SECRET = PairSecrets(ANNA).of(BOB.public_key)


def test_every_use_key_day_and_direction_has_its_own_topic_and_key() -> None:
    channels = [
        public_channel(ANNA.public_key, 20_000),
        public_channel(ANNA.public_key, 20_001),
        public_channel(BOB.public_key, 20_000),
        public_channel(KEY, -1),
        knock_channel(ANNA.public_key, b"saltsalt"),
        knock_channel(ANNA.public_key, b"tlastlas"),
        knock_channel(BOB.public_key, b"saltsalt"),
        pair_channel(SECRET, ANNA.public_key, 20_000),
        pair_channel(SECRET, BOB.public_key, 20_000),
        pair_channel(SECRET, BOB.public_key, 20_001),
        call_channel(KEY, CALL),
        call_channel(KEY, OTHER_CALL),
        call_channel(bytes(32), CALL),
        member_channel(KEY, CALL, SECRET, ANNA.public_key),
        member_channel(KEY, CALL, SECRET, BOB.public_key),
        member_channel(KEY, OTHER_CALL, SECRET, BOB.public_key),
        member_channel(bytes(32), CALL, SECRET, BOB.public_key),
    ]
    assert all(len(channel.topic) == TOPIC_BYTES and len(channel.key) == 32 for channel in channels)
    assert all(one.topic != other.topic and one.key != other.key for one, other in combinations(channels, 2))
    assert public_channel(ANNA.public_key, 20_000) == channels[0]


def test_both_find_the_same_secret_and_nobody_else() -> None:
    assert PairSecrets(BOB).of(ANNA.public_key) == SECRET
    assert PairSecrets(Identity(KEY)).of(ANNA.public_key) != SECRET


def test_secrets_are_kept_within_a_bound_and_found_again() -> None:
    secrets = PairSecrets(ANNA, capacity=2)
    peers = [Identity(bytes([number]) * 32).public_key for number in range(1, 5)]
    found = [secrets.of(peer) for peer in peers]
    assert len(secrets) == 2
    assert [secrets.of(peer) for peer in peers] == found


@given(st.integers(0, 2**45), st.integers(-DAY_MS // 2 + 1, DAY_MS // 2 - 1))
def test_who_is_less_than_half_a_day_off_is_on_a_day_that_is_listened_to(date_ms: int, off_ms: int) -> None:
    assert day_of(date_ms + off_ms) in days_around(date_ms)


def test_topics_written_down_stay_what_they_are() -> None:
    # Another value here means that sessions of different versions do not hear each other: raise the version byte.
    assert public_channel(KEY, 20_000).topic.hex() == "974017b9ea302519bfb7fb6541f89491"
    assert knock_channel(KEY, b"saltsalt").topic.hex() == "73616c7473616c74d6ca57119058f9a6"
    assert SECRET.hex() == "30d68cef63791955670fdfed7ff7c6fd22b0e71f91121409022875672ee761a5"
    assert pair_channel(KEY, bytes(32), 20_000).topic.hex() == "426ba3f3727e03fd224441508bf64e30"
    assert call_channel(KEY, CALL).topic.hex() == "8b5a86be85cdafc6d309eedb58f27ba0"
    assert member_channel(KEY, CALL, bytes(32), bytes(32)).topic.hex() == "f9ac3428929e500dbd06f22123847708"
