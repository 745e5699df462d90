"""The JSON Schemas that come with the program are those of its types, and what commands print is what they say."""

import json
import runpy
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

import blink_cli as blink
from blink_cli.api.schemas import PATH, json_schema, schema_names
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.lines import Lines
from blink_cli.commands.program import entry_point
from blink_cli.commands.session_sources import PresentSource
from blink_cli.core.api.events import EVENT_NAMES
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import CallId
from tests.api.validation import problems
from tests.support.scripted_session import ScriptedSession

pytestmark = pytest.mark.no_clock(sockets=True)

PRINTED = (
    ("status", "Status"),
    ("peers", "Peers"),
    ("offer bob --wait 1", "OfferPlaced"),
    ("calls", "Calls"),
    ("participants", "Participants"),
    ("rtp-stats", "RtpStatistics"),
    ("stats reset", "StatisticsReset"),
    ("assert 'loss(bob)<1%'", "AssertReport"),
    ("gain bob 3", "PeerVolumeSet"),
    ("mute", "Done"),
    ("echo-cancel off", "ProcessingSet"),
    ("set-output null", "DeviceSet"),
    ("record start .", "RecordingBegun"),
    ("record status", "RecordingStatus"),
    ("record mark here", "RecordingMarked"),
    ("record stop", "RecordingFiles"),
    ("events", "Snapshot"),
    ("ice-servers", "IceServerList"),
    ("wait call_joined", "CallJoined"),
    ("leave", "Done"),
    ("schema", "SchemaList"),
    ("version", "ProgramVersion"),
    ("codec info", "CodecInfo"),
    ("lab list", "LabScenarios"),
)


def test_the_file_is_made_of_the_types() -> None:
    script = Path(__file__).parents[2] / "scripts" / "make_schemas.py"
    text = runpy.run_path(str(script))["text"]
    assert PATH.read_text("utf-8") == text(), "run `python scripts/make_schemas.py`"


def test_each_is_a_schema_and_all_events_are_there() -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(PATH.read_bytes()))
    events = {
        json_schema(name).get("properties", {}).get("event", {}).get("const") for name in schema_names()
    }
    assert set(EVENT_NAMES) | {"snapshot"} <= events


async def test_what_commands_print_is_what_the_schemas_say(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(GlobalOptions(json=True), PresentSource(ScriptedSession()), entry_point)
    for line, name in PRINTED:
        job = lines.parsed(line)
        assert job is not None
        await job.run
        document = json.loads(capsys.readouterr().out)
        assert problems(name, document) == [], shlex.join((line,))


async def test_errors_too(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(GlobalOptions(json=True), PresentSource(ScriptedSession()), entry_point)
    job = lines.parsed("participants")
    assert job is not None
    with pytest.raises(BlinkError) as raised:
        await job.run
    job.context.output.error(raised.value)
    assert problems("Error", json.loads(capsys.readouterr().out)) == []


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("Status", {"nickname": None}),
        ("Status", {"call": 5}),
        ("Done", {"schema": 2}),
        ("Done", {"another": 1}),
    ],
)
def test_what_is_wrong_is_found(name: str, changed: dict[str, Any]) -> None:
    whole = blink.to_json(ScriptedSession().state if name == "Status" else blink.replies.Done())
    assert problems(name, whole) == []
    assert problems(name, {**whole, **changed}) != []
    assert problems(name, {key: value for key, value in whole.items() if key != "schema"}) != []


def test_a_schema_of_no_document_is_an_error_that_helps() -> None:
    with pytest.raises(blink.NotFoundError, match="Did you mean Status") as error:
        blink.json_schema("Statu")
    assert error.value.hint is not None


async def test_every_reply_and_event_of_python_has_its_schema() -> None:
    tags = {kind.__name__ for kind in (*blink.replies.Reply.__args__, *blink.events.Event.__args__)}
    assert tags <= set(schema_names())
    joined = blink.to_json(blink.events.CallJoined(call_id=CallId("c")))
    assert problems("CallJoined", joined) == []
    assert problems("Event", joined) == []
    assert msgspec.json.encode(joined)
