"""An identity signs as RFC 8032 says, and does not show its secret."""

import pytest

from blink_cli.core.identity.identity import Identity

# Source: RFC 8032, section 7.1, test 2.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_signature_of_the_standard() -> None:
    identity = Identity(SEED)
    assert identity.public_key.hex() == PUBLIC
    assert identity.sign(b"\x72").hex() == SIGNATURE


def test_the_secret_is_not_shown() -> None:
    shown = repr(Identity(SEED)) + str(Identity(SEED))
    assert SEED.hex() not in shown
    assert repr(SEED) not in shown
    assert Identity(SEED).did in shown


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_seed_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Identity(bytes(length))
