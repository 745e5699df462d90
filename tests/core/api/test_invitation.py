"""An invitation is one line: what was told comes out again, what was cut or changed is known, and nothing that somebody makes up gets further than an error."""

import base64
from contextlib import suppress
from hashlib import blake2b

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.invitation import (
    SCHEME,
    Invitation,
    check_text,
    qr_text,
    read_invitation,
    write_invitation,
)
from blink_cli.core.api.invitation_code import CODE_SCHEME, MOST_BYTES, bytes_of, code_of
from blink_cli.core.api.signal_server import parse_signal_server
from blink_cli.core.errors import UsageError, WireError
from blink_cli.core.identity.did import did_of

pytestmark = pytest.mark.no_clock

SERVERS = tuple(
    parse_signal_server(url)
    for url in ("tls://broker.example.org", "nats://anna:a%40b@192.0.2.7:4222", "tls://[2001:db8::7]:443")
)
ANNA = did_of(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
WHOLE = Invitation(ANNA, "Anna Bräuer", SERVERS, b"\x30\x82 a certificate", "SUAIBDPBAUTW")


@given(
    st.builds(
        Invitation,
        st.just(ANNA) | st.none(),
        st.sampled_from(["", "bob", "Zoë"]),
        st.lists(st.sampled_from(SERVERS), min_size=1, max_size=16).map(tuple),
        st.none() | st.binary(max_size=600),
        st.none() | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", max_size=58),
    )
)
def test_what_was_told_comes_out_again(invitation: Invitation) -> None:
    line = write_invitation(invitation)
    assert set(line) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:")
    assert read_invitation(line) == invitation
    code = qr_text(line)
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:"), "a QR code holds most of these"
    assert read_invitation(code) == invitation
    assert check_text(code) == check_text(line)


def test_every_cut_and_every_changed_letter_of_a_code_is_known() -> None:
    code = qr_text(write_invitation(WHOLE))
    start = len(CODE_SCHEME)
    for length in range(start, len(code)):
        with pytest.raises(UsageError):
            read_invitation(code[:length])
    passed = 0
    for at in range(start, len(code)):
        changed = code[:at] + ("A" if code[at] != "A" else "B") + code[at + 1 :]
        with suppress(UsageError):
            assert read_invitation(changed) == WHOLE, "bits that say nothing: behind the last byte"
            passed += 1
    assert passed <= 3


def test_a_code_inflates_to_no_more_than_an_invitation() -> None:
    with pytest.raises(WireError):
        bytes_of(code_of(bytes(MOST_BYTES + 1)))
    assert bytes_of(code_of(bytes(MOST_BYTES))) == bytes(MOST_BYTES)


def test_the_dictionary_of_codes_is_as_it_was() -> None:
    code = "BLINK-JOIN:ANU3WHRVQOYWSI6X62V557ZOT5GGDN7CPNMPJ6OWGJS5L5KMKIM57WIDUXLDRZXFEUVDQFI5LZJJUWRUPEXV4O3OFJAG2SIE5KYUUVBVGFEHEMFUGTJDHUBT2IZQPK6YB3IR63LEMBQGRFMSMRQWKZI6NNSWEYT4ITAKASJBKEQTTNNIEQZS2MZZWESHKDOQPWPE4LQBJ2HKCIPBB7PF6TACAA"
    assert read_invitation(code) == WHOLE


def test_a_mail_program_may_break_the_line() -> None:
    line = write_invitation(WHOLE)
    broken = "\n  ".join(line[start : start + 70] for start in range(0, len(line), 70)) + "\r\n"
    assert read_invitation(broken) == WHOLE
    assert check_text(broken) == check_text(line)


def test_every_cut_and_every_changed_letter_is_known() -> None:
    line = write_invitation(WHOLE)
    for length in range(len(SCHEME), len(line)):
        with pytest.raises(UsageError, match="cut or changed"):
            read_invitation(line[:length])
    for place in range(len(SCHEME), len(line)):
        changed = line[:place] + ("A" if line[place] != "A" else "B") + line[place + 1 :]
        with pytest.raises(UsageError):
            read_invitation(changed)


@pytest.mark.parametrize(
    "content",
    [
        b"\x91" * 5000 + b"\x01",
        msgspec.msgpack.encode([2, None, "", ["nats://h"], None, None]),
        msgspec.msgpack.encode([1, b"short", "", ["nats://h"], None, None]),
        msgspec.msgpack.encode([1, None, "", [], None, None]),
        msgspec.msgpack.encode([1, None, "", ["nats://h"] * 17, None, None]),
        msgspec.msgpack.encode([1, None, "", ["nats://h"], b"c" * 5000, None]),
        msgspec.msgpack.encode([1, None, "", ["ftp://h"], None, None]),
        msgspec.msgpack.encode({"version": 1}),
        b"\xc1",
    ],
)
def test_what_nobody_of_us_wrote_is_refused(content: bytes) -> None:
    check = blake2b(content, digest_size=4, person=b"blink-invite").digest()
    with pytest.raises(UsageError):
        read_invitation(SCHEME + base64.urlsafe_b64encode(content + check).decode().rstrip("="))


@pytest.mark.parametrize(
    "text", ["", "hello", "https://example.org", SCHEME, SCHEME + "A" * 9000, SCHEME + "ä"]
)
def test_what_is_none_is_told_with_what_it_looks_like(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_invitation(text)
    assert "`blink invite`" in str(refused.value.hint)


def test_secrets_do_not_show_in_its_repr() -> None:
    assert "SUAIBD" not in repr(WHOLE)
    assert "a%40b" not in repr(WHOLE)
