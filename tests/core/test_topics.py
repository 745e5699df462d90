"""Topics are told apart by use and key, and hold nothing of either."""

from itertools import combinations

from blink_cli.core.identity import Identity
from blink_cli.core.topics import TOPIC_BYTES, call_topic, pair_topic, peer_topic

KEY = bytes(range(32))
ANNA, BOB = Identity(b"a" * 32), Identity(b"b" * 32)


def test_every_use_and_key_has_its_own_topic() -> None:
    topics = [
        peer_topic(ANNA.public_key),
        peer_topic(BOB.public_key),
        peer_topic(KEY),
        call_topic(KEY),
        call_topic(bytes(32)),
        pair_topic(KEY, ANNA.public_key),
        pair_topic(KEY, BOB.public_key),
        pair_topic(bytes(32), BOB.public_key),
    ]
    assert all(len(topic) == TOPIC_BYTES for topic in topics)
    assert all(one != other for one, other in combinations(topics, 2))
    assert peer_topic(ANNA.public_key) == topics[0]


def test_topics_written_down_stay_what_they_are() -> None:
    # Another value here means that sessions of different versions do not hear each other: raise the version byte.
    assert peer_topic(KEY).hex() == "294f54e6a2830c61093c0d471bac652c"
    assert call_topic(KEY).hex() == "abda7276a0ad756222020545dc7d846e"
    assert pair_topic(KEY, bytes(32)).hex() == "eb390896510cad1e3a52fc87e05bfcd8"
