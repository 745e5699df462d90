"""What may stand in a scenario's TOML file. docs/lab.md explains each key.

Times, shares and rates are written with their units (`"1.5s"`, `"2%"`, `"32kb/s"`); a bare number is a time in seconds.
"""

from typing import Annotated, Literal

import msgspec

from blink_cli.core.media.codec_settings import Application, Bandwidth, Fec, Redundancy

Time = str | int | float
Speech = Literal["together", "turns", "scripted"]
Deed = Literal[
    "join",
    "leave",
    "mute",
    "unmute",
    "speak",
    "set-input",
    "record",
    "stop-recording",
    "camera-on",
    "camera-off",
    "set-camera",
    "stop",
    "continue",
    "kill",
    "restart",
]

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Seed = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]
People = Annotated[int, msgspec.Meta(ge=2, le=8)]


class SettingsEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How somebody's voice is encoded; what is left out is as in a session without settings."""

    bitrate: str | None = None
    frame_ms: float | None = None
    bandwidth: Bandwidth | None = None
    application: Application | None = None
    fec: Fec | None = None
    dtx: bool | None = None
    cbr: bool | None = None
    redundancy: Redundancy | None = None
    redundancy_budget: int | None = None
    complexity: int | None = None


class ParticipantEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[participant]]`."""

    name: Name
    voice: str | None = None
    """`low`, `middle` or `high`; `tone:440`; `silence`; or a sound file, beside the scenario."""

    camera: str | None = None
    """What `camera-on` turns on: `testsrc`, `file:PATH` or `image:PATH` beside the scenario, `blank`, each with options."""

    settings: SettingsEntry = SettingsEntry()

    host: str | None = None
    """Of the real engine: the machine where it runs, as `ssh` takes it. Left out: this one."""

    program: str | None = None
    """What runs `blink` there; `blink` if left out."""

    serve: tuple[str, ...] = ()
    """More options of `blink serve`, for the real engine, such as `--neighbour`."""


class StepEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"lasts": "for"}
):
    """`[[step]]`."""

    at: Time
    who: str
    """A name, or `*`."""

    do: Deed
    what: str | None = None
    """The sound of `speak` and `set-input`, named as a voice is; the camera of `set-camera`."""

    lasts: Time | None = None
    """How long `speak` speaks at most."""


class NetworkEntry(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}
):
    """`[[network]]`: from `at` on, the line from some to some is so."""

    line: str
    at: Time = 0
    source: str = "*"
    to: str = "*"


class NetworkCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of `[matrix.network]`: a line for everyone, from the beginning, and what is expected of it besides."""

    line: str
    expect: tuple[str, ...] = ()


class MatrixEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[matrix]`: a case for each combination."""

    network: dict[str, str | NetworkCase] = {}
    participants: tuple[People, ...] = ()
    voice: tuple[str, ...] = ()
    """The first participant's."""

    settings: dict[str, SettingsEntry] = {}
    """Of all who have none of their own."""

    seed: tuple[Seed, ...] = ()


class ScenarioDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file."""

    duration: Time
    expect: tuple[str, ...] = ()
    about: str = ""
    seed: Seed = 1
    speech: Speech | None = None
    """`together`: all at once, all the time. `turns`: one after the other. `scripted`: by `speak` steps alone. Left out: two speak together, more in turns."""

    turn: Time = 4
    participant: tuple[ParticipantEntry, ...] = ()
    step: tuple[StepEntry, ...] = ()
    network: tuple[NetworkEntry, ...] = ()
    matrix: MatrixEntry = MatrixEntry()
