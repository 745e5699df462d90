"""The log's states: waiting, logging, paused, off; files and folders; and what is told."""

import asyncio
import csv
import functools
import json
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from blink_cli.app.files import rtp_logging
from blink_cli.app.files.rtp_logging import LinkFormat, RtpLogging
from blink_cli.app.media.media_readings import SourceReading
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.request_table import RequestTable
from blink_cli.core.api.events import Event, Observer, ObserverFailed, RtpLogStarted, RtpLogStopped
from blink_cli.core.api.replies.rtp_log import PlayoutLogFile, PlayoutLogs, ProcessingLogFile, RtpLogState
from blink_cli.core.api.requests import (
    GetRtpLog,
    PauseRtpLog,
    Request,
    ResumeRtpLog,
    StartRtpLog,
    StopRtpLog,
)
from blink_cli.core.errors import BlinkError, StateError, UsageError
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media.media_tap import FramePlayed, PlayoutOutcome
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutReason
from blink_cli.core.media.processing_settings import EchoCancel, ProcessingSettings
from blink_cli.record.rtp_log.reader import RtpLogReader
from blink_cli.record.rtp_log.writer import RtpLogWriter
from tests.record.playout_parts import decision, tick
from tests.record.rtp_log_parts import BOB, BOBS_SSRC, heard, sent
from tests.support.scripted_session import processing

pytestmark = pytest.mark.no_clock(sockets=True)

OWN = Did("did:key:z6MkownOwnOwn")
CALL, OTHER_CALL = CallId("c0ffee00c0ffee00"), CallId("beefbeefbeefbeef")


class Call:
    """A session's call, as the log sees it."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.news: asyncio.Queue[Event] = asyncio.Queue()
        self.taps = MediaTaps()
        self.shown_recording: list[bool] = []
        self.log = RtpLogging(OWN, self.taps, self.tell, self.shown_recording.append)
        self.table = RequestTable()
        self.log.add_to(self.table, self.situation)
        self.current: CallId | None = None

    def tell(self, event: Event) -> None:
        self.told.append(event)
        self.news.put_nowait(event)

    def situation(self) -> tuple[CallId | None, list[LinkFormat]]:
        return self.current, [(BOB, 111, 63)] if self.current else []

    async def ask(self, request: Request[RtpLogState]) -> RtpLogState:
        return await self.table.answer(request)

    def begin(self, call: CallId) -> None:
        self.current = call
        self.taps.media_began(call)
        self.taps.link_connected(BOB, 111, 63)

    def talk(self, first: int, last: int) -> None:
        for index in range(first, last):
            now_s = time.monotonic()
            self.taps.packet_sent(BOB, msgspec.structs.replace(sent(index), sent_s=now_s))
            self.taps.packet_received(BOB, heard(index, arrival_s=now_s))
            self.taps.played(FramePlayed(BOB, BOBS_SSRC, index * 960, PlayoutOutcome.PLAYED))

    def end(self) -> None:
        self.current = None
        self.taps.media_ended()

    async def until_closed(self, files: int) -> RtpLogState:
        async with asyncio.timeout(10):
            while len(self.log.state().files) < files:
                await self.news.get()
        return self.log.state()


@pytest_asyncio.fixture
async def call() -> AsyncIterator[Call]:
    under_test = Call()
    yield under_test
    await under_test.log.aclose()


def kinds(path: str | Path) -> list[str]:
    text = Path(path).read_bytes().decode()
    return [row["event"] for row in csv.DictReader(text.splitlines())]


async def test_a_file_waits_for_the_next_call_and_ends_with_it(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "call.csv"
    state = await call.ask(StartRtpLog(path=str(path)))
    assert (state.state, state.path, state.file) == ("waiting", str(path), None)
    call.begin(CALL)
    call.talk(0, 10)
    assert call.log.state().state == "logging"
    call.end()
    state = await call.until_closed(1)
    assert (state.state, state.files[0].rows, state.files[0].reason) == ("off", 23, "the call ended")
    assert kinds(path) == ["call_began", "link_connected", *["packet"] * 20, "call_ended"]
    assert call.told == [
        RtpLogStarted(path=str(path), call_id=CALL),
        RtpLogStopped(path=str(path), reason="the call ended", rows=23, rows_lost=0),
    ]
    call.begin(OTHER_CALL)  # nobody asked to log this one
    assert call.log.state().file is None


async def test_what_the_filters_do_stands_beside_the_log(call: Call, tmp_path: Path) -> None:
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    call.begin(CALL)
    off, on = processing(), processing(ProcessingSettings(EchoCancel.ON))
    call.taps.look((), SourceReading(50, 0, off), 1.0)
    assert call.log.state().processing is None
    for second, state in enumerate((on, on, off, off), 2):
        call.taps.look((), SourceReading(50 * second, 0, state), float(second))
    await call.ask(PauseRtpLog())
    call.taps.look((), SourceReading(500, 0, on), 6.0)
    call.end()
    (closed,) = (await call.until_closed(1)).files
    beside = tmp_path / "call.processing.jsonl"
    assert closed.processing == ProcessingLogFile(path=str(beside), lines=3, failure=None)
    lines = [json.loads(line) for line in beside.read_text().splitlines()]
    # As `status` has it, with its time; the last one says that nothing runs any more.
    assert [line["time_s"] for line in lines] == [2.0, 3.0, 4.0]
    assert [line["echo"]["removed_db"] for line in lines] == [35.2, 35.2, None]
    assert lines[0].keys() == {"time_s", "wall_time", *msgspec.to_builtins(on)}
    assert beside.stat().st_mode & 0o777 == 0o600


async def test_what_the_playout_does_stands_beside_the_log(call: Call, tmp_path: Path) -> None:
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv"), decisions=True))
    assert call.taps.wants_ticks
    call.begin(CALL)
    call.taps.played(tick(0, decision(PlayoutAction.PLAYED, PlayoutReason.IN_TIME, 960)))
    call.end()
    (closed,) = (await call.until_closed(1)).files
    beside = tmp_path / "call.playout.jsonl"
    size = beside.stat().st_size
    assert closed.playout == PlayoutLogs(
        decisions=PlayoutLogFile(path=str(beside), lines=1, bytes=size, failure=None),
        replay=None,
        ticks_lost=0,
    )
    assert not (tmp_path / "call.replay.jsonl").exists()
    assert call.shown_recording == []  # no voice is in it
    assert not call.taps.wants_ticks


async def test_who_logs_for_a_replay_is_shown_as_recording_from_before_the_call(
    call: Call, tmp_path: Path
) -> None:
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv"), replayable=True))
    assert call.shown_recording == [True]
    call.begin(CALL)
    call.taps.played(tick(0))
    await call.ask(PauseRtpLog())
    call.taps.played(tick(1))
    await call.ask(ResumeRtpLog())
    state = await call.ask(StopRtpLog())
    assert call.shown_recording == [True, False]
    replay = tmp_path / "call.replay.jsonl"
    assert state.files[0].playout is not None
    assert state.files[0].playout.replay is not None
    assert state.files[0].playout.replay.path == str(replay)
    assert [json.loads(line)["is"] for line in replay.read_text().splitlines()] == [
        "head",
        "speaker",
        "track",
        "tick",
        "end",
    ]


async def test_who_keeps_payloads_is_shown_as_recording_and_keeps_what_packets_carry(
    call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "call.csv"
    await call.ask(StartRtpLog(path=str(path), payload=True))
    assert call.shown_recording == [True]
    call.begin(CALL)
    call.talk(0, 3)
    call.end()
    (closed,) = (await call.until_closed(1)).files
    assert call.shown_recording == [True, False]
    assert RtpLogStarted(path=str(path), call_id=CALL, payload=True) in call.told
    assert closed.payload_bytes == 3 * 80
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = [row.payload for row in RtpLogReader(path) if row.payload]
    assert kept == [bytes(80)] * 3  # what was sent carries nothing in this test


async def test_a_replay_log_in_the_way_is_told_and_the_log_goes_on(call: Call, tmp_path: Path) -> None:
    (tmp_path / "call.replay.jsonl").write_text("mine")
    call.begin(CALL)
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv"), replayable=True))
    async with asyncio.timeout(10):
        while not isinstance(event := await call.news.get(), ObserverFailed):
            pass
    assert event.observer is Observer.PLAYOUT_LOG
    assert event.reason.endswith("call.replay.jsonl: file exists")
    call.talk(0, 3)
    call.end()
    (closed,) = (await call.until_closed(1)).files
    assert closed.rows > 6
    assert (tmp_path / "call.replay.jsonl").read_text() == "mine"


async def test_a_file_beside_the_log_that_cannot_be_made_costs_the_log_nothing(
    call: Call, tmp_path: Path
) -> None:
    beside = tmp_path / "call.processing.jsonl"
    beside.write_text("mine")
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    call.begin(CALL)
    call.taps.look((), SourceReading(50, 0, processing(ProcessingSettings(EchoCancel.ON))), 1.0)
    call.talk(0, 3)
    call.end()
    (closed,) = (await call.until_closed(1)).files
    assert (closed.rows, closed.reason) == (9, "the call ended")
    assert closed.processing == ProcessingLogFile(path=str(beside), lines=0, failure="file exists")
    assert beside.read_text() == "mine"


async def test_a_folder_gets_a_file_for_each_call(call: Call, tmp_path: Path) -> None:
    await call.ask(StartRtpLog(path=f"{tmp_path}/logs/"))
    for number, name in enumerate((CALL, OTHER_CALL), 1):
        call.begin(name)
        call.talk(0, 3)
        call.end()
        await call.until_closed(number)
    state = await call.ask(StopRtpLog())
    assert state.state == "off"
    assert [Path(file.path).parent for file in state.files] == [tmp_path / "logs"] * 2
    assert [name[:8] in file.path for name, file in zip((CALL, OTHER_CALL), state.files, strict=True)]
    assert len(list((tmp_path / "logs").iterdir())) == 2


async def test_starting_in_a_call_knows_its_links(call: Call, tmp_path: Path) -> None:
    call.begin(CALL)
    state = await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    assert (state.state, state.call) == ("logging", CALL)
    call.talk(0, 2)
    state = await call.ask(StopRtpLog())
    assert state.files[0].reason == "it was stopped"
    assert kinds(tmp_path / "call.csv") == ["call_began", "link_connected", *["packet"] * 4]
    call.talk(2, 4)  # after the end
    assert len(kinds(tmp_path / "call.csv")) == 6


async def test_a_pause_is_marked_and_holds_no_packets(call: Call, tmp_path: Path) -> None:
    call.begin(CALL)
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    call.talk(0, 2)
    assert (await call.ask(PauseRtpLog())).state == "paused"
    call.talk(2, 50)
    assert (await call.ask(ResumeRtpLog())).state == "logging"
    call.talk(50, 52)
    await call.ask(StopRtpLog())
    found = kinds(tmp_path / "call.csv")
    assert found[2:] == [*["packet"] * 4, "paused", "resumed", *["packet"] * 4]


async def test_what_was_heard_before_a_change_is_told_before_it(call: Call, tmp_path: Path) -> None:
    """The event loop learns of packets a little later than they come."""
    call.begin(CALL)
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    for change, first in ((PauseRtpLog(), 0), (ResumeRtpLog(), 2), (StopRtpLog(), 4)):
        call.taps.before_change = functools.partial(call.talk, first, first + 2)
        await call.ask(change)
        call.taps.before_change = lambda: None
    found = kinds(tmp_path / "call.csv")
    assert found[2:] == [*["packet"] * 4, "paused", "resumed", *["packet"] * 4]


async def test_a_paused_log_stays_paused_in_the_next_call(call: Call, tmp_path: Path) -> None:
    await call.ask(StartRtpLog(path=f"{tmp_path}/"))
    await call.ask(PauseRtpLog())
    call.begin(CALL)
    call.talk(0, 3)
    call.end()
    state = await call.until_closed(1)
    assert "packet" not in kinds(state.files[0].path)


async def test_what_is_not_possible_now_is_told(call: Call, tmp_path: Path) -> None:
    for request in (PauseRtpLog(), ResumeRtpLog(), StopRtpLog()):
        with pytest.raises(StateError):
            await call.ask(request)
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    with pytest.raises(StateError, match="running already"):
        await call.ask(StartRtpLog(path=str(tmp_path / "other.csv")))
    with pytest.raises(StateError, match="not paused"):
        await call.ask(ResumeRtpLog())
    assert (await call.ask(PauseRtpLog())).state == "paused", "before a call too"
    with pytest.raises(StateError, match="paused already"):
        await call.ask(PauseRtpLog())


@pytest.mark.parametrize("in_call", [False, True])
async def test_wrong_paths_leave_nothing_running(call: Call, tmp_path: Path, *, in_call: bool) -> None:
    if in_call:
        call.begin(CALL)
    existing = tmp_path / "mine.csv"
    existing.write_text("mine")
    with pytest.raises(UsageError, match="overwrites nothing"):
        await call.ask(StartRtpLog(path=str(existing)))
    with pytest.raises(UsageError, match="no folder"):
        await call.ask(StartRtpLog(path=str(tmp_path / "no" / "log.csv")))
    with pytest.raises(BlinkError):
        await call.ask(StartRtpLog(path=f"{existing}/"))
    assert (await call.ask(GetRtpLog())).state == "off"
    assert call.told == []
    assert existing.read_text() == "mine"


async def test_a_folder_that_vanishes_ends_the_log_and_says_so(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    await call.ask(StartRtpLog(path=f"{folder}/"))
    folder.rmdir()
    call.begin(CALL)
    state = await call.until_closed(1)
    assert state.state == "off"
    (stopped,) = call.told
    assert isinstance(stopped, RtpLogStopped)
    assert "No such file" in stopped.reason
    call.talk(0, 3)  # the call goes on


async def test_closing_the_session_closes_the_file(call: Call, tmp_path: Path) -> None:
    call.begin(CALL)
    await call.ask(StartRtpLog(path=str(tmp_path / "call.csv")))
    call.talk(0, 3)
    await call.log.aclose()
    await call.log.aclose()
    assert kinds(tmp_path / "call.csv").count("packet") == 6
    assert call.log.state().files[0].reason == "the session ended"


async def test_a_disk_that_never_answers_holds_nobody_up(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtp_logging, "STALLED_S", 0.05)
    monkeypatch.setattr(rtp_logging, "FINISH_S", 0.05)
    call.begin(CALL)
    await call.ask(StartRtpLog(path=str(tmp_path / "log.csv")))
    asked: list[RtpLogWriter] = []
    finish = RtpLogWriter.finish
    monkeypatch.setattr(RtpLogWriter, "finish", lambda writer: asked.append(writer))  # noqa: PLW0108 - bound, where a built-in is not
    with pytest.raises(BlinkError, match="has not taken the rest"):
        await call.ask(StopRtpLog())
    await call.log.aclose()
    finish(asked[0])
    await asyncio.to_thread(asked[0].join)
