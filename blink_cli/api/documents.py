"""What `--json` prints: replies and events as they stand on the control socket, less the tag that only the socket needs; and what commands say of themselves."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.core.api.replies.impairment import ImpairmentState
from blink_cli.core.api.replies.peers import Peers
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.reply import Reply
from blink_cli.core.text.utc_text import utc_text

if TYPE_CHECKING:
    from blink_cli.core.api.events import Event


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What a command prints that asks no session, or adds to what it is told. Fields are promises to scripts."""

    schema: int = SCHEMA


class OwnIdentity(Document, frozen=True, kw_only=True):
    """Who this profile is."""

    profile: str
    did: str
    nickname: str
    folder: str
    """Where its key, contacts and settings are."""


class ContactRow(msgspec.Struct, frozen=True):
    """One contact."""

    nickname: str
    did: str


class ContactList(Document, frozen=True, kw_only=True):
    """The contacts of this profile."""

    contacts: tuple[ContactRow, ...]


class ContactChanged(Document, frozen=True, kw_only=True):
    """A contact was added or removed."""

    ok: bool = True
    nickname: str
    did: str


class InvitationShown(Document, frozen=True, kw_only=True):
    """An invitation, to be given to somebody."""

    invitation: str
    """One line, as `blink join` takes it. Where servers have credentials it holds them: it is a password."""

    check: str
    """What two people can compare: the same line has the same one."""

    did: str | None
    """Who invites; null: a broker alone."""

    nickname: str | None
    servers: tuple[str, ...]


class Joined(Document, frozen=True, kw_only=True):
    """An invitation was taken, or its servers are forgotten."""

    ok: bool = True
    check: str | None
    """What two people compare; null where servers were forgotten, and no invitation was taken."""

    did: str | None
    nickname: str | None
    """What its sender is called here."""

    servers: tuple[str, ...]
    """That sessions of this profile use from now on."""


class BrokerMade(Document, frozen=True, kw_only=True):
    """A broker's folder was made."""

    folder: str
    hosts: tuple[str, ...]
    """Names and addresses by which members reach it; its certificate is valid for these."""

    port: int
    invitation: str
    check: str


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """An audio device."""

    name: str
    """As `--input`, `--output`, `set-input` and `set-output` take it."""

    host_api: str
    """Who speaks to it: the sound server, PortAudio's host API, or `blink` for virtual ones."""

    inputs: int
    """Channels that it can capture; 0 when it is no input."""

    outputs: int
    """Channels that it can play; 0 when it is no output."""

    default_input: bool
    default_output: bool
    sample_rate: float
    """Its preferred one, in Hz."""

    description: str | None = None
    """What people call it, where that differs from its name."""

    monitor: bool = False
    """It hears what a sink of the sound server plays, and is no microphone."""

    virtual: bool
    """It needs no sound system."""


class DeviceList(Document, frozen=True, kw_only=True):
    """The audio devices."""

    devices: tuple[DeviceRow, ...]
    hint: str | None
    """What to do when the system's cannot be listed, or there are none."""


class ListedCamera(msgspec.Struct, frozen=True, kw_only=True):
    """A camera."""

    name: str
    """As `set-camera` takes it."""

    description: str | None
    virtual: bool
    """It needs no hardware."""


class CameraList(Document, frozen=True, kw_only=True):
    """The cameras."""

    cameras: tuple[ListedCamera, ...]
    hint: str | None
    """What to know when there are none of the system."""


class DeviceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How a device is opened."""

    name: str
    sample_rate: int
    channels: int
    virtual: bool


class DeviceCan(msgspec.Struct, frozen=True, kw_only=True):
    """What one direction of a system's device can do."""

    name: str
    description: str | None
    host_api: str
    direction: str
    """input or output"""

    default: bool
    """What `default` means in this direction."""

    monitor: bool
    """It hears what a sink of the sound server plays, and is no microphone."""

    rates: tuple[int, ...]
    """Of the usual ones those that it can be opened with, in Hz."""

    channels: tuple[int, ...]
    """Counts that it can be opened with: of PortAudio's one, two and its most; of the sound server's 1 to 32."""

    sample_types: tuple[str, ...]
    """Of int16, int24, int32 and float32."""

    preferred_rate: int
    """What it runs at by itself; at other rates somebody converts."""

    preferred_channels: int
    preferred_type: str | None
    """Null where the system does not tell."""

    converts: bool
    """The sound server converts rates, channels and types: it takes them all."""

    latency_low_ms: float | None
    """What PortAudio calls suitable for interaction; null of the server's."""

    latency_high_ms: float | None
    latency_now_ms: float | None
    """What the sound server runs it with now; null where it does not run, or is not the server's."""


class DeviceConfigs(Document, frozen=True, kw_only=True):
    """How both chosen devices are opened, and what the system's devices can do."""

    input: DeviceConfig | None
    """Null where another device was named."""

    output: DeviceConfig | None
    devices: tuple[DeviceCan, ...]
    """All of the system, or the one that was named."""

    hint: str | None
    """What to do when the system's devices cannot be asked."""


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one check of `doctor` found."""

    name: str
    """Of the check; where it looks at several things of a kind, with a colon and which one: `multicast:eth0`."""

    ok: bool | None
    """Whether it is as it should be; false: calls suffer from it; null: could be better, or could not be found out."""

    level: Literal["ok", "warning", "failed", "unknown"]
    """`warning` and `unknown` are what null stands for under `ok`."""

    found: str
    remedy: str | None
    """What to do; null where nothing is to be done."""


class DoctorReport(Document, frozen=True, kw_only=True):
    """What `doctor` found. The exit code is 6 if one check failed."""

    checks: tuple[CheckRow, ...]


class AssertedFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one voice at one ear."""

    subject: str
    """`alice->bob`."""

    measured: float | bool | None
    """In the figure's base unit: shares 0 to 1, seconds, dB, bits a second; of what happens, after how many seconds, or false. Null: not measured, which never holds."""

    holds: bool


class AssertedExpectation(msgspec.Struct, frozen=True, kw_only=True):
    """One expression of `assert`."""

    text: str
    outcome: Literal["passed", "failed"]
    measured: str
    """The worst, and which directions were judged besides, for people."""

    findings: tuple[AssertedFinding, ...]
    """The worst first: what is measured and fails, what was not measured, what holds; empty where there is nobody whom it is about, and it fails."""


class AssertReport(Document, frozen=True, kw_only=True):
    """What `assert` found. The exit code is 6 if one expectation failed."""

    ok: bool
    seconds: float
    """For how long it looked."""

    expectations: tuple[AssertedExpectation, ...]
    impairment: ImpairmentState | None = None
    """What `impair` did to this session's links meanwhile: then the figures are not the network's. Null: nothing."""


class ReportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a bug report."""

    name: str
    holds: str


class NotReported(msgspec.Struct, frozen=True, kw_only=True):
    """What a bug report could have, and has not."""

    name: str
    reason: str


class BugReportWritten(Document, frozen=True, kw_only=True):
    """A bug report was written."""

    path: str
    bytes: int
    anonymous: bool
    """Whether people and addresses have stand-ins in it."""

    files: tuple[ReportedFile, ...]
    left_out: tuple[NotReported, ...]


class LogRecord(Document, frozen=True, kw_only=True):
    """One record of a session's log."""

    time: str
    """ISO 8601, UTC."""

    level: str
    """`DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`."""

    source: str
    """What said it: a part of this program, or a library."""

    message: str
    """Further lines of it, and a traceback, behind newlines."""


class LogPlace(Document, frozen=True, kw_only=True):
    """Where the log of the profile's newest session is."""

    path: str


class LogExported(Document, frozen=True, kw_only=True):
    """An RTP log was written as a packet capture."""

    path: str
    format: str
    packets: int
    pauses: int
    rows_lost: int
    """That the log says are missing: the capture shows them as loss."""

    payloads: int = 0
    """Packets with what they carried (`rtp-log start --payload`); the payloads of the others are zeros."""


class SessionReady(Document, frozen=True, kw_only=True):
    """The first line of `serve`: the session answers from now on."""

    event: Literal["ready"] = "ready"
    profile: str
    did: str
    nickname: str
    pid: int


class ProgramVersion(Document, frozen=True, kw_only=True):
    """The version of the program."""

    version: str


class SchemaList(Document, frozen=True, kw_only=True):
    """Of what `blink schema NAME` has a schema."""

    documents: tuple[str, ...]
    """Documents and events."""


def reply_document(reply: Reply) -> Any:
    """Return a reply's document: its fields with `schema` first; the bare list for peers."""
    document = msgspec.to_builtins(reply)
    if isinstance(reply, Peers):
        return document["peers"]
    del document["type"]
    return {"schema": document.pop("schema"), **document}


def event_document(event: "Event | Status", heard_at: datetime) -> dict[str, Any]:
    """Return an event's document: `schema`, `event`, `time` (ISO 8601, UTC), and its fields. The snapshot is the event `snapshot`.

    The call's id stands under `call`, as in every other document, and under `call_id`, where scripts have always found it.
    """
    fields = msgspec.to_builtins(event)
    name = "snapshot" if isinstance(event, Status) else fields.pop("event")
    for field in ("type", "schema"):
        fields.pop(field, None)
    if "call_id" in fields:
        fields = {"call": fields["call_id"], **fields}
    return {"schema": SCHEMA, "event": name, "time": utc_text(heard_at), **fields}


class LabPage(Document, frozen=True, kw_only=True):
    """A report of the laboratory was written as HTML."""

    path: str
    bytes: int
    cases: int
    sounds: int
    """That are in it."""

    sounds_left_out: int
    """For which it had no room."""

    voices_left_out: int
    """That have figures and no plots, for the same reason."""


class LabScenarioRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario of the laboratory."""

    name: str
    about: str
    cases: int
    """How many come of its matrix."""

    participants: int
    """In its largest case."""

    duration_s: float
    """Of each case."""

    expects: tuple[str, ...]


class LabScenarios(msgspec.Struct, frozen=True, kw_only=True):
    """The scenarios that come with the program."""

    schema: int = SCHEMA
    scenarios: tuple[LabScenarioRow, ...]
