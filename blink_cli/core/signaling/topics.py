"""Where a message belongs: channels, each a topic of 16 bytes that says nothing to those who lack its key, and that key.

    public    of one identity and day      key from its public key            first words of who is not known, and what was not heard otherwise
    knock     of one identity, no day      key from its public key and salt   the same, whatever the clocks do: another topic each time
    pair      to one peer, of one day      key from the secret of the two     all that two who know each other say outside of calls
    call      of one call and key          key from that group key            announces; under the invitation's key who is there, and leaves
    member    to one peer, in one call     key from the invitation's, secret  session descriptions, redials

The key of a channel seals each of its datagrams (core/signaling/channel_seal.py). Topics of two days, of two pairs, of two directions have
nothing in common for whoever lacks the secret. Source: RFC 7693 (BLAKE2); `person` separates the uses.
"""

from hashlib import blake2b
from typing import Final, NewType

import msgspec

from blink_cli.core.ids import CallId

Topic = NewType("Topic", bytes)

TOPIC_BYTES: Final = 16
SALT_BYTES: Final = 8
KEY_ID_BYTES: Final = 16
DAY_MS: Final = 86_400_000

_KEY_BYTES: Final = 32


class Channel(msgspec.Struct, frozen=True):
    """A topic, and the key of its datagrams."""

    topic: Topic
    key: bytes


def day_of(date_ms: int) -> int:
    """Days since 1970, UTC."""
    return date_ms // DAY_MS


def days_around(date_ms: int) -> tuple[int, int]:
    """The days of half a day ago and of half a day on: who is less than twelve hours off is on one of them."""
    first = day_of(date_ms - DAY_MS // 2)
    return first, first + 1


def public_channel(public_key: bytes, day: int) -> Channel:
    """Where whoever knows the DID can speak to the peer with this Ed25519 public key on this day."""
    return _channel(public_key, _encoded(day), b"blink-public")


def knock_channel(public_key: bytes, salt: bytes) -> Channel:
    """The same without a day; `salt` is 8 random bytes, which begin the topic. Costs its receiver a hash to recognise."""
    digest = blake2b(
        salt, key=public_key, digest_size=SALT_BYTES + _KEY_BYTES, person=b"blink-knock"
    ).digest()
    return Channel(Topic(salt + digest[:SALT_BYTES]), digest[SALT_BYTES:])


def pair_channel(pair_secret: bytes, receiver: bytes, day: int) -> Channel:
    """Where the peer with this public key listens to the other of the two whose secret this is, on this day."""
    return _channel(pair_secret, _encoded(day) + receiver, b"blink-pair")


def key_id_of(group_key: bytes) -> bytes:
    """What names a group key within a session, and tells nothing of it. It is never sent."""
    return blake2b(key=group_key, digest_size=KEY_ID_BYTES, person=b"blink-key-id").digest()


def call_channel(group_key: bytes, call_id: CallId) -> Channel:
    """Where everyone in the call listens. Another call that has the same key, by somebody's doing, has other topics."""
    return _channel(group_key, call_id.encode(), b"blink-call")


def member_channel(group_key: bytes, call_id: CallId, pair_secret: bytes, receiver: bytes) -> Channel:
    """Where one participant of the call listens to another alone."""
    return _channel(group_key, call_id.encode() + pair_secret + receiver, b"blink-member")


def _channel(secret: bytes, message: bytes, person: bytes) -> Channel:
    key = blake2b(message, key=secret, digest_size=_KEY_BYTES, person=person).digest()
    return Channel(Topic(blake2b(key=key, digest_size=TOPIC_BYTES, person=b"blink-topic").digest()), key)


def _encoded(day: int) -> bytes:
    return day.to_bytes(8, "big", signed=True)
