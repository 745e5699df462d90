"""Names of peers: the did:key method's own vectors, and everything that is not such a name."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import UsageError
from blink_cli.core.identity.did import DID_PREFIX, did_of, public_key_of
from blink_cli.core.identity.identity import Identity

# Source: the did:key method specification, its test vectors for Ed25519: seeds, as numbers, and their names.
SPECIFIED = [
    (0, "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"),
    (1, "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"),
    (2, "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf"),
]


@pytest.mark.parametrize(("seed", "did"), SPECIFIED)
def test_keys_and_names_of_the_specification(seed: int, did: str) -> None:
    key = Identity(seed.to_bytes(32, "big")).public_key
    assert did_of(key) == did
    assert public_key_of(did) == key


@given(st.binary(min_size=32, max_size=32))
def test_every_identity_has_a_name_that_leads_back_to_its_key(seed: bytes) -> None:
    identity = Identity(seed)
    assert identity.did.startswith(DID_PREFIX + "6Mk")
    assert len(identity.did) == 56
    assert public_key_of(identity.did) == identity.public_key


GOOD = SPECIFIED[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        GOOD[:-1],
        GOOD + "1",
        GOOD.replace("z6Mk", "zQ3s"),
        GOOD.replace("did:key:", "did:web:"),
        GOOD[:-1] + "0",
        GOOD[:-1] + "l",
        GOOD + "#" + GOOD[8:],
        DID_PREFIX + "z" * 47,
        "did:key:z" + "6Mk" * 1000,
    ],
)
def test_what_is_no_name_of_a_key_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        public_key_of(text)
    assert refused.value.hint
    assert len(refused.value.message) < 200


def test_about_half_of_all_typing_errors_are_noticed() -> None:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    noticed = 0
    for letter in alphabet:
        try:
            public_key_of(GOOD[:-3] + letter + GOOD[-2:])
        except UsageError:
            noticed += 1
    assert 15 < noticed < 45


@given(st.text(max_size=80))
def test_any_text_is_a_name_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert len(public_key_of(text)) == 32
