"""Encryption of whole messages: to one peer's key, to a call's group key, or to both.

    to a peer                    HPKE base mode, X25519 / HKDF-SHA256 / ChaCha20-Poly1305: 32 bytes of encapsulated key + 16 of tag
    to a call                    ChaCha20-Poly1305 under a key derived from the group key for this one message: 16 bytes of tag
    to a peer inside a call      the first inside the second: who lacks the group key is refused before any public-key operation

Every function binds the topic and message id that travel in the clear (`scope`), so that a sealed message moved under
another header does not open. Who sent it is not shown here: that is the signature inside (core/envelope.py).

Source: RFC 9180 (HPKE), RFC 8439 (ChaCha20-Poly1305). Pure, but not deterministic: HPKE draws its ephemeral key itself.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from blink_cli.core.curve25519 import x25519_public_bytes
from blink_cli.core.errors import WireError

PEER_OVERHEAD_BYTES: Final = 48
CALL_OVERHEAD_BYTES: Final = 16

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_INFO: Final = b"blink 1 to a peer"
_ZERO_NONCE: Final = bytes(12)
"""One key per message: the nonce has nothing left to tell apart."""


@lru_cache(maxsize=1024)
def _agreement_key_of(public_key: bytes) -> X25519PublicKey:
    return X25519PublicKey.from_public_bytes(x25519_public_bytes(public_key))


def seal_to_peer(plaintext: bytes, public_key: bytes, scope: bytes) -> bytes:
    """Seal to the owner of an Ed25519 public key; about 160 us.

    Raises:
        ValueError: The key is none that anybody could hold (`public_key_of` has refused those already).

    """
    return _SUITE.encrypt(plaintext, _agreement_key_of(public_key), info=_INFO + scope)


def open_to_peer(sealed: bytes, key: X25519PrivateKey, scope: bytes) -> bytes:
    """Open what was sealed to this key; about 70 us, also when it is garbage.

    Raises:
        WireError: Not sealed to this key, or changed on the way.

    """
    try:
        return _SUITE.decrypt(sealed, key, info=_INFO + scope)
    except (InvalidTag, ValueError) as reason:
        raise WireError("not sealed to this key") from reason


def _message_cipher(group_key: bytes, scope: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(blake2b(scope, key=group_key, digest_size=32, person=b"blink-message").digest())


def seal_to_call(plaintext: bytes, group_key: bytes, scope: bytes) -> bytes:
    """Seal to everyone who holds the group key; about 10 us. `scope` must be new for every message: it holds its random id."""
    return _message_cipher(group_key, scope).encrypt(_ZERO_NONCE, plaintext, scope)


def open_to_call(sealed: bytes, group_key: bytes, scope: bytes) -> bytes:
    """Open what was sealed with this group key; about 10 us, also when it is garbage.

    Raises:
        WireError: Not sealed with this group key, or changed on the way.

    """
    try:
        return _message_cipher(group_key, scope).decrypt(_ZERO_NONCE, sealed, scope)
    except (InvalidTag, ValueError) as reason:
        raise WireError("not sealed with this group key") from reason
