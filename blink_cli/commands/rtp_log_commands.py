"""Commands for the log of RTP headers, and for what a log says."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from blink_cli.api.documents import LogExported
from blink_cli.api.typed_path import absolute_or_folder
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.names_shown import counted
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.analysis.capture_figures import RtpCaptureFigures
from blink_cli.core.analysis.log_figures import LogFigures
from blink_cli.core.api.replies.document import SCHEMA
from blink_cli.core.api.replies.rtp_log import PlayoutLogs, RtpLogFile, RtpLogState
from blink_cli.core.api.requests import GetRtpLog, PauseRtpLog, ResumeRtpLog, StartRtpLog, StopRtpLog
from blink_cli.core.errors import UsageError
from blink_cli.core.text.path_text import name_ending, shown

LogPath = Annotated[
    Path,
    typer.Argument(metavar="PATH", autocompletion=complete_path, help="A log that `rtp-log start` wrote."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    log = typer.Typer(
        name="rtp-log", help="The log of every RTP header, as a CSV file.", rich_markup_mode=None
    )
    command(log, "start", loop_for=(), prints=RtpLogState)(start)
    command(log, "pause", loop_for=(), prints=RtpLogState)(pause)
    command(log, "resume", loop_for=(), prints=RtpLogState)(resume)
    command(log, "stop", loop_for=(), prints=RtpLogState)(stop)
    command(log, "status", loop_for=(), prints=RtpLogState)(status)
    command(log, "export", prints=LogExported)(export)
    app.add_typer(log)
    command(app, "rtp-analyze", prints=LogFigures | RtpCaptureFigures)(rtp_analyze)


async def start(
    context: CommandContext,
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            autocompletion=complete_path,
            help="A new file for one call; or a folder (a slash makes it), where each call gets a file.",
        ),
    ],
    *,
    decisions: Annotated[
        bool,
        typer.Option("--decisions", help="Beside it: what the playout does with every frame, and why."),
    ] = False,
    replayable: Annotated[
        bool,
        typer.Option(
            "--replayable",
            help="Beside it: what `lab replay` needs. It holds all voices: the others see that you record.",
        ),
    ] = False,
    payload: Annotated[
        bool,
        typer.Option(
            "--payload",
            help="In it: what every packet carries, so that Wireshark plays a capture made of it. It holds all voices: the others see that you record.",
        ),
    ] = False,
) -> None:
    """Log every packet of this call, or of the next one.

    For example `blink rtp-log start call.csv`, or `blink rtp-log start logs/ --decisions` for each call a file of its own.
    """
    request = StartRtpLog(
        path=absolute_or_folder(path), decisions=decisions, replayable=replayable, payload=payload
    )
    _show(context, await context.ask(request))


async def pause(context: CommandContext) -> None:
    """Write no rows for a while."""
    _show(context, await context.ask(PauseRtpLog()))


async def resume(context: CommandContext) -> None:
    """Write rows again."""
    _show(context, await context.ask(ResumeRtpLog()))


async def stop(context: CommandContext) -> None:
    """End the log and tell what was written."""
    state = await context.ask(StopRtpLog())
    context.report(
        state, state_sentence(state) if state.files else "the RTP log is stopped; nothing was logged"
    )


async def status(context: CommandContext) -> None:
    """Tell how the log stands."""
    _show(context, await context.ask(GetRtpLog()))


async def export(
    context: CommandContext,
    path: LogPath,
    *,
    kind: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="pcap: for Wireshark and tshark.")
    ] = "pcap",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file; else the log's name with .pcap.")
    ] = None,
    playable: Annotated[
        bool,
        typer.Option(
            "--playable",
            help="Packets with redundant copies (RED) become plain Opus, which Wireshark's player knows.",
        ),
    ] = False,
) -> None:
    """Write a log as a packet capture, with the payloads that it keeps."""
    if kind != "pcap":
        raise UsageError(f"There is no format {kind!r}.", hint="The only format is pcap.")
    from blink_cli.app.files.rtp_log_files import export_capture  # noqa: PLC0415 - reading logs is no other command's need
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - asyncio: `--help` needs none
    from blink_cli.record.rtp_log.pcap import RedPackets  # noqa: PLC0415 - as the first one

    redundant = RedPackets.PRIMARY_ALONE if playable else RedPackets.AS_THEY_WERE
    target = path.with_name(name_ending(path.stem, ".pcap")) if out is None else out
    done = await with_progress(
        context, "export", lambda progress: export_capture(path, target, progress, redundant)
    )
    if context.output.json:
        context.output.document(
            msgspec.to_builtins(
                LogExported(
                    path=str(target),
                    format=kind,
                    packets=done.packets,
                    pauses=done.pauses,
                    rows_lost=done.rows_lost,
                    payloads=done.payloads,
                )
            )
        )
    else:
        context.output.message(
            f"{done.packets} packets in {shown(target)}: open it in Wireshark; what is not taken for RTP there, decode UDP port 5004 as RTP"
        )
    if playable and not done.payloads:
        context.output.message("nothing in it can be played: the log was started without --payload")
    if done.pauses:
        context.output.message(
            f"the log was paused {counted(done.pauses, 'time')}; Wireshark takes that for loss"
        )
    if done.rows_lost:
        context.output.message(
            f"missing in the log: {counted(done.rows_lost, 'row')}; Wireshark takes that for loss"
        )


async def rtp_analyze(
    context: CommandContext,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            autocompletion=complete_path,
            help="A log that `rtp-log start` wrote; or a capture (pcap or pcapng) of any RTP.",
        ),
    ],
    *,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot", metavar="OUT.png", help="Of a log: draw delay, jitter, loss and level over time."
        ),
    ] = None,
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks",
            metavar="DIR",
            help="Of a capture: the voices as sound, Opus and RED: an MP4 with a track for each stream, and of each a WAV and an Ogg Opus file.",
        ),
    ] = None,
    payload_type: Annotated[
        list[str] | None,
        typer.Option(
            "--payload-type",
            metavar="N=CODEC[/HZ]",
            help="Of a capture: what a payload type is, where packets do not tell: 111=opus, 63=red, 96=L16/44100. May be repeated.",
        ),
    ] = None,
) -> None:
    """Tell loss, bursts, jitter, clocks, delay and quality of a log or a capture, per stream.

    For example `blink rtp-analyze call.csv`, or `blink rtp-analyze dump.pcapng --tracks voices`.
    """
    from blink_cli.app.files.rtp_log_files import analyse_log  # noqa: PLC0415 - as above
    from blink_cli.commands.capture_command import analyse_capture_file, is_capture_file  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    if is_capture_file(path):
        if plot is not None:
            raise UsageError(f"{path} is a capture, and plots are drawn of logs.", hint="Leave --plot out.")
        await analyse_capture_file(context, path, payload_type or [], tracks)
        return
    if tracks is not None:
        raise UsageError(
            "--tracks is for captures: a log has no sound of its own.",
            hint="Of a log with payloads, `blink rtp-log export LOG` makes a capture.",
        )
    if payload_type:
        raise UsageError(
            "--payload-type is for captures: a log knows its payload types.",
            hint="Leave it out, or name a pcap file.",
        )
    found = await with_progress(context, "analyse", lambda progress: analyse_log(path, plot, progress))
    if context.output.json:
        context.output.document(analysis_document(found))
        if not found.streams and not found.video_streams:
            context.output.message(f"{shown(path)} holds no packets")
    else:
        from blink_cli.commands.analysis_text import analysis_lines  # noqa: PLC0415 - as above
        from blink_cli.commands.labelled_lines import LABEL_WIDTH  # noqa: PLC0415 - as above

        for line in analysis_lines(found):
            context.output.line(line, hang=LABEL_WIDTH)
    if found.rows_unreadable:
        were = "was" if found.rows_unreadable == 1 else "were"
        context.output.message(
            f"{counted(found.rows_unreadable, 'line')} could not be read and {were} left out"
        )
    if found.rows_lost:
        context.output.message(
            f"missing in the log: {counted(found.rows_lost, 'row')}; the disk was too slow for it"
        )
    if plot is not None:
        context.output.message(f"the plot is in {shown(plot)}")


def analysis_document(found: "LogFigures") -> dict[str, Any]:
    """Return what `rtp-analyze --json` prints."""
    return {"schema": SCHEMA, **msgspec.to_builtins(found)}


def _show(context: CommandContext, state: RtpLogState) -> None:
    context.report(state, state_sentence(state))


def state_sentence(state: RtpLogState) -> str:
    """Tell how the log stands."""
    closed = "; ".join(_file_text(file) for file in state.files)
    match state.state:
        case "off":
            return closed or "no RTP log is running"
        case "waiting":
            return f"the next call is logged to {shown(state.path or '')}" + (
                f"; before: {closed}" if closed else ""
            )
        case "paused" if state.file is None:
            return f"paused: the next call is logged to {shown(state.path or '')} after `rtp-log resume`"
        case standing:
            lost = f", {counted(state.rows_lost, 'row')} could not be written" if state.rows_lost else ""
            paused = " (paused)" if standing == "paused" else ""
            return (
                f"logging to {shown(state.file or '')}{paused}: {counted(state.rows, 'row')}, {_size(state.bytes)}{lost}"
                f"{_voices_text(state.payload_bytes)}{_beside_text(state.playout)}"
            )


def _file_text(file: RtpLogFile) -> str:
    lost = f", {counted(file.rows_lost, 'row')} could not be written" if file.rows_lost else ""
    return (
        f"{shown(file.path)}: {counted(file.rows, 'row')}, {_size(file.bytes)}{lost} ({file.reason})"
        f"{_voices_text(file.payload_bytes)}{_beside_text(file.playout)}"
    )


def _voices_text(payload_bytes: int | None) -> str:
    return (
        ""
        if payload_bytes is None
        else f", with all voices ({_size(payload_bytes)} of payloads), of pictures the headers alone"
    )


def _beside_text(logs: PlayoutLogs | None) -> str:
    if logs is None:
        return ""
    lost = f", {counted(logs.ticks_lost, 'tick')} could not be written" if logs.ticks_lost else ""
    texts = [
        f"{what} in {shown(file.path)}"
        + ("" if file.failure is None else f" until it failed: {file.failure}")
        for what, file in (("decisions", logs.decisions), ("replay", logs.replay))
        if file is not None
    ]
    return f"; {', '.join(texts)}{lost}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
