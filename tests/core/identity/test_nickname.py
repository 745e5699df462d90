"""What strangers call themselves cannot fool a terminal or pretend to be a DID."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.commands.show.cells import cells, clusters
from blink_cli.core.identity.nickname import MAX_NICKNAME_CHARS, harmless_nickname, harmless_text, look_alike


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("alice", "alice"),
        ("  Anna \t Müller\n", "Anna Müller"),
        ("\x1b[31mred", "[31mred"),
        ("bob\u202egnp.exe", "bobgnp.exe"),
        ("Zoe\u0308", "Zoë"),
        ("did:key:z6Mk", ""),
        ("DID:key:z6Mk", ""),
        ("d\u0456d:key:z6Mk", ""),
        ("an\u200bn\u00ada\u2060", "anna"),
        ("anna\u3164\u2800\ufe0f", "anna"),
        ("a\u200dnna", "anna"),
        ("\u2800\u3164", ""),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f468\u200d\U0001f469\u200d\U0001f467"),
        ("\U0001f469\U0001f3fd\u200d\U0001f680 Eva", "\U0001f469\U0001f3fd\u200d\U0001f680 Eva"),
        ("\u2764\ufe0f\u200d\U0001f525", "\u2764\ufe0f\u200d\U0001f525"),
        ("1\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("1\ufe0f", "1"),
        ("x" * 200, "x" * 64),
        ("", ""),
    ],
)
def test_claims_and_what_is_shown(claim: str, shown: str) -> None:
    assert harmless_nickname(claim) == shown


@given(st.text(max_size=300))
def test_any_claim_becomes_printable_and_short_and_stays_as_it_is_then(claim: str) -> None:
    shown = harmless_nickname(claim)
    assert shown.replace("\u200d", "").isprintable()
    assert len(shown) <= MAX_NICKNAME_CHARS
    assert harmless_nickname(shown) == shown


def test_a_family_is_one_picture_of_two_cells() -> None:
    family = harmless_nickname("\U0001f468\u200d\U0001f469\u200d\U0001f467")
    assert (list(clusters(family)), cells(family)) == ([family], 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("anna", "\u0430nna"),
        ("anna", "ANNA"),
        ("anna", "an na"),
        ("anna", "an\u200bna"),
        ("anna", "\uff41\uff4e\uff4e\uff41"),
        ("anna", "\U0001d41a\U0001d427\U0001d427\U0001d41a"),
        ("Alice", "A1ice"),
        ("Alice", "AIice"),
        ("mike", "m\u0131ke"),
        ("bob", "b0b"),
        ("bob", "\u0412\u041e\u0412"),
        ("mary", "rnary"),
        ("paul", "\u0440\u0430ul"),
        ("Zoe\u0308", "Zo\u00eb"),
    ],
)
def test_names_that_look_alike(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna", "hanna"), ("anna", "\u00e1nna"), ("Zoe", "Zo\u00eb"), ("bert", "bart"), ("\u738b", "\u5f35")],
)
def test_names_that_do_not(one: str, other: str) -> None:
    assert not look_alike(one, other)


@given(st.text(max_size=100))
def test_no_character_that_moves_a_cursor_passes_any_way_to_a_screen(text: str) -> None:
    for letter in harmless_text(text, instead="?"):
        assert letter.isprintable() or letter == "\u200d"
