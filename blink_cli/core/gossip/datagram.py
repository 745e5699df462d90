"""One datagram: a header of 37 bytes in the clear, and a sealed part of a message.

    offset  bytes  field
    0       1      version, 0xB2
    1       1      time to live: relays that it may still pass
    2       1      attempt: counts repetitions of the same message
    3       1      index of this fragment
    4       1      count of fragments, 1 to 12
    5       16     topic
    21      16     message id, random
    37      -      this part of the message, sealed and padded (core/signaling/channel_seal.py); on the topic of zeros in the clear

Numbers of one byte have no byte order. Nothing in the header is believed: topic, message id, index and count are bound by the sealing,
and time to live and attempt only steer relays and repetitions.
"""

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Final

import msgspec

from blink_cli.core.signaling.topics import TOPIC_BYTES, Topic

MAX_DATAGRAM_BYTES: Final = 1_200
"""Passes every path with the MTU of IPv6's minimum (1,280, RFC 8200 section 5) with room for IP and UDP headers."""

VERSION: Final = 0xB2

HEADER_BYTES: Final = 37
MESSAGE_ID_BYTES: Final = 16
MAX_TTL: Final = 8
MAX_FRAGMENTS: Final = 12
MAX_FRAGMENT_BYTES: Final = MAX_DATAGRAM_BYTES - HEADER_BYTES

_VERSION_BYTES: Final = bytes((VERSION,))
_TTL_OFFSET: Final = 1
_TOPIC_OFFSET: Final = 5
_ID_OFFSET: Final = _TOPIC_OFFSET + TOPIC_BYTES


class Refusal(Enum):
    """Why bytes are no datagram of ours."""

    OVERSIZE = "oversize"
    OTHER_VERSION = "other_version"
    MALFORMED = "malformed"


class Datagram(msgspec.Struct, frozen=True, gc=False):
    """A header that has been checked, and its fragment.

    A struct for speed: under a flood this is made thousands of times a second.
    """

    ttl: int
    attempt: int
    index: int
    count: int
    topic: Topic
    message_id: bytes
    fragment: bytes

    @property
    def scope(self) -> bytes:
        """What the sealing binds: topic and message id."""
        return self.topic + self.message_id


def read_datagram(encoded: bytes) -> Datagram | Refusal:
    """Check size, version and header, in this order."""
    if len(encoded) > MAX_DATAGRAM_BYTES:
        return Refusal.OVERSIZE
    if encoded[:1] != _VERSION_BYTES:
        return Refusal.OTHER_VERSION
    if len(encoded) < HEADER_BYTES:
        return Refusal.MALFORMED
    _, ttl, attempt, index, count = encoded[:_TOPIC_OFFSET]
    fragment = encoded[HEADER_BYTES:]
    if ttl > MAX_TTL or not 1 <= count <= MAX_FRAGMENTS or index >= count or not fragment:
        return Refusal.MALFORMED
    return Datagram(
        ttl,
        attempt,
        index,
        count,
        Topic(encoded[_TOPIC_OFFSET:_ID_OFFSET]),
        encoded[_ID_OFFSET:HEADER_BYTES],
        fragment,
    )


def topic_of(encoded: bytes) -> Topic | None:
    """The topic of a datagram whose header nobody has checked; None if it has none."""
    if len(encoded) < HEADER_BYTES:
        return None
    return Topic(encoded[_TOPIC_OFFSET:_ID_OFFSET])


def write_datagrams(
    topic: Topic, message_id: bytes, fragments: Sequence[bytes], *, ttl: int, attempt: int
) -> Iterator[bytes]:
    """Give each fragment of a message its header."""
    count = len(fragments)
    assert 1 <= count <= MAX_FRAGMENTS, "the cap on a signal's content keeps messages below this"
    for index, fragment in enumerate(fragments):
        yield bytes((VERSION, ttl, attempt & 0xFF, index, count)) + topic + message_id + fragment


def fingerprint(encoded: bytes) -> int:
    """Equal for equal datagrams that came over different numbers of relays.

    Python's keyed hash of bytes: a stranger cannot choose datagrams that collide.
    """
    return hash(encoded[_TTL_OFFSET + 1 :])


def with_less_ttl(encoded: bytes, ttl: int) -> bytes:
    """The same datagram with one relay less to pass."""
    return encoded[:_TTL_OFFSET] + bytes((ttl - 1,)) + encoded[_TTL_OFFSET + 1 :]


def not_to_be_relayed(encoded: bytes) -> bytes:
    """The same datagram for one receiver alone."""
    return with_less_ttl(encoded, 1)
