"""Names of peers: an Ed25519 public key as `did:key:z6Mk...`.

    did:key:z  base58btc( 0xed 0x01 | 32 bytes of public key )

Source: the did:key method, v0.9; multicodec `ed25519-pub` (0xed as unsigned varint); multibase prefix `z` for base58btc.
"""

from functools import lru_cache
from typing import Final

from blink_cli.core.errors import UsageError
from blink_cli.core.identity.curve25519 import x25519_public_bytes
from blink_cli.core.ids import Did

DID_PREFIX: Final = "did:key:z"

PUBLIC_KEY_BYTES: Final = 32

_MULTICODEC_ED25519: Final = b"\xed\x01"

_ALPHABET: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES: Final = {letter: value for value, letter in enumerate(_ALPHABET)}

_DIGITS: Final = 47
"""34 bytes that begin with 0xed are always this many base58 digits."""

_CACHED_KEYS: Final = 1024
"""Conversions kept: more than the participants of any call; a stranger can only push out, never fill the memory."""


@lru_cache(maxsize=_CACHED_KEYS)
def did_of(public_key: bytes) -> Did:
    """The DID of a 32-byte Ed25519 public key. Total: whether it is a point of the curve is not looked at."""
    assert len(public_key) == PUBLIC_KEY_BYTES, "callers hold keys, not arbitrary bytes"
    number = int.from_bytes(_MULTICODEC_ED25519 + public_key, "big")
    digits = []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_ALPHABET[digit])
    return Did(DID_PREFIX + "".join(reversed(digits)))


@lru_cache(maxsize=_CACHED_KEYS)
def public_key_of(did: str) -> bytes:
    """The 32-byte Ed25519 public key of a DID.

    Raises:
        UsageError: It is not the DID of an Ed25519 key, or its key cannot be one. For what a user typed or pasted.

    """
    digits = did.removeprefix(DID_PREFIX)
    if digits == did or len(digits) != _DIGITS:
        raise _not_a_did(did)
    number = 0
    for letter in digits:
        value = _VALUES.get(letter)
        if value is None:
            raise _not_a_did(did)
        number = number * 58 + value
    if number.bit_length() > 8 * 34:
        raise _not_a_did(did)
    decoded = number.to_bytes(34, "big")
    if not decoded.startswith(_MULTICODEC_ED25519):
        raise _not_a_did(did)
    public_key = decoded[2:]
    try:
        x25519_public_bytes(public_key)
    except ValueError as reason:
        raise UsageError(
            f"{did} is not the DID of a usable key.", hint="Copy it again: a letter is probably wrong."
        ) from reason
    return public_key


def _not_a_did(text: str) -> UsageError:
    shown = text if len(text) <= 64 else text[:61] + "..."
    return UsageError(
        f"{shown!r} is not a DID.",
        hint="A DID begins with did:key:z6Mk and has 56 characters. `blink peers` shows those of others, `blink whoami` yours.",
    )
