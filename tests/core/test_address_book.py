"""Contacts win, claims are only claims, and nobody passes for somebody else."""

import pytest

from blink_cli.core.address_book import name_of, resolve
from blink_cli.core.errors import NotFoundError
from blink_cli.core.identity import Identity

BOB, EVE, ANN = (Identity(bytes([number]) * 32).did for number in (1, 2, 3))


def test_a_petname_wins_over_what_somebody_else_calls_itself():
    assert resolve("bob", {"bob": BOB}, {EVE: "bob"}) == BOB


def test_a_name_that_two_claim_is_refused_showing_both():
    with pytest.raises(NotFoundError) as refusal:
        resolve("bob", {}, {BOB: "bob", EVE: "Bob"})
    assert BOB in refusal.value.message
    assert EVE in refusal.value.message


def test_a_prefix_of_one_name_or_did_is_enough():
    assert resolve("an", {}, {ANN: "anna", BOB: "bob"}) == ANN
    assert resolve(ANN[:-4], {}, {ANN: "anna"}) == ANN


def test_a_whole_name_is_not_ambiguous_with_a_longer_one():
    assert resolve("ann", {}, {ANN: "ann", EVE: "anna"}) == ANN


def test_a_whole_did_may_be_called_without_having_been_seen():
    assert resolve(EVE, {}, {}) == EVE


@pytest.mark.parametrize("name", ["carol", "", "did:key:z6Mk", "did:nonsense"])
def test_nobody_fits(name):
    with pytest.raises(NotFoundError):
        resolve(name, {"bob": BOB}, {BOB: "robert", ANN: "ann"})


def test_one_that_takes_a_contacts_name_is_shown_with_its_did():
    assert name_of(EVE, {"bob": BOB}, {EVE: "bob"}) == f"bob (…{EVE[-6:]})"
    assert name_of(BOB, {"bob": BOB}, {BOB: "robert"}) == "bob"
    assert name_of(ANN, {}, {}) == f"…{ANN[-6:]}"
