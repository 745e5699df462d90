"""Commands for the log of RTP headers, and for what a log says."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from blink_cli.commands.command import command
from blink_cli.commands.desk import Desk
from blink_cli.commands.names_shown import counted
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.errors import UsageError
from blink_cli.core.replies import SCHEMA, RtpLogFile, RtpLogState
from blink_cli.core.requests import GetRtpLog, PauseRtpLog, ResumeRtpLog, StartRtpLog, StopRtpLog

if TYPE_CHECKING:
    from blink_cli.core.analysis.figures import LogFigures

LogPath = Annotated[
    Path,
    typer.Argument(metavar="PATH", autocompletion=complete_path, help="A log that `rtp-log start` wrote."),
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    log = typer.Typer(
        name="rtp-log", help="The log of every RTP header, as a CSV file.", rich_markup_mode=None
    )
    command(log, "start")(start)
    command(log, "pause")(pause)
    command(log, "resume")(resume)
    command(log, "stop")(stop)
    command(log, "status")(status)
    command(log, "export")(export)
    app.add_typer(log)
    command(app, "rtp-analyze")(rtp_analyze)


async def start(
    desk: Desk,
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            autocompletion=complete_path,
            help="A new file for one call; or a folder (a slash makes it), where each call gets a file.",
        ),
    ],
) -> None:
    """Log every packet of this call, or of the next one."""
    request = StartRtpLog(path=full_path(path))
    _show(desk, await desk.ask(request, RtpLogState))


async def pause(desk: Desk) -> None:
    """Write no rows for a while."""
    _show(desk, await desk.ask(PauseRtpLog(), RtpLogState))


async def resume(desk: Desk) -> None:
    """Write rows again."""
    _show(desk, await desk.ask(ResumeRtpLog(), RtpLogState))


async def stop(desk: Desk) -> None:
    """End the log and tell what was written."""
    _show(desk, await desk.ask(StopRtpLog(), RtpLogState))


async def status(desk: Desk) -> None:
    """Tell how the log stands."""
    _show(desk, await desk.ask(GetRtpLog(), RtpLogState))


async def export(
    desk: Desk,
    path: LogPath,
    *,
    kind: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="pcap: for Wireshark and tshark.")
    ] = "pcap",
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file; else the log's name with .pcap.")
    ] = None,
) -> None:
    """Write a log as a packet capture, without payloads."""
    if kind != "pcap":
        raise UsageError(f"There is no format {kind!r}.", hint="the one there is is called pcap")
    from blink_cli.app.rtp_log_files import export_capture  # noqa: PLC0415 - reading logs is no other command's need
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - asyncio: `--help` needs none

    target = path.with_suffix(".pcap") if out is None else out
    done = await with_progress(desk, "export", lambda progress: export_capture(path, target, progress))
    if desk.output.json:
        desk.output.document(
            {
                "schema": SCHEMA,
                "path": str(target),
                "format": kind,
                "packets": done.packets,
                "pauses": done.pauses,
                "rows_lost": done.rows_lost,
            }
        )
    else:
        desk.output.message(
            f"{done.packets} packets in {target}: open it in Wireshark and decode UDP port 5004 as RTP"
        )
    if done.pauses:
        desk.output.message(
            f"the log was paused {counted(done.pauses, 'time')}; Wireshark takes that for loss"
        )
    if done.rows_lost:
        desk.output.message(
            f"missing in the log: {counted(done.rows_lost, 'row')}; Wireshark takes that for loss"
        )


async def rtp_analyze(
    desk: Desk,
    path: LogPath,
    *,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="OUT.png", help="Draw delay, jitter, loss and level over time."),
    ] = None,
) -> None:
    """Tell loss, bursts, jitter, clocks, delay and quality of a log, per stream."""
    from blink_cli.app.rtp_log_files import analyse_log  # noqa: PLC0415 - as above
    from blink_cli.commands.work_progress import with_progress  # noqa: PLC0415 - as above

    found = await with_progress(desk, "analyse", lambda progress: analyse_log(path, plot, progress))
    if desk.output.json:
        desk.output.document(analysis_document(found))
        if not found.streams:
            desk.output.message(f"{path} holds no packets")
    else:
        from blink_cli.commands.analysis_text import analysis_lines  # noqa: PLC0415 - as above

        for line in analysis_lines(found):
            desk.output.line(line)
    if found.rows_unreadable:
        were = "was" if found.rows_unreadable == 1 else "were"
        desk.output.message(f"{counted(found.rows_unreadable, 'line')} could not be read and {were} left out")
    if found.rows_lost:
        desk.output.message(
            f"missing in the log: {counted(found.rows_lost, 'row')}; the disk was too slow for it"
        )
    if plot is not None:
        desk.output.message(f"the plot is in {plot}")


def analysis_document(found: "LogFigures") -> dict[str, Any]:
    """Return what `rtp-analyze --json` prints."""
    return {"schema": SCHEMA, **msgspec.to_builtins(found)}


def full_path(path: str) -> str:
    """Return the path that a session in another folder understands; a slash at the end stays.

    Raises:
        UsageError: It is empty.

    """
    if not path:
        raise UsageError("The path is empty.", hint="blink rtp-log start call.csv")
    full = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 - pathlib drops the slash
    return f"{full}/" if path.endswith((os.sep, "/")) and full != "/" else full


def _show(desk: Desk, state: RtpLogState) -> None:
    desk.report(state, state_sentence(state))


def state_sentence(state: RtpLogState) -> str:
    """Tell how the log stands."""
    closed = "; ".join(_file_text(file) for file in state.files)
    match state.state:
        case "off":
            return closed or "no RTP log is running"
        case "waiting":
            return f"the next call is logged to {state.path}" + (f"; before: {closed}" if closed else "")
        case standing:
            lost = f", {counted(state.rows_lost, 'row')} could not be written" if state.rows_lost else ""
            paused = " (paused)" if standing == "paused" else ""
            return (
                f"logging to {state.file}{paused}: {counted(state.rows, 'row')}, {_size(state.bytes)}{lost}"
            )


def _file_text(file: RtpLogFile) -> str:
    lost = f", {counted(file.rows_lost, 'row')} could not be written" if file.rows_lost else ""
    return f"{file.path}: {counted(file.rows, 'row')}, {_size(file.bytes)}{lost} ({file.reason})"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
