"""What strangers call themselves cannot fool a terminal or pretend to be a DID."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.nickname import MAX_NICKNAME_CHARS, harmless_nickname


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        ("alice", "alice"),
        ("  Anna \t Müller\n", "Anna Müller"),
        ("\x1b[31mred", "[31mred"),
        ("bob\u202egnp.exe", "bob gnp.exe"),
        ("Zoe\u0308", "Zoë"),
        ("did:key:z6Mk", ""),
        ("x" * 200, "x" * 64),
        ("", ""),
    ],
)
def test_claims_and_what_is_shown(claim: str, shown: str) -> None:
    assert harmless_nickname(claim) == shown


@given(st.text(max_size=300))
def test_any_claim_becomes_printable_and_short_and_stays_as_it_is_then(claim: str) -> None:
    shown = harmless_nickname(claim)
    assert shown.isprintable()
    assert len(shown) <= MAX_NICKNAME_CHARS
    assert harmless_nickname(shown) == shown
