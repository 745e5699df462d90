"""The identifiers that everything else speaks of."""

from typing import Final, NewType

Did = NewType("Did", str)
"""A peer's identity, `did:key:z6Mk…`: its Ed25519 public key (see core/identity/did.py)."""

CallId = NewType("CallId", str)
"""A call: 128 random bits as 32 lowercase hexadecimal digits."""

CALL_ID_BYTES = 16

GROUP_KEY_BYTES = 32
"""The key that everyone invited to a call shares: ChaCha20-Poly1305's 256 bits."""

MAX_PARTICIPANTS: Final = 64
"""Of a call: a bound on what an offer can make us keep."""

MAX_MESH: Final = 32
"""More than this a mesh does not carry: a larger call needs a room on an SFU. Builds that know no room take no larger offer."""
