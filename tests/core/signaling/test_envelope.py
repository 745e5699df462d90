"""A signature holds in one place, for one recipient, once; and what is inside is bounded and strict."""

import tracemalloc
import zlib
from contextlib import suppress
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blink_cli.core.errors import WireError
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import MAX_PARTICIPANTS, CallId, Did
from blink_cli.core.media.room import MAX_URL_CHARS, RoomFeed
from blink_cli.core.signaling.envelope import (
    MAX_CONTENT_BYTES,
    ForgedError,
    OpenedEnvelope,
    _signed_bytes,
    read_envelope,
    write_envelope,
)
from blink_cli.core.signaling.signals import (
    MAX_EXCEPTIONS,
    MAX_SDP_CHARS,
    Announce,
    Leave,
    Offer,
    Out,
    PeerReception,
    PlaceLoss,
    Presence,
    RoomAnnounce,
    SessionDescription,
    Signal,
)

ANNA, BOB, CARL = Identity(b"a" * 32), Identity(b"b" * 32), Identity(b"c" * 32)
SCOPE = b"s" * 32
LEAVE = Leave(7)
CALL_ID = CallId("0123456789abcdef" * 2)


def read(encoded: bytes, *, scope: bytes = SCOPE, recipient: bytes = BOB.public_key) -> OpenedEnvelope:
    return read_envelope(encoded, scope=scope, recipient=recipient)


def write(
    signal: Signal = LEAVE, sender: Identity = ANNA, *, recipient: bytes = BOB.public_key, token: bytes = b""
) -> bytes:
    return write_envelope(
        signal, sender, scope=SCOPE, recipient=recipient, sent_ms=1_700_000_000_123, ack_token=token
    )


@pytest.mark.parametrize(
    "signal",
    [
        Leave(7),
        Presence("anna", reply_wanted=True),
        Offer(
            CALL_ID,
            bytes(32),
            tuple(Identity(bytes([n]) * 32).did for n in range(MAX_PARTICIPANTS)),
            "a" * 64,
        ),
        SessionDescription(CALL_ID, "offer", 1, 2, 3, "v=0\r\n" * (MAX_SDP_CHARS // 5)),
        Announce(
            1,
            2,
            "é" * 64,
            muted=True,
            deafened=False,
            recording=True,
            hears=tuple(
                PeerReception(Did(f"did:key:z6Mk{n:052}"), "connecting", 2**53 - 1, 1000, 65_535)
                for n in range(MAX_PARTICIPANTS)
            ),
        ),
        RoomAnnounce(
            2**53 - 1,
            2**53 - 1,
            "é" * 64,
            2**32 - 1,
            b"\x03\xff\xff" * MAX_PARTICIPANTS,
            tuple(Out(place, 2**53 - 1) for place in range(MAX_EXCEPTIONS)),
            tuple(PlaceLoss(place, 1000, 65_535) for place in range(MAX_EXCEPTIONS)),
            "w" * MAX_URL_CHARS,
            RoomFeed(2**53 - 1, b"s" * 16, 127, 127),
        ),
    ],
)
def test_the_largest_signals_pass(signal: Signal) -> None:
    opened = read(write(signal, token=b"t" * 16))
    assert opened.signal == signal
    assert opened.sender == ANNA.public_key
    assert opened.sent_ms == 1_700_000_000_123
    assert opened.ack_token == b"t" * 16


def test_a_session_description_of_random_letters_stays_in_bounds() -> None:
    letters = Random(1)
    sdp = "".join(chr(letters.randrange(0x20, 0x7F)) for _ in range(MAX_SDP_CHARS))
    signal = SessionDescription(CALL_ID, "answer", 1, 2, 3, sdp)
    assert read(write(signal)).signal == signal


def test_a_description_that_repeats_itself_fits_one_datagram() -> None:
    lines = "a=candidate:1 1 udp 2130706431 192.168.1.{0} 5{0:04} typ host\r\n"
    sdp = "".join(lines.format(n) for n in range(25))
    assert len(sdp) > 1_200
    assert len(write(SessionDescription(CALL_ID, "offer", 1, 2, 3, sdp))) < 900


def test_a_receiver_cannot_pass_a_signal_on_in_its_senders_name() -> None:
    # Bob got this from Anna, and seals it again, for Carl.
    encoded = write()
    with pytest.raises(ForgedError):
        read(encoded, recipient=CARL.public_key)
    with pytest.raises(ForgedError):
        read(encoded, scope=b"u" * 32)


@pytest.mark.parametrize("field", range(6))
def test_no_field_can_be_changed(field: int) -> None:
    parts = msgspec.msgpack.decode(write(token=b"t" * 16))
    replacements = [
        CARL.public_key,
        parts[1] + 1,
        b"u" * 16,
        True,
        msgspec.msgpack.encode(Leave(8)),
        CARL.sign(b"anything"),
    ]
    parts[field] = replacements[field]
    with pytest.raises(ForgedError):
        read(msgspec.msgpack.encode(parts))


def test_a_missing_token_is_signed_as_missing_is_not_taken_for_another() -> None:
    parts = msgspec.msgpack.decode(write(token=b"t" * 16))
    parts[2] = b""
    with pytest.raises(ForgedError):
        read(msgspec.msgpack.encode(parts))


def signed(content: bytes, *, deflated: bool = False, sender: Identity = ANNA) -> bytes:
    """A validly signed envelope of any content."""
    signature = sender.sign(_signed_bytes(SCOPE, BOB.public_key, 1, b"", content, deflated=deflated))
    return msgspec.msgpack.encode([sender.public_key, 1, b"", deflated, content, signature])


@pytest.mark.parametrize(
    ("content", "deflated"),
    [
        (b"", False),
        (b"\xc1", False),
        (msgspec.msgpack.encode(["nonsense", 1]), False),
        (msgspec.msgpack.encode(["leave", 1, 2]), False),
        (msgspec.msgpack.encode(["leave", "1"]), False),
        (msgspec.msgpack.encode(["leave", -1]), False),
        (msgspec.msgpack.encode(["leave", 2**53]), False),
        (msgspec.msgpack.encode(["leave", 7]) + b"\x00", False),
        (b"\x91" * 12_000, False),
        (b"\x92\xa2\xa2\xa2\x07", False),
        (msgspec.msgpack.encode(["presence", "XX", True]).replace(b"XX", b"\xa2\xa2"), False),
        (b"not deflated", True),
        (zlib.compress(bytes(1_000_000), 9), True),
        (zlib.compress(bytes(MAX_CONTENT_BYTES + 1)), True),
        (zlib.compress(msgspec.msgpack.encode(["leave", 7])) + b"more", True),
        (zlib.compress(msgspec.msgpack.encode(["leave", 7]))[:-1], True),
    ],
)
def test_signed_nonsense_is_refused(content: bytes, *, deflated: bool) -> None:
    with pytest.raises(WireError) as refused:
        read(signed(content, deflated=deflated))
    assert not isinstance(refused.value, ForgedError)


@pytest.mark.parametrize(
    "inside", [bytes(11_500_000), msgspec.msgpack.encode(["leave", 7]) + bytes(11_500_000)]
)
def test_a_bomb_is_not_inflated(inside: bytes) -> None:
    bomb = signed(zlib.compress(inside, 9), deflated=True)
    assert len(bomb) < MAX_CONTENT_BYTES + 200, "it is no longer than other messages"
    del inside
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="inflates to more"):
            read(bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 200_000


@pytest.mark.parametrize(
    "nobody", ["\x1b[2J\x1b[31mPWN", "did:key:z6Mk" + "1" * 44, "did:web:example.org", ANNA.did + "1"]
)
def test_an_offer_that_names_what_cannot_be_anybody_is_refused(nobody: str) -> None:
    offer = Offer(CALL_ID, bytes(32), (ANNA.did, BOB.did, Did(nobody)), "anna")
    with pytest.raises(WireError, match="who cannot be"):
        read(write(offer))


@pytest.mark.parametrize(
    "letter", ["\x00", "\x1b", "\x7f", "\x9b", "\n", "\u200b", "\u200e", "\u2028", "\u202e", "\u2066"]
)
def test_a_nickname_that_could_drive_a_terminal_is_refused_in_every_signal_that_has_one(letter: str) -> None:
    name = f"anna{letter}x"
    for signal in (
        Presence(name, reply_wanted=True),
        Offer(CALL_ID, bytes(32), (ANNA.did, BOB.did), name),
        Announce(1, 2, name, muted=False, deafened=False, recording=False, hears=()),
    ):
        with pytest.raises(WireError):
            read(write(signal))
    family = Presence("\U0001f468\u200d\U0001f469\u200d\U0001f467", reply_wanted=True)
    assert read(write(family)).signal == family


def test_too_much_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(WireError, match="too large"):
        read(bytes(20_000))


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_envelope_or_a_wire_error(encoded: bytes) -> None:
    with pytest.raises(WireError):
        read(encoded)


@settings(max_examples=200)
@given(content=st.binary(max_size=400), deflated=st.booleans())
def test_any_signed_bytes_are_a_signal_or_a_wire_error(content: bytes, *, deflated: bool) -> None:
    with suppress(WireError):
        read(signed(content, deflated=deflated))


def test_a_key_of_small_order_signs_nothing() -> None:
    # With A = the neutral element, R = B and S = 1 a careless verifier accepts every message.
    neutral = (1).to_bytes(32, "little")
    base_point = bytes.fromhex("58" + "66" * 31)
    parts = [neutral, 1, b"", False, msgspec.msgpack.encode(["leave", 7]), base_point + neutral]
    with pytest.raises(ForgedError):
        read(msgspec.msgpack.encode(parts))


def test_a_token_of_no_valid_length_is_refused() -> None:
    # What is signed has places of fixed lengths: a shorter token would let two messages have the same bytes.
    with pytest.raises(WireError, match="token"):
        read(write(token=b"short"))
