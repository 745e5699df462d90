"""Encryption of whole messages to one peer's keys. Under it lies the seal of the channel (core/signaling/channel_seal.py), which is all that is for a call.

    to a peer                    X25519 with its long-term key and its prekey, HKDF-SHA256, ChaCha20-Poly1305: 57 bytes, 40 for each further session
    to its long-term key alone   the same without a prekey, for first words that carry no secret: 49 bytes

    sealed to a peer:   ephemeral key 32 | number of prekeys 1 | hint 8 | (hint 8, masked key 32) ... | ciphertext | tag 16

The key of a message is HKDF(DH(ephemeral, long-term) | DH(ephemeral, first prekey)); to further prekeys, those of other sessions of the same identity,
it is masked with what they derive in the same way. So it takes both secrets: who steals an identity cannot open what was sealed to prekeys that
are gone, and who steals a prekey cannot open it without the identity. A hint tells who holds a prekey which one it is, without any public-key operation.

Both functions bind the topic and message id that travel in the clear (`scope`), so that a sealed message moved under
another header does not open. Who sent it is not shown here: that is the signature inside (core/signaling/envelope.py).

Source: RFC 7748 (X25519), RFC 5869 (HKDF), RFC 8439 (ChaCha20-Poly1305); X3DH (Marlinspike and Perrin, 2016) for the two agreements.
Pure, but not deterministic: the library draws the ephemeral key.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blink_cli.core.errors import WireError
from blink_cli.core.identity.curve25519 import x25519_public_bytes
from blink_cli.core.signaling.prekeys import MAX_SESSIONS, PrekeySecret

PEER_OVERHEAD_BYTES: Final = 57
"""With one prekey."""

FIRST_WORDS_OVERHEAD_BYTES: Final = 49

_KEY_BYTES: Final = 32
_HINT_BYTES: Final = 8
_FURTHER_BYTES: Final = _HINT_BYTES + _KEY_BYTES

_FIRST_WORDS: Final = b"blink 2 first words"
_TO_SESSION: Final = b"blink 2 to a session"
_MASK: Final = b"blink 2 to a further session"
_ZERO_NONCE: Final = bytes(12)
"""One key per message: the nonce has nothing left to tell apart."""


class UnknownPrekeyError(WireError):
    """Sealed to prekeys that this session does not have, or does not have any more."""


class Opened(msgspec.Struct, frozen=True):
    """What was sealed to a peer."""

    plaintext: bytes
    to_prekey: bool
    """Whether it took a prekey's secret too."""


@lru_cache(maxsize=1024)
def agreement_key_of(public_key: bytes) -> X25519PublicKey:
    """The X25519 key of the owner of an Ed25519 public key; 0.1 ms the first time.

    Raises:
        ValueError: The key is none that anybody could hold.

    """
    return X25519PublicKey.from_public_bytes(x25519_public_bytes(public_key))


def seal_to_peer(plaintext: bytes, public_key: bytes, scope: bytes, prekeys: Sequence[bytes] = ()) -> bytes:
    """Seal to the owner of an Ed25519 public key, and to those of its sessions that told these prekeys; about 200 us with one.

    Raises:
        ValueError: The key is none that anybody could hold (`public_key_of` has refused those already), or a prekey is of small order.

    """
    assert len(prekeys) <= MAX_SESSIONS, "a message is sealed to few sessions"
    ephemeral = X25519PrivateKey.generate()
    encapsulated = ephemeral.public_key().public_bytes_raw()
    long_term = agreement_key_of(public_key)
    agreed = ephemeral.exchange(long_term)
    bound = scope + encapsulated + long_term.public_bytes_raw()

    def derive(label: bytes, prekey: bytes) -> bytes:
        return _derive(
            agreed + ephemeral.exchange(X25519PublicKey.from_public_bytes(prekey)), label, bound + prekey
        )

    header = encapsulated + bytes([len(prekeys)])
    if prekeys:
        key = derive(_TO_SESSION, prekeys[0])
        header += _hint(prekeys[0], encapsulated)
        for prekey in prekeys[1:]:
            header += _hint(prekey, encapsulated) + _xor(key, derive(_MASK, prekey))
    else:
        key = _derive(agreed, _FIRST_WORDS, bound)
    return header + ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, plaintext, scope + header)


def open_to_peer(
    sealed: bytes, long_term: X25519PrivateKey, scope: bytes, prekeys: Sequence[PrekeySecret] = ()
) -> Opened:
    """Open what was sealed to this key, and to one of these prekeys if it was sealed to any; about 110 us, nothing if it was to none of ours.

    Raises:
        UnknownPrekeyError: Sealed to other prekeys; or garbage.
        WireError: Not sealed to this key, or changed on the way.

    """
    encapsulated, rest = sealed[:_KEY_BYTES], sealed[_KEY_BYTES:]
    if not rest or rest[0] > MAX_SESSIONS:
        raise WireError("not sealed to a peer")
    further = max(0, rest[0] - 1)
    header_bytes = _KEY_BYTES + 1 + (_HINT_BYTES if rest[0] else 0) + further * _FURTHER_BYTES
    header, ciphertext = sealed[:header_bytes], sealed[header_bytes:]
    if len(header) < header_bytes:
        raise WireError("not sealed to a peer")
    secret, mask = None, bytes(_KEY_BYTES)
    if rest[0]:
        secret, mask = _find(header[_KEY_BYTES + 1 :], encapsulated, prekeys)
    try:
        agreed = long_term.exchange(X25519PublicKey.from_public_bytes(encapsulated))
        bound = scope + encapsulated + long_term.public_key().public_bytes_raw()
        if secret is None:
            key = _derive(agreed, _FIRST_WORDS, bound)
        else:
            agreed += secret.secret.exchange(X25519PublicKey.from_public_bytes(encapsulated))
            label = _MASK if any(mask) else _TO_SESSION
            key = _xor(mask, _derive(agreed, label, bound + secret.public_key))
        plaintext = ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, ciphertext, scope + header)
    except (InvalidTag, ValueError) as reason:
        raise WireError("not sealed to this key") from reason
    return Opened(plaintext, secret is not None)


def _find(hints: bytes, encapsulated: bytes, prekeys: Sequence[PrekeySecret]) -> tuple[PrekeySecret, bytes]:
    """Which of our prekeys a message is sealed to, and its masked key: zeros for the first, whose key is derived as it is."""
    ours = {_hint(prekey.public_key, encapsulated): prekey for prekey in prekeys}
    if (first := ours.get(hints[:_HINT_BYTES])) is not None:
        return first, bytes(_KEY_BYTES)
    for start in range(_HINT_BYTES, len(hints), _FURTHER_BYTES):
        if (further := ours.get(hints[start : start + _HINT_BYTES])) is not None:
            return further, hints[start + _HINT_BYTES : start + _FURTHER_BYTES]
    raise UnknownPrekeyError("sealed to a prekey that is not ours")


def _hint(prekey: bytes, encapsulated: bytes) -> bytes:
    return blake2b(encapsulated, key=prekey, digest_size=_HINT_BYTES, person=b"blink-prekey").digest()


def _derive(agreed: bytes, label: bytes, bound: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=label + b"\x00" + bound).derive(agreed)


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(_KEY_BYTES, "big")
