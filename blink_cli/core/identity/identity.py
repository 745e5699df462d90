"""Who this session is: one Ed25519 key, and the X25519 key that follows from it.

The same secret signs (Ed25519) and opens what is sealed to it (X25519), so that a peer's DID alone says how to seal to
that peer. Using one secret for both is sound for these two schemes: E. Thormarker, "On using the same key pair for
Ed25519 and an X25519 based KEM", IACR ePrint 2021/509.
"""

from hashlib import sha512
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from typing_extensions import override

from blink_cli.core.identity.did import did_of
from blink_cli.core.ids import Did

SEED_BYTES: Final = 32


class Identity:
    """Immutable. Never shows its secret: `repr` names the DID only."""

    __slots__ = ("_agreement_key", "_signing_key", "did", "public_key")

    def __init__(self, seed: bytes) -> None:
        """Take an identity from its 32-byte Ed25519 seed (RFC 8032, section 5.1.5)."""
        if len(seed) != SEED_BYTES:
            raise ValueError("an Ed25519 seed has 32 bytes")
        self._signing_key = Ed25519PrivateKey.from_private_bytes(seed)
        # The first half of the hash is the secret scalar of both schemes; the library clamps it (RFC 7748, section 5).
        self._agreement_key = X25519PrivateKey.from_private_bytes(sha512(seed).digest()[:32])
        self.public_key: bytes = self._signing_key.public_key().public_bytes_raw()
        self.did: Did = did_of(self.public_key)

    @override
    def __repr__(self) -> str:
        return f"Identity({self.did})"

    @property
    def agreement_key(self) -> X25519PrivateKey:
        """Opens what is sealed to this identity (core/signaling/sealing.py)."""
        return self._agreement_key

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519 signature; about 50 us."""
        return self._signing_key.sign(message)
