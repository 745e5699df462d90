"""Where a message belongs, as 16 bytes that say nothing to those who lack the key.

    peer topic   BLAKE2b(key = public key of the peer)                       offers, cancels, declines, presence
    call topic   BLAKE2b(key = group key)                                    announces, leaves
    pair topic   BLAKE2b(key = group key, message = public key of the peer)  session descriptions, redials

Who does not hold a peer's DID cannot compute its topic, nor find the DID from it; who does not hold the group key can
say nothing about the topics of a call. Source: RFC 7693 (BLAKE2); `person` separates the three uses.
"""

from hashlib import blake2b
from typing import Final, NewType

Topic = NewType("Topic", bytes)

TOPIC_BYTES: Final = 16


def peer_topic(public_key: bytes) -> Topic:
    """Where the peer with this Ed25519 public key listens for what begins or ends a call."""
    return Topic(blake2b(key=public_key, digest_size=TOPIC_BYTES, person=b"blink-peer").digest())


def call_topic(group_key: bytes) -> Topic:
    """Where everyone in the call listens."""
    return Topic(blake2b(key=group_key, digest_size=TOPIC_BYTES, person=b"blink-call").digest())


def pair_topic(group_key: bytes, public_key: bytes) -> Topic:
    """Where one participant of the call listens for what is meant for it alone."""
    return Topic(blake2b(public_key, key=group_key, digest_size=TOPIC_BYTES, person=b"blink-pair").digest())
