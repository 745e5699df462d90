"""Commands that record the call, and that work on recordings afterwards."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, get_args

import typer

from blink_cli.api.documents import reply_document
from blink_cli.api.typed_path import absolute
from blink_cli.commands.chosen_profile import profile_of
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.names_shown import duration_text, loudness_text
from blink_cli.commands.session_sources import ProfileSource
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.api.replies.recordings import (
    ProcessingFiles,
    RecordingBegun,
    RecordingFiles,
    RecordingMarked,
    RecordingStatus,
)
from blink_cli.core.api.requests import (
    GetRecording,
    MarkRecording,
    RecordingFormat,
    StartRecording,
    StopRecording,
)
from blink_cli.core.errors import NoSessionError, UsageError
from blink_cli.core.identity.shown_name import printable, shown_name
from blink_cli.core.text.path_text import readable, shown

if TYPE_CHECKING:
    from collections.abc import Iterable

_BACKGROUND_NICENESS: Final = 10
"""An export can wait; a call on the same machine cannot."""

_FORMATS: Final[tuple[RecordingFormat, ...]] = get_args(RecordingFormat)
_EXPORTED: Final[tuple[RecordingFormat, ...]] = ("wav", "opus", "mix")


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
        help="mp4, wav and opus (one for each), mix; with commas.",
        autocompletion=complete_format,
    ),
]
ExportedFormats = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMATS",
        help="wav and opus (one for each), mix; with commas.",
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
    command(record, "start", prints=RecordingBegun)(start)
    command(record, "stop", prints=RecordingFiles)(stop)
    command(record, "status", prints=RecordingStatus)(status)
    command(record, "mark", prints=RecordingMarked)(mark)
    command(record, "repair", prints=RecordingFiles)(repair)
    command(record, "export", prints=RecordingFiles)(export)
    command(record, "loudness", prints=RecordingFiles)(loudness)
    app.add_typer(record)


async def start(
    context: CommandContext,
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
    processing: Annotated[
        bool,
        typer.Option(
            "--processing",
            help="Also microphone, reference (what the speaker plays) and processed sound, as WAV files that lie on each other.",
        ),
    ] = False,
    pictures: Annotated[
        bool | None,
        typer.Option(
            "--pictures/--no-pictures",
            help="Also what is seen of everybody, or voices alone. Left out: if somebody shows something now.",
        ),
    ] = None,
) -> None:
    """Record the current call from now on. The others are told.

    With --processing also what echo cancelling, noise suppression and automatic gain are given and what they make of it, for who tunes them.
    For example `blink record start --processing debugging`.
    """
    request = StartRecording(
        folder=absolute(folder or Path()),
        formats=_formats(formats, _FORMATS),
        processing=processing,
        pictures=pictures,
    )
    reply = await context.ask(request)
    context.report(reply, f"recording to {shown(reply.path)}")


async def stop(
    context: CommandContext,
    *,
    measure: Annotated[
        bool,
        typer.Option(
            "--loudness",
            help="Also measure how loud each participant is: a second for two minutes. With wav and mix it is measured anyway.",
        ),
    ] = False,
) -> None:
    """End the recording and list its files.

    The files of a recording that ended by itself, with its call for instance, are listed too.
    """
    reply = await context.ask(StopRecording(loudness=measure))
    if reply.reason != "stopped":
        context.output.message(f"the recording had ended before: {printable(reply.reason)}")
    _show_files(context, reply)


async def status(context: CommandContext) -> None:
    """List the running recording and those that were left unfinished. Works without a session too."""
    try:
        reply = await context.ask(GetRecording())
    except NoSessionError:
        reply = _at_rest(context)
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    for line in _status_lines(reply):
        context.output.line(line)


async def mark(
    context: CommandContext,
    words: Annotated[list[str], typer.Argument(metavar="TEXT...", help="What happened.")],
) -> None:
    """Put a marker at this moment of the recording."""
    text = readable(" ".join(words))
    if not text.strip():
        raise UsageError(
            "A marker without a text says nothing.",
            hint='For example `blink record mark "what is to be found again"`.',
        )
    reply = await context.ask(MarkRecording(text=text))
    context.report(reply, f"marked at {duration_text(reply.at_s)}")


async def repair(context: CommandContext, path: RecordingPath) -> None:
    """Finish a recording whose session died. Works without a session."""
    from blink_cli.app.files.recording_work import repair_apart  # noqa: PLC0415 - asyncio: `--help` needs none
    from blink_cli.commands.work_progress import progress_bar  # noqa: PLC0415 - as above

    with progress_bar(context, "repairing") as progress:
        files = await repair_apart(Path(absolute(path)), progress)
    _show_files(context, files)


async def export(
    context: CommandContext,
    path: RecordingPath,
    *,
    formats: ExportedFormats = None,
    grid: Annotated[
        bool,
        typer.Option(
            "--grid",
            help="One MP4 for watching: all participants side by side with their names, and all voices. Of a recording with pictures.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", autocompletion=complete_path, help="Where to; beside the MP4 if left out."
        ),
    ] = None,
) -> None:
    """Make WAV or Opus files, a mixdown, or a grid of all pictures of a recording. Works without a session.

    Without --format and --grid WAV files.
    """
    from blink_cli.app.files.recording_work import export_apart  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import progress_bar  # noqa: PLC0415 - as above

    sounds = () if grid and formats is None else _formats(formats or "wav", _EXPORTED)
    wanted = (*sounds, *(("grid",) if grid else ()))
    if isinstance(context.source, ProfileSource) and hasattr(os, "nice"):
        os.nice(_BACKGROUND_NICENESS)
    folder = None if out is None else Path(absolute(out))
    with progress_bar(context, "exporting") as progress:
        files = await export_apart(Path(absolute(path)), wanted, folder, progress)
    _show_files(context, files)


async def loudness(context: CommandContext, path: RecordingPath) -> None:
    """Measure how loud each participant of a recording is. Works without a session.

    In LUFS by ITU-R BS.1770, without pauses; the range from soft to loud passages in LU; the true peak in dBTP.
    """
    from blink_cli.app.files.recording_work import export_apart  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import progress_bar  # noqa: PLC0415 - as above

    if isinstance(context.source, ProfileSource) and hasattr(os, "nice"):
        os.nice(_BACKGROUND_NICENESS)
    with progress_bar(context, "measuring") as progress:
        measured = await export_apart(Path(absolute(path)), (), None, progress)
    if context.output.json:
        context.output.document(reply_document(measured))
        return
    from blink_cli.commands.show.tables import recorded_loudness_table  # noqa: PLC0415 - 20 ms, for people only

    context.output.table(recorded_loudness_table(measured.loudness))


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


def _at_rest(context: CommandContext) -> RecordingStatus:
    from blink_cli.app.profile.recording_memory import RecordingMemory, leftover_recordings  # noqa: PLC0415 - without a session only

    return RecordingStatus(
        recording=False, leftovers=leftover_recordings(RecordingMemory(profile_of(context.options)))
    )


def _show_files(context: CommandContext, reply: RecordingFiles) -> None:
    if context.output.json:
        context.output.document(reply_document(reply))
        return
    for file in reply.files:
        context.output.line(f"{file.kind:<10} {duration_text(file.duration_s):>7}  {shown(file.path)}")
    for one in reply.loudness:
        context.output.message(f"{shown_name(one.nickname, one.did)}: {loudness_text(one)}")
    if reply.warning is not None:
        context.output.message(f"Not everything was made: {printable(reply.warning)}")


def _processing_line(files: ProcessingFiles) -> str:
    if files.failure is not None:
        return f"the sound around the filters is not written any more: {printable(files.failure)}"
    lost = f", {files.lost_s:.2f} s of it silence: the disk is too slow" if files.lost_s else ""
    return f"{duration_text(files.duration_s)} of the sound around the filters{lost}"


def _status_lines(reply: RecordingStatus) -> "Iterable[str]":
    if reply.recording and reply.path is not None:
        people = ", ".join(shown_name(person.nickname, person.did) for person in reply.participants)
        yield f"recording {people} for {duration_text(reply.duration_s or 0.0)}, to {shown(reply.path)}"
        if reply.packets_dropped:
            yield f"{reply.packets_dropped} packets were dropped: this machine or its disk is too slow"
        if reply.processing is not None:
            yield _processing_line(reply.processing)
    else:
        yield "not recording"
    if reply.exporting:
        yield "files of an earlier recording are being made"
    for left in reply.leftovers:
        yield f"unfinished: {shown(left.path)}; `blink record repair` finishes it"
