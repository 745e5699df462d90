"""The RTP log of a session: one file for each call, from `rtp-log start` to `rtp-log stop`.

    off ──start──> waiting ──a call's media begin──> logging <──pause, resume──> paused
     ^                ^                                 |
     |                '────── a folder: next call ──────┤
     '── stop, failed disk; a file: the call's end ─────'

Packets are appended to the writer's queue as they are; everything else happens on the writer's thread.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
from typing_extensions import override

from blink_cli.app.files.playout_logging import NOTHING_BESIDE, PlayoutLogging, PlayoutWish
from blink_cli.app.media.media_readings import MediaWatcher, PeerReading, SourceReading
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.events import Event, Observer, RtpLogRowsLost, RtpLogStarted, RtpLogStopped
from blink_cli.core.api.replies.processing import ProcessingState
from blink_cli.core.api.replies.rtp_log import (
    PlayoutLogFile,
    PlayoutLogs,
    ProcessingLogFile,
    RtpLogFile,
    RtpLogState,
)
from blink_cli.core.api.requests import (
    GetRtpLog,
    PauseRtpLog,
    ResumeRtpLog,
    StartRtpLog,
    StopRtpLog,
)
from blink_cli.core.errors import BlinkError, StateError, UsageError
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import FramePlayed, PlayoutOutcome
from blink_cli.core.media.mix_tick import MixTick
from blink_cli.core.media.picture_tap import OfPictures, PictureTap
from blink_cli.core.media.rtp import (
    ReceptionReport,
    RepeatedPacket,
    RtpPacket,
    SenderReport,
    SentPacket,
)
from blink_cli.core.text.json_text import encode_json
from blink_cli.core.text.utc_text import utc_text_of
from blink_cli.record.rtp_log.format import LogEvent
from blink_cli.record.rtp_log.playout_writer import LineFileTotals, PlayoutLogWriter
from blink_cli.record.rtp_log.rows import MOST_PAYLOAD_BYTES, LinkBegan, PlayoutCounted, Remark, VideoEntry
from blink_cli.record.rtp_log.rows import FramePlayed as PlayedRow
from blink_cli.record.rtp_log.writer import RtpLogTotals, RtpLogWriter
from blink_cli.runtime.loop_bridge import LoopBridge

STALLED_S: Final = 20.0
"""A disk that has not taken a log's rest for so long has failed."""

FINISH_S: Final = 5.0
"""How long a closing session waits for it."""

FILES_REMEMBERED: Final = 100
"""Closed files that `status` still lists: a session that logs for months has more."""

_logger = logging.getLogger(__name__)

LinkFormat: TypeAlias = tuple[Did, int, int | None]
"""A connected peer and the payload types of Opus and RED."""

Situation: TypeAlias = tuple[CallId | None, Sequence[LinkFormat]]
"""The call that the session is in, and whose links stand in it."""


@dataclass(slots=True, eq=False)
class _Log:
    """One file that is being written, or closed."""

    writer: RtpLogWriter
    playout: PlayoutLogWriter | None
    """Of what stands beside it."""

    call: CallId
    closed: asyncio.Future[RtpLogTotals]
    reason: str = "it was stopped"
    told_lost: bool = False
    processes: bool = False
    """Whether a filter of the microphone ran when it was looked at last."""

    awaited: bool = False
    """Whether a command waits for its file and tells itself when that cannot be made."""


class RtpLogging(MediaWatcher, PictureTap):
    """Belongs to the event loop, but for `played`. Listens in only while a log was asked for."""

    observer = Observer.RTP_LOG

    def __init__(
        self,
        own: Did,
        taps: MediaTaps,
        publish: Callable[[Event], None],
        show_recording: Callable[[bool], None] = lambda _: None,
    ) -> None:
        """Log nothing yet. `show_recording` shows all in the call whether voices are kept."""
        self._playout = PlayoutLogging(taps, publish, show_recording)
        self._own = own
        self._taps = taps
        self._publish = publish
        self._bridge = LoopBridge()
        self._one_at_a_time = asyncio.Lock()
        self._target: Path | None = None
        self._is_folder = False
        self._log: _Log | None = None
        self._paused = False
        self._resumed_s = 0.0
        """What came before is told a little later, and belongs to the pause."""

        self._keeps_payload = False
        self._closing: set[_Log] = set()
        self._files: list[RtpLogFile] = []
        self._impairment: Callable[[], str] = str

    def add_to(self, table: RequestTable, situation: Callable[[], Situation]) -> None:
        """Carry out the requests about the log, one after the other.

        Args:
            table: Where they come from.
            situation: Tells the call that the session is in, and whose links stand in it.

        """

        async def start(request: StartRtpLog) -> RtpLogState:
            async with self._one_at_a_time:
                wish = PlayoutWish(request.decisions, request.replayable, request.payload)
                await self.start(request.path, situation, wish)
                return self.state()

        table.add(StartRtpLog, start)
        table.add(PauseRtpLog, self._pause)
        table.add(ResumeRtpLog, self._resume)
        table.add(StopRtpLog, self._stop)
        table.add(GetRtpLog, self._get)

    def note_impairments(self, note: Callable[[], str]) -> None:
        """Let each file say at its beginning what is impaired on purpose; `note` is empty for nothing."""
        self._impairment = note

    def impairment_changed(self, note: str) -> None:
        """Log what is impaired on purpose from here on; empty: nothing any more."""
        self._remark(LogEvent.IMPAIRED, note=note or "nothing")

    def mark(self, text: str) -> bool:
        """Log that somebody marked this moment; returns whether there is a log to write it into."""
        self._remark(LogEvent.MARKED, note=text)
        return self._log is not None

    async def _pause(self, _: PauseRtpLog) -> RtpLogState:
        async with self._one_at_a_time:
            self.pause()
            return self.state()

    async def _resume(self, _: ResumeRtpLog) -> RtpLogState:
        async with self._one_at_a_time:
            self.resume()
            return self.state()

    async def _stop(self, _: StopRtpLog) -> RtpLogState:
        async with self._one_at_a_time:
            await self.stop()
            return self.state()

    async def _get(self, _: GetRtpLog) -> RtpLogState:
        async with self._one_at_a_time:
            return self.state()

    async def start(
        self, path: str, situation: Callable[[], Situation], wish: PlayoutWish = NOTHING_BESIDE
    ) -> None:
        """Log the present call, or else the next one; into a folder every call, each into a file of its own; beside it what is wished.

        Cancelling it leaves the log running.
        """
        if self._target is not None:
            raise StateError(
                f"An RTP log is running already: {self._target}.",
                hint="`blink rtp-log stop` ends it; `blink rtp-log status` tells more.",
            )
        is_folder = path.endswith((os.sep, "/"))
        target = Path(path)
        self._target, self._files = target, []
        try:
            self._is_folder = await asyncio.to_thread(_prepared, target, is_folder=is_folder)
            self._taps.add(self)
            self._playout.want(wish)
            self._keeps_payload = wish.payload
            call, links = situation()
            if call is not None:
                await self._open(call, links)
        except OSError as failure:
            self._forget()
            raise BlinkError(
                f"No RTP log can be written to {target}: {failure.strerror or failure}.",
                hint="Choose another place: `blink rtp-log start PATH`.",
            ) from failure
        except BlinkError:
            self._forget()
            raise

    def pause(self) -> None:
        """Write no rows until `resume`; the file stays open."""
        self._require()
        if self._paused:
            raise StateError("The RTP log is paused already.", hint="`blink rtp-log resume` goes on.")
        self._taps.before_change()  # what was sent and heard until now, and not told yet, is before the pause
        self._remark(LogEvent.PAUSED)
        self._paused = True
        self._playout.set_paused(paused=True)

    def resume(self) -> None:
        """Write rows again."""
        self._require()
        if not self._paused:
            raise StateError("The RTP log is not paused.", hint="`blink rtp-log status` tells how it stands.")
        self._taps.before_change()  # and this in it
        self._paused = False
        self._resumed_s = time.monotonic()
        self._playout.set_paused(paused=False)
        self._remark(LogEvent.RESUMED)

    async def stop(self) -> None:
        """End the log and return once its file is closed. Cancelling it leaves the closing to the background.

        Raises:
            BlinkError: The disk does not take the rest.

        """
        self._require()
        path = self._target if self._log is None else self._log.writer.path
        self._taps.before_change()  # what was sent and heard until now, and not told yet, is in it
        self._finish("it was stopped")
        self._forget()
        if not await self._all_closed(STALLED_S):
            raise BlinkError(
                f"The disk has not taken the rest of {path} for {STALLED_S:g} s.",
                hint="What was written stays; the rest follows if the disk ever answers.",
            )

    async def aclose(self) -> None:
        """End everything; waits for the disk, but not for ever. Safe to call twice, and without a log."""
        self._finish("the session ended")
        self._forget()
        if not await self._all_closed(FINISH_S):
            _logger.warning("the session ended before the disk took the rest of the RTP log")

    def state(self) -> RtpLogState:
        """How it stands."""
        log = self._log
        if self._target is None:
            state = "off"
        elif self._paused:
            state = "paused"
        else:
            state = "waiting" if log is None else "logging"
        totals = None if log is None else log.writer.totals
        return RtpLogState(
            state=state,
            path=None if self._target is None else str(self._target),
            file=None if totals is None else str(totals.path),
            call=None if log is None else log.call,
            rows=0 if totals is None else totals.rows,
            rows_lost=0 if totals is None else totals.rows_lost,
            bytes=0 if totals is None else totals.bytes_written,
            files=tuple(self._files),
            processing=None if totals is None else _processing_file(totals),
            playout=None if log is None else _playout_files(log.playout),
            payload_bytes=None if totals is None else totals.payload_bytes,
        )

    # ---- MediaTap

    @override
    def media_began(self, call: CallId) -> None:
        """Begin this call's file."""
        if self._log is None:
            self._begin(call)

    @override
    def media_ended(self) -> None:
        """End this call's file."""
        self._remark(LogEvent.CALL_ENDED)
        self._playout.end_with_media()
        self._finish_log("the call ended")
        if not self._is_folder:
            self._forget_target()

    @override
    def tap_failed(self, reason: str) -> None:
        """End the log: from here on rows would be missing."""
        self._finish(reason)
        self._forget()

    @override
    def link_connected(self, peer: Did, opus: int, red: int | None) -> None:
        """Log that packets of these types may come."""
        if self._log is not None:
            self._log.writer.put(peer, LinkBegan(opus, red, time.monotonic()))

    @override
    def link_ended(self, peer: Did) -> None:
        """Log that no more will come."""
        if self._log is not None:
            self._log.writer.put(peer, Remark(LogEvent.LINK_ENDED, time.monotonic()))

    @override
    def packet_sent(self, peer: Did, packet: SentPacket) -> None:
        """Log it."""
        if self._log is not None and not self._paused:
            self._log.writer.put(peer, packet)

    @override
    def packet_received(self, peer: Did, packet: RtpPacket) -> None:
        """Log it."""
        if self._log is not None and not self._paused and packet.arrival_s >= self._resumed_s:
            self._log.writer.put(peer, packet)

    @override
    def packet_repeated(self, peer: Did, packet: RepeatedPacket) -> None:
        """Log it."""
        if self._log is not None and not self._paused and packet.arrival_s >= self._resumed_s:
            self._log.writer.put(peer, packet)

    @override
    def reported(self, peer: Did, report: SenderReport | ReceptionReport) -> None:
        """Log it."""
        if self._log is not None and not self._paused:
            self._log.writer.put(peer, report)

    @override
    def pictures(self, peer: Did, what: OfPictures) -> None:
        """Log it."""
        late = isinstance(what, RtpPacket) and what.arrival_s < self._resumed_s
        if self._log is not None and not self._paused and not late:
            self._log.writer.put(peer, VideoEntry(what))

    @override
    def played(self, what: FramePlayed | MixTick) -> None:
        """Finish a row, also of a packet that came before a pause. On the playout thread."""
        log = self._log
        if log is None or isinstance(what, MixTick):
            return
        if not (self._paused and what.outcome is PlayoutOutcome.RECOVERED):
            row = PlayedRow(what.ssrc, what.timestamp, what.outcome, time.monotonic())
            log.writer.put_outcome(what.peer, row)

    # ---- MediaWatcher

    @override
    def look(self, peers: tuple[PeerReading, ...], source: SourceReading | None, now_s: float) -> None:
        """Log the playout's counts and what the filters do, and tell once when rows are lost."""
        log = self._log
        if log is None:
            return
        if not self._paused:
            for reading in peers:
                if reading.total_samples:
                    counts = PlayoutCounted(reading.concealed_samples, reading.total_samples, now_s)
                    log.writer.put(reading.peer, counts)
            if source is not None and source.processing is not None:
                self._log_processing(log, source.processing, now_s)
        totals = log.writer.totals
        if totals.rows_lost and not log.told_lost:
            log.told_lost = True
            self._publish(RtpLogRowsLost(path=str(totals.path), rows_lost=totals.rows_lost))

    # ---- inside

    def _log_processing(self, log: _Log, state: ProcessingState, now_s: float) -> None:
        """A line for each second in which a filter runs, or cannot; and one that says that none does any more."""
        active = any(one.state != "off" for one in (state.echo, state.noise, state.gain))
        if active or log.processes:
            wall_s = time.time() - time.monotonic() + now_s
            line = {"time_s": round(now_s, 6), "wall_time": utc_text_of(wall_s)}
            log.writer.processing.put(encode_json({**line, **msgspec.to_builtins(state)}))
        log.processes = active

    def _require(self) -> None:
        if self._target is None:
            raise StateError("No RTP log is running.", hint="`blink rtp-log start PATH` begins one.")

    async def _open(self, call: CallId, links: Sequence[LinkFormat]) -> None:
        log = self._begin(call)
        log.awaited = True
        for peer, opus, red in links:
            self.link_connected(peer, opus, red)
        try:
            await asyncio.wrap_future(log.writer.opened)
        except FileExistsError as failure:
            raise _never_overwritten(log.writer.path) from failure

    def _begin(self, call: CallId) -> _Log:
        assert self._target is not None, "listens in only while a log was asked for"
        path = self._target / _file_name(call, self._own) if self._is_folder else self._target
        writer = RtpLogWriter(
            path,
            lambda totals: self._ended(log, totals),
            payload_bytes=MOST_PAYLOAD_BYTES if self._keeps_payload else None,
        )
        playout = self._playout.begin(path, call, writer.opened)
        log = self._log = _Log(writer, playout, call, asyncio.get_running_loop().create_future())
        writer.opened.add_done_callback(lambda opened: self._bridge.call(self._opened, log, opened))
        self._remark(LogEvent.CALL_BEGAN, note=call)
        if note := self._impairment():
            self._remark(LogEvent.IMPAIRED, note=note)
        if self._paused:
            self._remark(LogEvent.PAUSED)
        return log

    def _remark(self, event: LogEvent, *, note: str = "") -> None:
        if self._log is not None:
            self._log.writer.put(None, Remark(event, time.monotonic(), note))

    def _finish(self, reason: str) -> None:
        self._playout.end()
        self._finish_log(reason)

    def _finish_log(self, reason: str) -> None:
        log, self._log = self._log, None
        if log is not None:
            log.reason = reason
            log.writer.finish()
            if not log.closed.done():
                self._closing.add(log)

    def _forget(self) -> None:
        self._playout.end()
        self._forget_target()

    def _forget_target(self) -> None:
        self._taps.remove(self)
        self._playout.want_no_more()
        self._target = self._log = None
        self._paused = False

    async def _all_closed(self, patience_s: float) -> bool:
        if self._closing:
            await asyncio.wait({log.closed for log in self._closing}, timeout=patience_s)
        return not self._closing

    def _opened(self, log: _Log, opened: Future[None]) -> None:
        failure = opened.exception()
        if failure is None:
            keeps_payload = log.writer.totals.payload_bytes is not None
            self._publish(RtpLogStarted(path=str(log.writer.path), call_id=log.call, payload=keeps_payload))
            return
        if log.awaited:
            log.closed.set_result(log.writer.totals)
            return
        reason = getattr(failure, "strerror", None) or str(failure)
        self._closed(log, RtpLogTotals(log.writer.path, 0, 0, 0, reason))

    def _ended(self, log: _Log, totals: RtpLogTotals) -> None:
        """On the writer's thread: a log is closed when what stands beside it is."""
        if log.playout is not None:
            if totals.failure is not None:
                log.playout.finish()
            log.playout.join()
        self._bridge.call(self._closed, log, totals)

    def _closed(self, log: _Log, totals: RtpLogTotals) -> None:
        reason = log.reason if totals.failure is None else totals.failure
        path = str(totals.path)
        self._files.append(
            RtpLogFile(
                path=path,
                rows=totals.rows,
                rows_lost=totals.rows_lost,
                bytes=totals.bytes_written,
                reason=reason,
                processing=_processing_file(totals),
                playout=_playout_files(log.playout),
                payload_bytes=totals.payload_bytes,
            )
        )
        del self._files[:-FILES_REMEMBERED]
        if log.playout is not None:
            self._playout.ended(log.playout)
        if log is self._log:  # it ended by itself
            self._forget()
        self._closing.discard(log)
        log.closed.set_result(totals)
        self._publish(RtpLogStopped(path=path, reason=reason, rows=totals.rows, rows_lost=totals.rows_lost))


def _playout_files(writer: PlayoutLogWriter | None) -> PlayoutLogs | None:
    if writer is None:
        return None
    totals = writer.totals
    return PlayoutLogs(
        decisions=_line_file(totals.decisions), replay=_line_file(totals.replay), ticks_lost=totals.ticks_lost
    )


def _line_file(file: LineFileTotals | None) -> PlayoutLogFile | None:
    return (
        None
        if file is None
        else PlayoutLogFile(
            path=str(file.path), lines=file.lines, bytes=file.bytes_written, failure=file.failure
        )
    )


def _processing_file(totals: RtpLogTotals) -> ProcessingLogFile | None:
    beside = totals.processing
    return (
        None
        if beside is None
        else ProcessingLogFile(path=str(beside.path), lines=beside.lines, failure=beside.failure)
    )


def _prepared(target: Path, *, is_folder: bool) -> bool:
    """Check the path, make the folder that it names, and say whether it is one. Blocks."""
    if is_folder:
        target.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        return True
    if target.exists():
        raise _never_overwritten(target)
    if not target.parent.is_dir():
        raise UsageError(
            f"There is no folder {target.parent}.",
            hint="Make it first, or name a folder for all logs with a slash at its end, which is made.",
        )
    return False


def _never_overwritten(path: Path) -> UsageError:
    return UsageError(
        f"{path} exists, and a log overwrites nothing.",
        hint="Name another file, or a folder, in which each call gets a file of its own.",
    )


def _file_name(call: CallId, own: Did) -> str:
    """Unique by the second, the call and the session: several sessions may log into one folder."""
    return f"rtp-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{call[:8]}-{own[-6:]}.csv"
