"""From what a user types to the one peer that it can mean."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blink_cli.core.api import address_book
from blink_cli.core.api.address_book import Names, Petnames
from blink_cli.core.errors import NotFoundError
from blink_cli.core.identity.did import did_of
from blink_cli.core.ids import Did

ANN, BEA, CAL = (did_of(bytes([number]) * 32) for number in range(1, 4))


def resolve(
    name: str,
    contacts: Mapping[str, Did],
    claims: Mapping[Did, str],
    own: str = "",
    rather: AbstractSet[Did] = frozenset(),
) -> Did:
    return address_book.resolve(name, Petnames(contacts), claims, own=own, rather=rather)


def name_of(did: Did, contacts: Mapping[str, Did], claims: Mapping[Did, str], own: str = "") -> str:
    return Names(Petnames(contacts), claims, own).name_of(did)


def test_ones_own_nickname_is_nobody_to_call() -> None:
    with pytest.raises(NotFoundError, match=r"^'Anna' is you"):
        resolve("anna", {}, {BEA: "bob"}, own="Anna")
    assert resolve("anna", {}, {BEA: "anna"}, own="Anna") == BEA, "another of that name is called"


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


def test_a_did_means_its_peer_as_tables_shorten_it() -> None:
    claims = {ANN: "anna", BEA: "anna", CAL: ""}
    for did in claims:
        key = did.removeprefix("did:key:")
        assert resolve(f"{key[:12]}…", {}, claims) == did
        assert resolve(key[:16], {}, claims) == did
        assert resolve(f"{did[:20]}…", {}, claims) == did
        assert resolve(name_of(did, {}, claims), {}, claims) == did
        assert resolve(f"…{did[-6:]}", {}, claims) == did
        assert resolve(f"...{did[-6:]}", {}, claims) == did
        assert resolve(f"anna (...{did[-6:]})", {}, claims) == did
    twin = Did(f"{CAL[:20]}{'x' * 30}{ANN[-6:]}")
    with pytest.raises(NotFoundError, match="could be several"):
        resolve(f"…{ANN[-6:]}", {}, {**claims, twin: "dan"})


def test_the_only_one_in_the_call_is_meant_before_strangers_of_the_same_name() -> None:
    claims = {ANN: "anna", BEA: "Anna", CAL: "annabel"}
    assert resolve("anna", {}, claims, rather={ANN, CAL}) == ANN
    assert resolve("ann", {}, claims, rather={BEA}) == BEA
    for several in ({ANN, BEA}, {CAL}, set[Did]()):
        with pytest.raises(NotFoundError, match="could be several"):
            resolve("anna", {}, claims, rather=several)


def test_who_is_in_the_call_cannot_pass_for_a_contact_or_for_a_stranger_who_looks_alike() -> None:
    assert resolve("anna", {"anna": CAL}, {ANN: "anna"}, rather={ANN}) == CAL
    with pytest.raises(NotFoundError, match="could be several"):
        resolve(CYRILLIC_ANNA, {"anna": CAL}, {ANN: CYRILLIC_ANNA}, rather={ANN})
    with pytest.raises(NotFoundError, match="could be several"):
        resolve("anna", {}, {ANN: CYRILLIC_ANNA, BEA: "anna"}, rather={ANN})


def test_a_peer_cannot_pass_for_another_by_a_name_like_its_did() -> None:
    shown = f"{ANN.removeprefix('did:key:')[:12]}…"
    assert resolve(shown, {}, {ANN: "anna", BEA: shown}) == ANN
    assert resolve(shown, {shown: CAL}, {ANN: "anna"}) == CAL


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


CYRILLIC_ANNA = "\u0430nna"


@pytest.mark.parametrize("claim", [CYRILLIC_ANNA, "ANNA", "an na", "an\u00adna"])
def test_who_looks_like_a_contact_is_shown_with_the_end_of_its_did(claim: str) -> None:
    assert name_of(BEA, {"anna": ANN}, {BEA: claim}) == f"{claim} (…{BEA[-6:]})"
    assert name_of(ANN, {"anna": ANN}, {BEA: claim}) == "anna"


def test_who_looks_like_another_or_like_this_session_is_shown_so_too() -> None:
    claims = {BEA: "anna", CAL: CYRILLIC_ANNA}
    assert [name_of(did, {}, claims) for did in claims] == [f"{claims[did]} (…{did[-6:]})" for did in claims]
    assert name_of(BEA, {}, {BEA: CYRILLIC_ANNA}, own="anna") == f"{CYRILLIC_ANNA} (…{BEA[-6:]})"
    assert name_of(BEA, {}, {BEA: "anna"}, own="bob") == "anna"


def test_what_is_added_to_names_here_cannot_be_part_of_a_claim() -> None:
    for claim in (
        f"anna (…{ANN[-6:]})",
        "anna (contact)",
        "anna (you)",
        "anna \uff08contact\uff09",
        "z6MkpTHR8VNs",
        f"…{ANN[-6:]}",
    ):
        assert name_of(BEA, {}, {BEA: claim}) == f"{claim} (…{BEA[-6:]})"


def test_a_name_that_looks_like_anothers_is_refused_showing_both() -> None:
    for wanted, contacts, claims in (
        (CYRILLIC_ANNA, {"anna": CAL}, {BEA: CYRILLIC_ANNA}),
        ("anna", {}, {BEA: "anna", CAL: CYRILLIC_ANNA}),
        (CYRILLIC_ANNA[:3], {"anna": CAL}, {BEA: CYRILLIC_ANNA}),
    ):
        with pytest.raises(NotFoundError, match="several peers") as caught:
            resolve(wanted, contacts, claims)
        assert BEA in caught.value.message
        assert CAL in caught.value.message
    assert resolve("anna", {"anna": CAL}, {BEA: CYRILLIC_ANNA}) == CAL
    assert resolve(BEA, {"anna": CAL}, {BEA: CYRILLIC_ANNA}) == BEA
