"""Prekeys change and are forgotten; those of peers are remembered one for each session, and not for ever."""

from random import Random

from blink_cli.core.signaling.prekeys import (
    CHANGE_S,
    KEEP_S,
    MAX_PEERS,
    MAX_SESSIONS,
    OTHER_SESSION_S,
    OwnPrekeys,
    PeerPrekeys,
    Prekey,
)
from blink_cli.core.signaling.sender_class import SenderClass


def own(seed: int = 1) -> OwnPrekeys:
    return OwnPrekeys(Random(seed).randbytes)


def peers(**classes: SenderClass) -> PeerPrekeys:
    return PeerPrekeys(lambda peer: classes.get(peer.decode(), SenderClass.STRANGER))


def prekey(number: int, valid_s: int = 3_600) -> Prekey:
    return Prekey(bytes([number]) * 32, valid_s)


def test_a_prekey_stays_for_an_hour_and_opens_for_a_while_longer_as_it_is_told() -> None:
    keys = own()
    first = keys.tell(10.0)
    last = keys.tell(10.0 + CHANGE_S - 1)
    assert last.public_key == first.public_key
    assert first.valid_s == CHANGE_S + KEEP_S
    assert last.valid_s == KEEP_S + 1
    second = keys.tell(10.0 + CHANGE_S)
    assert second.public_key != first.public_key
    assert keys.next_due_s() == 10.0 + CHANGE_S + KEEP_S
    opening = [secret.public_key for secret in keys.secrets(10.0 + CHANGE_S + KEEP_S - 1)]
    assert opening == [second.public_key, first.public_key]
    assert [secret.public_key for secret in keys.secrets(10.0 + CHANGE_S + KEEP_S)] == [second.public_key]
    assert keys.next_due_s() is None


def test_a_session_that_slept_for_days_forgets_its_prekey_when_it_is_due() -> None:
    keys = own()
    first = keys.tell(0.0).public_key
    slept_s = 3 * 86_400.0
    assert [secret.public_key for secret in keys.secrets(slept_s)].count(first) == 1
    assert first not in [secret.public_key for secret in keys.secrets(slept_s + KEEP_S)]


def test_a_secret_does_not_show() -> None:
    keys = own()
    keys.tell(0.0)
    (secret,) = keys.secrets(0.0)
    assert repr(secret) == "PrekeySecret(…)"


def test_each_session_of_a_peer_is_sealed_to_until_it_is_silent() -> None:
    known = peers()
    assert known.of(b"bob", 0.0) == ()
    assert known.learn(b"bob", prekey(1), 0.0)
    assert known.learn(b"bob", prekey(2), 1.0)
    assert not known.learn(b"bob", prekey(1), 2.0)
    assert set(known.of(b"bob", 3.0)) == {prekey(1).public_key, prekey(2).public_key}
    assert known.learn(b"bob", prekey(1), 1.0 + OTHER_SESSION_S + 0.1)
    assert known.of(b"bob", 20.0) == (prekey(1).public_key,)


def test_a_prekey_is_used_no_longer_than_its_owner_said() -> None:
    known = peers()
    known.learn(b"bob", prekey(1, valid_s=100), 0.0)
    assert known.of(b"bob", 99.0)
    assert known.of(b"bob", 100.0) == ()


def test_a_prekey_that_was_told_just_now_is_not_asked_for() -> None:
    known = peers()
    assert known.is_doubtful(b"bob", 0.0)
    known.learn(b"bob", prekey(1), 0.0)
    assert not known.is_doubtful(b"bob", 1.9)
    assert known.is_doubtful(b"bob", 2.1)


def test_a_key_for_which_everybody_knows_the_secret_is_not_believed() -> None:
    known = peers()
    for encoded in (0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255):
        assert not known.learn(b"bob", Prekey(encoded.to_bytes(32, "little"), 3_600), 0.0)
    assert known.of(b"bob", 0.0) == ()


def test_what_is_kept_is_bounded_and_strangers_go_first() -> None:
    known = peers(anna=SenderClass.CONTACT, carl=SenderClass.INVITED)
    known.learn(b"anna", prekey(1), 0.0)
    known.learn(b"carl", prekey(1), 0.0)
    for number in range(2 * MAX_PEERS):
        known.learn(b"stranger %d" % number, prekey(2), 0.0)
    assert known.of(b"anna", 1.0)
    assert known.of(b"carl", 1.0)
    assert not known.of(b"stranger 0", 1.0)
    for number in range(1, 100):
        known.learn(b"anna", prekey(number), 0.0)
    assert len(known.of(b"anna", 1.0)) == MAX_SESSIONS
