"""The agreement key that others derive from a DID is the one that its owner derives from the secret."""

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.identity.curve25519 import FIELD_PRIME, x25519_public_bytes
from blink_cli.core.identity.identity import Identity

SEEDS = st.binary(min_size=32, max_size=32)


@given(SEEDS)
def test_public_and_private_derivation_meet(seed: bytes) -> None:
    identity = Identity(seed)
    assert identity.agreement_key.public_key().public_bytes_raw() == x25519_public_bytes(identity.public_key)


def test_libsodium_derives_the_same() -> None:
    # crypto_sign_ed25519_pk_to_curve25519 of libsodium 1.0.20 for the seed 00 01 .. 1f, written down once.
    identity = Identity(bytes(range(32)))
    assert identity.public_key.hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert x25519_public_bytes(identity.public_key).hex() == (
        "4701d08488451f545a409fb58ae3e58581ca40ac3f7f114698cd71deac73ca01"
    )


@given(SEEDS, SEEDS)
def test_two_identities_agree_on_a_secret_through_their_names(one: bytes, other: bytes) -> None:
    a, b = Identity(one), Identity(other)
    from_a = a.agreement_key.exchange(X25519PublicKey.from_public_bytes(x25519_public_bytes(b.public_key)))
    from_b = b.agreement_key.exchange(X25519PublicKey.from_public_bytes(x25519_public_bytes(a.public_key)))
    assert from_a == from_b


# Source: the y coordinates of the eight points of small order of edwards25519, as in libsodium's blocklist.
SMALL_ORDER_Y = [
    0,
    1,
    FIELD_PRIME - 1,
    int.from_bytes(
        bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
    ),
    int.from_bytes(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), "little"
    ),
]


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize("y", SMALL_ORDER_Y)
def test_points_of_small_order_are_refused(y: int, sign: int) -> None:
    with pytest.raises(ValueError, match="small order"):
        x25519_public_bytes((y | sign).to_bytes(32, "little"))


@pytest.mark.parametrize("y", [FIELD_PRIME, FIELD_PRIME + 1, 2**255 - 1, 2])
def test_encodings_that_are_no_point_are_refused(y: int) -> None:
    with pytest.raises(ValueError, match="not a point"):
        x25519_public_bytes(y.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32))
def test_whatever_is_accepted_can_be_agreed_with(public_key: bytes) -> None:
    try:
        derived = x25519_public_bytes(public_key)
    except ValueError:
        return
    secret = X25519PrivateKey.from_private_bytes(bytes(range(32)))
    assert any(secret.exchange(X25519PublicKey.from_public_bytes(derived)))
