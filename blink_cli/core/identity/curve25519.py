"""From an Ed25519 public key to the X25519 key of the same owner: field arithmetic on public data only.

Source: RFC 7748, section 4.1 (the birational map u = (1 + y) / (1 - y)); RFC 8032, section 5.1 (the curve and its encoding).
"""

from typing import Final

FIELD_PRIME: Final = 2**255 - 19

_D: Final = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME

_ORDER_EIGHT_U: Final = frozenset(
    {
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
    }
)
"""With 0, 1 and -1 the u of every point whose order divides 8: a secret agreed with such a key is known to everyone."""


def x25519_public_bytes(ed25519_public: bytes) -> bytes:
    """The X25519 public key that belongs to a 32-byte Ed25519 public key.

    Runs in variable time, which is fine for public keys and for nothing else.

    Raises:
        ValueError: The bytes are no point of the curve (half of all typing errors are found here), or a point of small
            order, for which anybody could sign and decrypt.

    """
    if len(ed25519_public) != 32:
        raise ValueError("an Ed25519 public key has 32 bytes")
    y = int.from_bytes(ed25519_public, "little") & ((1 << 255) - 1)
    if y >= FIELD_PRIME or not _is_on_curve(y):
        raise ValueError("not a point of edwards25519")
    u = (1 + y) * pow(1 - y, -1, FIELD_PRIME) % FIELD_PRIME if y != 1 else 0
    encoded = u.to_bytes(32, "little")
    if is_of_small_order(encoded):
        raise ValueError("a point of small order")
    return encoded


def is_of_small_order(x25519_public: bytes) -> bool:
    """Whether everybody knows what is agreed with this X25519 public key of 32 bytes, however it is encoded (RFC 7748, section 6.1)."""
    u = (int.from_bytes(x25519_public, "little") & ((1 << 255) - 1)) % FIELD_PRIME
    return u in (0, 1, FIELD_PRIME - 1) or u in _ORDER_EIGHT_U


def _is_on_curve(y: int) -> bool:
    """Whether x^2 = (y^2 - 1) / (d y^2 + 1) is a square (Euler's criterion)."""
    numerator = (y * y - 1) % FIELD_PRIME
    denominator = (_D * y * y + 1) % FIELD_PRIME
    # a / b is a square exactly when a * b is; that spares an inversion.
    return numerator == 0 or pow(numerator * denominator, (FIELD_PRIME - 1) // 2, FIELD_PRIME) == 1
