"""Only who a message is sealed to opens it, and only where it was sealed for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.identity import Identity
from blink_cli.core.sealing import (
    CALL_OVERHEAD_BYTES,
    PEER_OVERHEAD_BYTES,
    open_to_call,
    open_to_peer,
    seal_to_call,
    seal_to_peer,
)

ANNA, BOB = Identity(b"a" * 32), Identity(b"b" * 32)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
SCOPE, OTHER_SCOPE = b"s" * 32, b"t" * 32


@given(st.binary(max_size=2_000))
def test_the_peer_opens_what_is_sealed_to_it(plaintext: bytes) -> None:
    sealed = seal_to_peer(plaintext, BOB.public_key, SCOPE)
    assert len(sealed) == len(plaintext) + PEER_OVERHEAD_BYTES
    assert open_to_peer(sealed, BOB.agreement_key, SCOPE) == plaintext


@given(st.binary(max_size=2_000))
def test_who_holds_the_group_key_opens_what_is_sealed_to_the_call(plaintext: bytes) -> None:
    sealed = seal_to_call(plaintext, KEY, SCOPE)
    assert len(sealed) == len(plaintext) + CALL_OVERHEAD_BYTES
    assert open_to_call(sealed, KEY, SCOPE) == plaintext


def test_nobody_else_opens_what_is_sealed_to_a_peer() -> None:
    sealed = seal_to_peer(b"come", BOB.public_key, SCOPE)
    with pytest.raises(WireError):
        open_to_peer(sealed, ANNA.agreement_key, SCOPE)
    with pytest.raises(WireError):
        open_to_peer(sealed, BOB.agreement_key, OTHER_SCOPE)


def test_nobody_else_opens_what_is_sealed_to_a_call() -> None:
    sealed = seal_to_call(b"here", KEY, SCOPE)
    with pytest.raises(WireError):
        open_to_call(sealed, OTHER_KEY, SCOPE)
    with pytest.raises(WireError):
        open_to_call(sealed, KEY, OTHER_SCOPE)


@given(st.data())
def test_one_changed_bit_spoils_it(data: st.DataObject) -> None:
    def changed(sealed: bytes) -> bytes:
        place = data.draw(st.integers(0, 8 * len(sealed) - 1))
        spoilt = bytearray(sealed)
        spoilt[place // 8] ^= 1 << place % 8
        return bytes(spoilt)

    # X25519 ignores the top bit of a key (RFC 7748, section 5), but HPKE binds the bytes as they were sent.
    with pytest.raises(WireError):
        open_to_peer(changed(seal_to_peer(b"come", BOB.public_key, SCOPE)), BOB.agreement_key, SCOPE)
    with pytest.raises(WireError):
        open_to_call(changed(seal_to_call(b"come", KEY, SCOPE)), KEY, SCOPE)


@given(st.binary(max_size=200))
def test_garbage_is_a_wire_error_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(WireError):
        open_to_peer(garbage, BOB.agreement_key, SCOPE)
    with pytest.raises(WireError):
        open_to_call(garbage, KEY, SCOPE)
