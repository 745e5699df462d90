"""What the process that works on recordings is asked, and what it says."""

from typing import Literal, TypeAlias

import msgspec

from blink_cli.core.api.replies.recordings import RecordingFiles


class RepairJob(msgspec.Struct, frozen=True, tag="repair"):
    """Finish a leftover."""

    path: str
    token: str
    """Names of files that are not whole yet begin with `.blink-` and this."""


class ExportJob(msgspec.Struct, frozen=True, tag="export"):
    """Make sound files."""

    path: str
    token: str
    formats: tuple[str, ...]
    folder: str | None


Job: TypeAlias = RepairJob | ExportJob


class Advanced(msgspec.Struct, frozen=True, tag="advanced"):
    """How far it is, 0 to 1."""

    done: float


class Made(msgspec.Struct, frozen=True, tag="made"):
    """All went well."""

    files: RecordingFiles


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """An error for the user."""

    code: str
    message: str
    hint: str | None


class Exceeded(msgspec.Struct, frozen=True, tag="exceeded"):
    """A limit was met."""

    what: Literal["memory"]


Said: TypeAlias = Advanced | Made | Failed | Exceeded
