"""Only who a message is sealed to opens it, and only where it was sealed for."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.identity.identity import Identity
from blink_cli.core.signaling.prekeys import OwnPrekeys
from blink_cli.core.signaling.sealing import (
    FIRST_WORDS_OVERHEAD_BYTES,
    PEER_OVERHEAD_BYTES,
    UnknownPrekeyError,
    open_to_peer,
    seal_to_peer,
)

ANNA, BOB = Identity(b"a" * 32), Identity(b"b" * 32)
SCOPE, OTHER_SCOPE = b"s" * 32, b"t" * 32


def prekeys(name: str) -> OwnPrekeys:
    return OwnPrekeys(Random(name).randbytes)


BOBS, OTHER_BOBS, ANNAS = prekeys("bob"), prekeys("bob's other session"), prekeys("anna")
TO_BOB = (BOBS.tell(0.0).public_key,)
TO_BOTH = (*TO_BOB, OTHER_BOBS.tell(0.0).public_key)


@given(st.binary(max_size=2_000))
def test_the_peer_opens_what_is_sealed_to_it(plaintext: bytes) -> None:
    sealed = seal_to_peer(plaintext, BOB.public_key, SCOPE, TO_BOB)
    assert len(sealed) == len(plaintext) + PEER_OVERHEAD_BYTES
    opened = open_to_peer(sealed, BOB.agreement_key, SCOPE, BOBS.secrets(1.0))
    assert (opened.plaintext, opened.to_prekey) == (plaintext, True)


def test_first_words_need_no_prekey_and_are_told_apart() -> None:
    sealed = seal_to_peer(b"here", BOB.public_key, SCOPE)
    assert len(sealed) == 4 + FIRST_WORDS_OVERHEAD_BYTES
    opened = open_to_peer(sealed, BOB.agreement_key, SCOPE, BOBS.secrets(1.0))
    assert (opened.plaintext, opened.to_prekey) == (b"here", False)


@pytest.mark.parametrize("session", [BOBS, OTHER_BOBS])
def test_each_session_of_an_identity_opens_what_is_sealed_to_all(session: OwnPrekeys) -> None:
    sealed = seal_to_peer(b"come", BOB.public_key, SCOPE, TO_BOTH)
    assert open_to_peer(sealed, BOB.agreement_key, SCOPE, session.secrets(1.0)).plaintext == b"come"


@pytest.mark.parametrize("to", [TO_BOB, TO_BOTH])
def test_it_takes_the_long_term_secret_and_a_prekeys(to: tuple[bytes, ...]) -> None:
    sealed = seal_to_peer(b"come", BOB.public_key, SCOPE, to)
    # Who stole the identity, or the session after it forgot the prekey.
    with pytest.raises(UnknownPrekeyError):
        open_to_peer(sealed, BOB.agreement_key, SCOPE, prekeys("later").secrets(1.0))
    with pytest.raises(WireError):  # who stole the prekey alone
        open_to_peer(sealed, ANNA.agreement_key, SCOPE, BOBS.secrets(1.0))
    # nor does it help to take the hint of another session's prekey, or to say that there is none
    thief = ANNAS.secrets(1.0)
    for spoilt in (sealed[:32] + b"\x00" + sealed[41:], sealed[:32] + b"\x00" + sealed[33:]):
        with pytest.raises(WireError):
            open_to_peer(spoilt, BOB.agreement_key, SCOPE, thief)


@pytest.mark.parametrize("to", [(), TO_BOB])
def test_nobody_else_opens_what_is_sealed_to_a_peer(to: tuple[bytes, ...]) -> None:
    sealed = seal_to_peer(b"come", BOB.public_key, SCOPE, to)
    with pytest.raises(WireError):
        open_to_peer(sealed, ANNA.agreement_key, SCOPE, ANNAS.secrets(1.0))
    with pytest.raises(WireError):
        open_to_peer(sealed, BOB.agreement_key, OTHER_SCOPE, BOBS.secrets(1.0))


@given(st.data())
def test_one_changed_bit_spoils_it(data: st.DataObject) -> None:
    def changed(sealed: bytes) -> bytes:
        place = data.draw(st.integers(0, 8 * len(sealed) - 1))
        spoilt = bytearray(sealed)
        spoilt[place // 8] ^= 1 << place % 8
        return bytes(spoilt)

    # X25519 ignores the top bit of a key (RFC 7748, section 5), but the key is bound to the bytes as they were sent.
    for to in ((), TO_BOB):
        sealed = seal_to_peer(b"come", BOB.public_key, SCOPE, to)
        with pytest.raises(WireError):
            open_to_peer(changed(sealed), BOB.agreement_key, SCOPE, BOBS.secrets(1.0))


@given(st.binary(max_size=200))
def test_garbage_is_a_wire_error_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(WireError):
        open_to_peer(garbage, BOB.agreement_key, SCOPE, BOBS.secrets(1.0))
