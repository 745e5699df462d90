"""What can be done with a log that is written: analyse, plot, export. No session is needed; all of it blocks."""

import contextlib
from pathlib import Path
from typing import Final

from blink_cli.core.analysis.log_figures import LogFigures
from blink_cli.core.errors import BlinkError, StateError, UsageError
from blink_cli.core.progress import Progress
from blink_cli.core.text.path_text import escaped, shown
from blink_cli.files.ordinary import ordinary_stands_at
from blink_cli.files.reading import open_reading
from blink_cli.record.rtp_log.analysis import LogAnalysis, analyse
from blink_cli.record.rtp_log.pcap import CaptureTotals, RedPackets, write_capture
from blink_cli.record.rtp_log.reader import RtpLogReader
from blink_cli.runtime.extras import needs_extra

_PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


def analyse_log(path: Path, plot_to: Path | None = None, progress: Progress = lambda _: None) -> LogFigures:
    """Return everything that a log says, and draw it where that is wanted.

    Raises:
        NotFoundError: There is no such file.
        UsageError: It is no RTP log, nothing was received that could be drawn, or the picture would replace what is none.
        NotInstalledError: It shall be drawn, and matplotlib is not installed; said before the log is read.
        BlinkError: A file cannot be read or written.

    """
    if plot_to is not None:
        _require_picture(plot_to, path)
        with needs_extra("plot", "A plot"):
            import blink_cli.record.rtp_log.plot  # noqa: F401, PLC0415 - matplotlib takes half a second
    reader = RtpLogReader(path, progress)
    found = analyse(reader, timelines=plot_to is not None)
    if plot_to is not None:
        _draw(found, path, plot_to)
    return LogFigures(
        path=str(path),
        call=found.call_id,
        begun=found.begun,
        duration_s=round(found.duration_s, 6),
        rows=reader.rows_read,
        rows_unreadable=reader.rows_unreadable,
        rows_lost=found.rows_lost,
        impairments=tuple(found.impairments),
        pauses=found.pauses,
        streams=found.call.figures(),
        streams_omitted=found.call.streams_forgotten,
        video_streams=found.video.figures(),
    )


def export_capture(
    path: Path,
    out: Path,
    progress: Progress = lambda _: None,
    redundant: RedPackets = RedPackets.AS_THEY_WERE,
) -> CaptureTotals:
    """Write a log's packets as a capture into a new file.

    Raises:
        NotFoundError: There is no such log.
        UsageError: It is no RTP log, or holds no packets.
        StateError: The capture exists.
        BlinkError: A file cannot be read or written.

    """
    try:
        totals = write_capture(RtpLogReader(path, progress), out, redundant)
    except FileExistsError as failure:
        raise StateError(f"{out} exists.", hint="Name another file with --out.") from failure
    except OSError as failure:
        _remove(out)
        raise BlinkError(f"{out} cannot be written: {failure.strerror or failure}.") from failure
    except BaseException:
        _remove(out)
        raise
    if not totals.packets:
        _remove(out)
        raise UsageError(
            f"{path} holds no packets, so there is nothing to export.",
            hint="Packets are logged while a call has links.",
        )
    return totals


def _remove(out: Path) -> None:
    """Half a capture is none; it was made here."""
    with contextlib.suppress(OSError):
        out.unlink()


def _require_picture(out: Path, log: Path) -> None:
    """Only an earlier picture is replaced by a plot: a name that was mistyped must cost nothing."""
    hint = "For example `blink rtp-analyze LOG --plot call.png`."
    if out.suffix.lower() != ".png":
        raise UsageError(f"A plot is a PNG, and {out} does not end in .png.", hint=hint)
    try:
        if out.exists() and log.exists() and out.samefile(log):
            raise UsageError(f"{out} is the log itself; a plot would replace it.", hint=hint)
        if not ordinary_stands_at(out):
            return
        with open_reading(out) as file:
            is_picture = file.read(len(_PNG_SIGNATURE)) == _PNG_SIGNATURE
    except FileNotFoundError:
        return  # it has just gone
    except IsADirectoryError as failure:
        raise UsageError(f"{out} is a folder.", hint=hint) from failure
    except OSError as failure:
        raise BlinkError(f"{out} cannot be replaced: {failure.strerror or failure}.") from failure
    if not is_picture:
        raise UsageError(
            f"{out} exists and is no PNG, so no plot replaces it.", hint="Name another one, or move it away."
        )


def _draw(found: LogAnalysis, path: Path, out: Path) -> None:
    from blink_cli.record.rtp_log.plot import plot  # noqa: PLC0415 - as above

    streams = [
        (escaped(peer[-8:]).replace("$", r"\$") + f"  {ssrc:08x}", timeline.moments)
        for (peer, ssrc), timeline in found.timelines.items()
        if timeline.moments
    ]
    if not streams:
        raise UsageError(
            f"{path} has no second of received audio to draw.", hint="Leave --plot out, or log a longer call."
        )
    title = f"{shown(path.name)}   {escaped(found.begun or '')}"
    try:
        plot(title, streams, out)
    except OSError as failure:
        raise BlinkError(f"{out} cannot be written: {failure.strerror or failure}.") from failure
