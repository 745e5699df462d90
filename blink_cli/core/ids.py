"""The identifiers that everything else speaks of."""

from typing import NewType

Did = NewType("Did", str)
"""A peer's identity, `did:key:z6Mk…`: its Ed25519 public key (see core/identity/did.py)."""

CallId = NewType("CallId", str)
"""A call: 128 random bits as 32 lowercase hexadecimal digits."""

CALL_ID_BYTES = 16

GROUP_KEY_BYTES = 32
"""The key that everyone invited to a call shares: ChaCha20-Poly1305's 256 bits."""
