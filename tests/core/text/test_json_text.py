"""Any path survives JSON: of the control socket, of documents, and of the scripts that read them."""

import json
import os

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.control_protocol import (
    Ask,
    Happening,
    decode_from_client,
    decode_from_session,
    decode_request,
    encode_line,
    encode_request,
    happening_of,
)
from blink_cli.core.api.event_content import decode_event
from blink_cli.core.api.events import RtpLogStarted
from blink_cli.core.api.requests import StartRtpLog
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import CallId
from blink_cli.core.text.json_text import decode_json, encode_json

PATHS = st.binary(min_size=1, max_size=60).filter(lambda name: b"\0" not in name)


@given(PATHS)
def test_every_path_comes_back_from_a_line(name: bytes) -> None:
    path = os.fsdecode(name)
    line = encode_request(7, StartRtpLog(path=path))
    assert line.count(b"\n") == 1
    ask = decode_from_client(line)
    assert isinstance(ask, Ask)
    assert ask.id == 7
    request = decode_request(ask.request)
    assert isinstance(request, StartRtpLog)
    assert os.fsencode(request.path) == name
    told = RtpLogStarted(call_id=CallId("ab"), path=path)
    heard = decode_from_session(encode_line(happening_of(told)))
    assert isinstance(heard, Happening)
    assert decode_event(heard.event) == told
    assert os.fsencode(json.loads(encode_json({"path": path}))["path"]) == name


def test_what_is_utf8_is_written_as_ever() -> None:
    assert encode_json({"path": "/tmp/é\n🎧"}) == msgspec.json.encode({"path": "/tmp/é\n🎧"})


def read(line: bytes) -> None:
    asked = decode_from_client(line)
    assert isinstance(asked, Ask)
    decode_request(asked.request)


@pytest.mark.parametrize(
    "line",
    [
        rb'{"kind":"request","id":1,"request":{"type":"rtp_log_start","path":"/\ud83d"}}',
        rb'{"kind":"request","id":1,"request":{"type":"rtp_log_start","path":"/\udce9","path2":1}}',
        rb'{"kind":"request","id":1,"request":{"type":"rtp_log_start","path":"/\udce9\u0000"}}',
        rb'{"kind":"request","id":1,"request":{"type":"rtp_log_start","path":"/\udce9"}',
        rb'{"kind":"request","id":1,"request":{"type":"offer","peers":["\udce9"]}}',
        rb'{"kind":"request","id":"\udce9","request":{"type":"status"}}',
        rb'"\udce9"',
        b'{"kind":"request","id":1,"request":' + b"[" * 100_000 + rb'"\udce9"',
        b'{"kind":"request","id":1,"request":"\xed\xb3\xa9\\udce9"}',
    ],
)
def test_what_is_no_message_is_refused_in_words(line: bytes) -> None:
    with pytest.raises(UsageError):
        read(line)


def test_other_halves_of_pairs_are_no_text() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_json(rb'"\udce9\ud800"', msgspec.json.Decoder(str))
    with pytest.raises(msgspec.ValidationError):
        decode_json(rb'"\udce9"', msgspec.json.Decoder(int))
