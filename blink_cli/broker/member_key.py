"""The nkey that members of a broker share: an Ed25519 key of its own, in NATS's writing. Nobody's identity is in it."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from blink_cli.runtime.extras import needs_extra

SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class MemberKey:
    """Seed and public key."""

    seed: str = field(repr=False)
    """`SU…`: who has it is a member."""

    public: str
    """`U…`: what the server knows members by."""


def new_member_key() -> MemberKey:
    """Draw one.

    Raises:
        NotInstalledError: The extra `nats` is not installed.

    """
    with needs_extra("nats", "A broker"):
        import nkeys  # noqa: PLC0415 - an extra
    seed = nkeys.encode_seed(secrets.token_bytes(SEED_BYTES), nkeys.PREFIX_BYTE_USER)
    pair = nkeys.from_seed(bytearray(seed))
    return MemberKey(seed.decode(), pair.public_key.decode())
