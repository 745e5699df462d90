"""The cheap seal: each datagram of a channel is encrypted with the channel's key, and padded to one of a few sizes.

    plaintext    2 bytes of length, big-endian | that much of the message | zeros up to the size
    sealed       ChaCha20-Poly1305, nonce zero, associated data place, key = BLAKE2b-256(key: the channel's, message: place, person: `blink-datagram`)
    place        topic, message id, index of the datagram, their count: 34 bytes

So who lacks the key is refused datagram by datagram for some microseconds, before anything is kept of him, and of two datagrams of one size
nobody else can tell which is the offer and which the acknowledgement. A repetition has the same bytes in the same place: one key is never used
for two texts, since a message id is never used for two messages.

Source: RFC 8439 (ChaCha20-Poly1305), RFC 7693 (BLAKE2).
"""

from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from blink_cli.core.errors import WireError
from blink_cli.core.signaling.topics import Channel

SEALED_BYTES: Final = (475, 795, 1_163)
"""With the 37 bytes of the header datagrams of 512, 832 and 1,200. The first holds a presence, a leave, an acknowledgement, an offer to a call of
four and an announce in one of seven."""

_LENGTH_BYTES: Final = 2
_TAG_BYTES: Final = 16
_OVERHEAD_BYTES: Final = _LENGTH_BYTES + _TAG_BYTES
MAX_PART_BYTES: Final = SEALED_BYTES[-1] - _OVERHEAD_BYTES
_ZERO_NONCE: Final = bytes(12)
"""One key per datagram: the nonce has nothing left to tell apart."""


def seal_message(message: bytes, channel: Channel, message_id: bytes) -> tuple[bytes, ...]:
    """Cut, pad and seal; some 10 us a datagram. The message id must be new."""
    count = max(1, -(-len(message) // MAX_PART_BYTES))
    return tuple(
        _seal(
            message[index * MAX_PART_BYTES : (index + 1) * MAX_PART_BYTES],
            channel.key,
            _place(channel.topic + message_id, index, count),
        )
        for index in range(count)
    )


def open_part(sealed: bytes, key: bytes, scope: bytes, index: int, count: int) -> bytes:
    """The part of a message in one datagram; some 10 us, also when it is garbage.

    Args:
        sealed: What came behind the header.
        key: Of the channel.
        scope: Topic and message id.
        index: Of the datagram.
        count: How many the message has.

    Raises:
        WireError: Not sealed with this key for this place.

    """
    if len(sealed) not in SEALED_BYTES:
        raise WireError("a datagram of a size that is never sent")
    place = _place(scope, index, count)
    try:
        padded = _cipher(key, place).decrypt(_ZERO_NONCE, sealed, place)
    except InvalidTag as reason:
        raise WireError("not sealed with the key of this channel") from reason
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if length > len(padded) - _LENGTH_BYTES:
        raise WireError("a part that is longer than its datagram")
    return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]


def _seal(part: bytes, key: bytes, place: bytes) -> bytes:
    needed = len(part) + _OVERHEAD_BYTES
    size = next(step for step in SEALED_BYTES if step >= needed)
    padded = len(part).to_bytes(_LENGTH_BYTES, "big") + part + bytes(size - needed)
    return _cipher(key, place).encrypt(_ZERO_NONCE, padded, place)


def _place(scope: bytes, index: int, count: int) -> bytes:
    return scope + bytes((index, count))


def _cipher(key: bytes, place: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(blake2b(place, key=key, digest_size=32, person=b"blink-datagram").digest())
