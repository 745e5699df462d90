"""From what a user types to the one peer that it can mean."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blink_cli.core.address_book import name_of, resolve
from blink_cli.core.did import did_of
from blink_cli.core.errors import NotFoundError

ANN, BEA, CAL = (did_of(bytes([number]) * 32) for number in range(1, 4))


def test_a_petname_wins_over_a_claim() -> None:
    assert resolve("bob", {"bob": ANN}, {BEA: "bob"}) == ANN


def test_a_claim_that_one_peer_makes_means_that_peer() -> None:
    assert resolve("bob", {}, {BEA: "bob", CAL: "carol"}) == BEA
    assert resolve("BOB", {}, {BEA: "Bob"}) == BEA


def test_a_claim_that_two_peers_make_is_refused_showing_both() -> None:
    with pytest.raises(NotFoundError) as caught:
        resolve("bob", {}, {BEA: "bob", CAL: "Bob"})
    assert BEA in caught.value.message
    assert CAL in caught.value.message
    assert caught.value.hint is not None


def test_a_contact_is_called_by_its_petname_and_not_by_its_claim() -> None:
    with pytest.raises(NotFoundError):
        resolve("bob", {"annie": ANN}, {ANN: "bob"})


def test_a_beginning_that_fits_one_only_is_enough() -> None:
    assert resolve("car", {}, {BEA: "bob", CAL: "carol"}) == CAL
    assert resolve("bo", {"boris": ANN}, {BEA: "bob"}) == ANN
    with pytest.raises(NotFoundError):
        resolve("ca", {}, {BEA: "cathy", CAL: "carol"})
    with pytest.raises(NotFoundError):
        resolve("c", {}, {CAL: "carol"})


def test_a_whole_did_needs_nobody_to_be_known() -> None:
    stranger = did_of(Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw())
    assert resolve(stranger, {}, {}) == stranger


def test_a_beginning_of_a_did_must_fit_one_that_is_known() -> None:
    longest = max(len(_common(ANN, other)) for other in (BEA, CAL)) + 1
    assert resolve(ANN[:longest], {"ann": ANN}, {BEA: "", CAL: "c"}) == ANN
    with pytest.raises(NotFoundError, match="several peers"):
        resolve("did:key:z6Mk", {"ann": ANN}, {BEA: "bea"})
    with pytest.raises(NotFoundError, match="neither a whole DID"):
        resolve("did:key:z6MkZZZZZZ", {"ann": ANN}, {})


def test_nobody_of_that_name_is_said_with_a_hint() -> None:
    with pytest.raises(NotFoundError, match="No peer called 'zoe'") as caught:
        resolve(" zoe ", {}, {BEA: "bob"})
    assert caught.value.hint is not None


def test_a_peer_is_shown_by_petname_claim_or_the_end_of_its_did() -> None:
    assert name_of(ANN, {"annie": ANN}, {ANN: "x"}) == "annie"
    assert name_of(BEA, {}, {BEA: "bob"}) == "bob"
    assert name_of(CAL, {}, {}) == f"…{CAL[-6:]}"


def test_nobody_passes_for_a_contact_or_for_another_claimant() -> None:
    assert name_of(BEA, {"bob": ANN}, {BEA: "Bob"}) == f"Bob (…{BEA[-6:]})"
    assert name_of(BEA, {}, {BEA: "bob", CAL: "BOB"}) == f"bob (…{BEA[-6:]})"


def _common(one: str, other: str) -> str:
    length = next((i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), len(one))
    return one[:length]
