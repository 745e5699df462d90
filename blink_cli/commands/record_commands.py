"""Commands that record the call, and that work on recordings afterwards."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk
from blink_cli.commands.documents import reply_document
from blink_cli.commands.names_shown import duration_text, printable, shown_name
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.errors import NoSessionError, UsageError
from blink_cli.core.replies import RecordingBegun, RecordingFiles, RecordingMarked, RecordingStatus
from blink_cli.core.requests import (
    GetRecording,
    MarkRecording,
    RecordingFormat,
    StartRecording,
    StopRecording,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

_BACKGROUND_NICENESS: Final = 10
"""An export can wait; a call on the same machine cannot."""

_FORMATS: Final[tuple[RecordingFormat, ...]] = get_args(RecordingFormat)
_EXPORTED: Final[tuple[RecordingFormat, ...]] = ("wav", "mix")


def complete_format(incomplete: str) -> list[str]:
    """Formats behind a comma or none."""
    return _completions(incomplete, _FORMATS)


def complete_exported(incomplete: str) -> list[str]:
    """The same of those that an export makes."""
    return _completions(incomplete, _EXPORTED)


def _completions(incomplete: str, possible: tuple[RecordingFormat, ...]) -> list[str]:
    before, _, last = incomplete.rpartition(",")
    begun = f"{before}," if before else ""
    return [begun + name for name in possible if name.startswith(last) and name not in before.split(",")]


Formats = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMATS",
        help="mp4, wav (one for each), mix; with commas.",
        autocompletion=complete_format,
    ),
]
ExportedFormats = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="FORMATS",
        help="wav (one for each), mix; with commas.",
        autocompletion=complete_exported,
    ),
]
RecordingPath = Annotated[
    Path, typer.Argument(metavar="PATH", autocompletion=complete_path, help="An MP4 that `record` wrote.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    record = typer.Typer(
        name="record",
        help="Recordings of the call: a track for each participant, in sync.",
        rich_markup_mode=None,
    )
    command(record, "start")(start)
    command(record, "stop")(stop)
    command(record, "status")(status)
    command(record, "mark")(mark)
    command(record, "repair")(repair)
    command(record, "export")(export)
    app.add_typer(record)


async def start(
    desk: Desk,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            autocompletion=complete_path,
            help="Where to; made when missing. The current directory if left out.",
        ),
    ] = None,
    *,
    formats: Formats = "mp4",
) -> None:
    """Record the current call from now on. The others are told."""
    request = StartRecording(folder=_absolute(folder or Path()), formats=_formats(formats, _FORMATS))
    reply = await desk.ask(request, RecordingBegun)
    desk.report(reply, f"recording to {printable(reply.path)}")


async def stop(desk: Desk) -> None:
    """End the recording and tell what was written."""
    _show_files(desk, await desk.ask(StopRecording(), RecordingFiles))


async def status(desk: Desk) -> None:
    """Tell what is recorded, and what was left unfinished. Works without a session too."""
    try:
        reply = await desk.ask(GetRecording(), RecordingStatus)
    except NoSessionError:
        reply = _at_rest(desk)
    if desk.output.json:
        desk.output.document(reply_document(reply))
        return
    for line in _status_lines(reply):
        desk.output.line(line)


async def mark(
    desk: Desk, words: Annotated[list[str], typer.Argument(metavar="TEXT...", help="What happened.")]
) -> None:
    """Put a marker at this moment of the recording."""
    text = " ".join(words)
    if not text.strip():
        raise UsageError(
            "A marker without a text says nothing.", hint='blink record mark "what is to be found again"'
        )
    reply = await desk.ask(MarkRecording(text=text), RecordingMarked)
    desk.report(reply, f"marked at {duration_text(reply.at_s)}")


async def repair(desk: Desk, path: RecordingPath) -> None:
    """Finish a recording whose session died. Works without a session."""
    from blink_cli.app.recording_files import repair_recording  # noqa: PLC0415 - av takes a quarter of a second
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - asyncio: `--help` needs none

    place = Path(_absolute(path))
    files = await with_progress(desk, "repairing", lambda progress: repair_recording(place, progress))
    _show_files(desk, files)


async def export(
    desk: Desk,
    path: RecordingPath,
    *,
    formats: ExportedFormats = "wav",
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", autocompletion=complete_path, help="Where to; beside the MP4 if left out."
        ),
    ] = None,
) -> None:
    """Make WAV files and a mixdown of a recording. Works without a session."""
    from blink_cli.app.recording_files import export_recording  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    wanted = _formats(formats, _EXPORTED)
    if isinstance(desk.source, ProfileSource) and hasattr(os, "nice"):
        os.nice(_BACKGROUND_NICENESS)
    place = Path(_absolute(path))
    folder = None if out is None else Path(_absolute(out))
    files = await with_progress(
        desk, "exporting", lambda progress: export_recording(place, wanted, folder, progress)
    )
    _show_files(desk, files)


def _formats(text: str, possible: tuple[RecordingFormat, ...]) -> tuple[RecordingFormat, ...]:
    """The formats of a list with commas, each once.

    Raises:
        UsageError: One does not exist.

    """
    wanted: list[RecordingFormat] = []
    for name in (part.strip() for part in text.split(",")):
        match = next((one for one in possible if one == name), None)
        if match is None:
            raise UsageError(
                f"{name!r} is not a format.", hint=f"Choose from {', '.join(possible)}, with commas between."
            )
        if match not in wanted:
            wanted.append(match)
    return tuple(wanted)


def _absolute(path: Path) -> str:
    # The session may run in another directory; and what it shows is easier to read without `..`.
    return os.path.abspath(path.expanduser())  # noqa: PTH100 - pathlib keeps `..`, or follows links


def _at_rest(desk: Desk) -> RecordingStatus:
    from blink_cli.app.recording_memory import RecordingMemory, leftover_recordings  # noqa: PLC0415 - without a session only
    from blink_cli.commands.running import profile_of  # noqa: PLC0415 - as above

    return RecordingStatus(
        recording=False, leftovers=leftover_recordings(RecordingMemory(profile_of(desk.options)))
    )


def _show_files(desk: Desk, reply: RecordingFiles) -> None:
    if desk.output.json:
        desk.output.document(reply_document(reply))
        return
    for file in reply.files:
        desk.output.line(f"{file.kind:<8} {duration_text(file.duration_s):>7}  {printable(file.path)}")
    if reply.warning is not None:
        desk.output.message(f"Not everything was made: {printable(reply.warning)}")


def _status_lines(reply: RecordingStatus) -> "Iterable[str]":
    if reply.recording and reply.path is not None:
        people = ", ".join(shown_name(person.nickname, person.did) for person in reply.participants)
        yield f"recording {people} for {duration_text(reply.duration_s or 0.0)}, to {printable(reply.path)}"
        if reply.packets_dropped:
            yield f"{reply.packets_dropped} packets were dropped: this machine or its disk is too slow"
    else:
        yield "not recording"
    if reply.exporting:
        yield "files of an earlier recording are being made"
    for left in reply.leftovers:
        yield f"unfinished: {printable(left.path)}; `blink record repair` finishes it"
