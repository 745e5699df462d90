"""The lines of the control socket: what is written is read back, and what is not a message is refused."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.control_protocol import (
    Answer,
    Ask,
    Cancel,
    Happening,
    Hello,
    Refusal,
    answer_of,
    decode_from_client,
    decode_from_session,
    decode_reply,
    decode_request,
    encode_line,
    encode_request,
    error_of,
    happening_of,
    refusal_of,
)
from blink_cli.core.api.event_content import decode_event
from blink_cli.core.api.events import PeerAppeared
from blink_cli.core.api.replies.document import Done
from blink_cli.core.api.requests import GetStatus, PlaceOffer, SetGain, SetMuted
from blink_cli.core.errors import BlinkError, DeviceError, NotFoundError, UsageError
from blink_cli.core.ids import Did

DID = Did("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")


@pytest.mark.parametrize(
    "request_", [GetStatus(), PlaceOffer(peers=("bob", DID), wait_s=1.5), SetGain(peer="b", gain_db=-6)]
)
def test_a_request_arrives_as_it_was_sent(request_: GetStatus | PlaceOffer | SetGain) -> None:
    asked = decode_from_client(encode_request(7, request_))

    assert isinstance(asked, Ask)
    assert asked.id == 7
    assert decode_request(asked.request) == request_


@pytest.mark.parametrize(
    "message",
    [
        Hello(version="1", profile="alice", did=DID, pid=1),
        answer_of(1, Done()),
        happening_of(PeerAppeared(did=DID, nickname="bob")),
        refusal_of(None, DeviceError("broken", hint="mend it")),
    ],
)
def test_what_a_session_says_arrives(message: Hello | Answer | Happening | Refusal) -> None:
    line = encode_line(message)

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_from_session(line) == message


def test_a_reply_is_read_as_what_its_request_names() -> None:
    answer = answer_of(1, Done())

    assert decode_reply(SetMuted(muted=True), answer.reply) == Done()
    with pytest.raises(BlinkError, match=r"something else .* where Status was expected"):
        decode_reply(GetStatus(), answer.reply)


def test_an_error_keeps_its_class_sentence_and_hint() -> None:
    error = error_of(refusal_of(3, NotFoundError("No peer is called 'x'.", hint="`blink peers`")))

    assert type(error) is NotFoundError
    assert (error.message, error.hint) == ("No peer is called 'x'.", "`blink peers`")


def test_an_error_of_a_later_version_is_still_an_error() -> None:
    refusal = msgspec.structs.replace(refusal_of(3, BlinkError("new")), code="of_tomorrow")

    assert error_of(refusal).message == "new"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"status",
        b"[]",
        b"{}",
        b'{"kind":"dance"}',
        b'{"kind":"request","id":-1,"request":{}}',
        b'{"kind":"request","id":1,"request":{"type":"status"},"sudo":true}',
        b'{"kind":"request","id":1e400,"request":{}}',
        b"\xff\xfe",
    ],
)
def test_a_line_that_is_no_message_is_refused_with_an_example(line: bytes) -> None:
    with pytest.raises(UsageError) as refused:
        decode_from_client(line)

    assert refused.value.hint is not None
    assert isinstance(
        decode_from_client(refused.value.hint.removeprefix("For example `").removesuffix("`.").encode()), Ask
    )


@pytest.mark.parametrize(
    "content",
    [
        {"type": "dance"},
        {},
        {"type": "offer"},
        {"type": "offer", "peers": []},
        {"type": "offer", "peers": ["x"] * 65},
        {"type": "offer", "peers": ["bob"], "wait_s": -1},
        {"type": "gain", "peer": "bob", "gain_db": 90},
        {"type": "set_device", "direction": "sideways", "device": "x"},
        {"type": "status", "extra": 1},
        17,
    ],
)
def test_a_request_that_makes_no_sense_is_refused(content: object) -> None:
    with pytest.raises(UsageError):
        decode_request(msgspec.Raw(json.dumps(content).encode()))


def test_kinds_and_events_of_a_later_version_are_passed_over() -> None:
    assert decode_from_session(b'{"kind":"confetti"}') is None
    assert decode_event(msgspec.Raw(b'{"event":"rain_started"}')) is None
    later = msgspec.Raw(b'{"event":"peer_appeared","did":"d","nickname":"n","hat":1}')
    assert decode_event(later) == PeerAppeared(did=Did("d"), nickname="n")


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_arbitrary_bytes_are_a_message_or_a_usage_error(line: bytes) -> None:
    for decode in (decode_from_client, decode_from_session):
        try:
            decode(line)
        except UsageError:
            continue


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "kind", "id", "request", "peers", "x"]), inner)
    ),
    max_leaves=12,
)


@given(_json)
def test_arbitrary_json_is_a_request_or_a_usage_error(content: object) -> None:
    try:
        decode_request(msgspec.Raw(json.dumps(content).encode()))
    except UsageError:
        return


def test_cancelling_names_the_request() -> None:
    assert decode_from_client(encode_line(Cancel(id=4))) == Cancel(id=4)


def test_ten_thousand_brackets_are_refused_like_any_other_nonsense() -> None:
    deep = b"[" * 10_000 + b"]" * 10_000
    for line in (
        b'{"kind":"request","id":1,"request":' + deep + b"}",
        b'{"kind":"request","id":1,"request":' + deep,
        deep,
    ):
        with pytest.raises(UsageError):
            decode_request(asked.request) if isinstance(asked := decode_from_client(line), Ask) else None
    with pytest.raises(UsageError):
        decode_from_session(b'{"kind":"reply","id":1,"later":' + deep + b"}")
