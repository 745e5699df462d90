"""The files beside an RTP log: what the playout did, and what a replay needs; a slow disk, a file in the way, a pause."""

import json
import stat
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from blink_cli.core.ids import CallId
from blink_cli.core.media.playout_decision import PlayoutAction, PlayoutReason
from blink_cli.record.rtp_log.playout_writer import PlayoutLogWriter
from blink_cli.record.rtp_log.replay_lines import VERSION, Head
from blink_cli.record.rtp_log.replay_reader import ReplayReader
from tests.record.playout_parts import SPEAKER, TRACK, decision, tick
from tests.record.rtp_log_parts import BOB, heard

pytestmark = pytest.mark.no_clock(sockets=True)

HEAD = Head(VERSION, CallId("c0ffee00c0ffee00"), "libopus 1.6.1", {"minimum_delay_ms": 0.1}, 0.1 + 0.2)


class Files:
    """A log's writer, and what it wrote."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.failures: list[str] = []
        self.opened: Future[None] = Future()
        self.decisions, self.replay = folder / "call.playout.jsonl", folder / "call.replay.jsonl"
        wanted: dict[str, Any] = {"decisions": True, "replay": HEAD, **options}
        self.writer = PlayoutLogWriter(
            folder / "call.csv", opened=self.opened, on_failure=self.failures.append, **wanted
        )

    def close(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)
        self.writer.finish()
        self.writer.join()

    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.decisions.read_text().splitlines()]


def test_ticks_are_read_as_they_were_written_to_the_last_bit(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for number in range(300):
        files.writer.put(tick(number))
    files.close()
    head, speaker, track, *ticks, end = ReplayReader(files.replay)
    assert head == HEAD
    assert getattr(speaker, "value", None) == SPEAKER
    assert getattr(track, "value", None) == TRACK
    assert [line.at_s for line in ticks] == [10.0 + number * 0.01 for number in range(300)]  # type: ignore[union-attr]
    assert ticks[7].tracks[0].packets == (heard(7),)  # type: ignore[union-attr]
    assert ticks[7].tracks[0].gain == 10 ** (-3 / 20)  # type: ignore[union-attr]
    assert ticks[7].heard_at == 10.0 + 7 * 0.01 + 1 / 3  # type: ignore[union-attr]
    assert type(end).__name__ == "End"
    assert stat.S_IMODE(files.replay.stat().st_mode) == 0o600
    assert files.writer.totals.replay is not None
    assert files.writer.totals.replay.bytes_written == files.replay.stat().st_size


def test_a_run_is_one_line_and_everything_else_is_its_own(tmp_path: Path) -> None:
    rest = decision(PlayoutAction.BACKGROUND, PlayoutReason.PAUSE, 480)
    made_up = decision(PlayoutAction.CONCEALED, PlayoutReason.MISSING, 480)
    files = Files(tmp_path)
    for number, done in enumerate([rest] * 150 + [made_up] * 3 + [rest] * 2):
        files.writer.put(tick(number, done))
    files.close()
    assert [(line["action"], line["samples"]) for line in files.lines()] == [
        ("background", 48_000),
        ("background", 24_000),
        *[("concealed", 480)] * 3,
        ("background", 960),
    ]
    assert files.lines()[2] == {
        "time_s": 11.5,
        "peer": BOB,
        "track": 1,
        "action": "concealed",
        "reason": "missing",
        "ssrc": 7,
        "timestamp": 960,
        "sequence": 3,
        "samples": 480,
        "waited_ms": 20.125,
        "delay_ms": 33.5,
        "target_ms": 40.0,
        "frames_waiting": 2,
        "late_ms": 1.0,
        "heard": True,
    }


def test_what_does_not_fit_into_the_queue_is_counted_and_told(tmp_path: Path) -> None:
    files = Files(tmp_path, queue_ticks=50)
    for number in range(80):  # the thread waits for the log to be opened
        files.writer.put(tick(number))
    files.close()
    kinds = [type(line).__name__ for line in ReplayReader(files.replay)]
    assert kinds.count("TickLine") == 50
    assert kinds.count("Lost") == 1
    assert files.writer.totals.ticks_lost == 30


def test_a_pause_leaves_ticks_out_and_says_how_many(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for number in range(30):
        files.writer.set_paused(10 <= number < 20)
        files.writer.put(tick(number))
    files.close()
    lines = list(ReplayReader(files.replay))
    assert [getattr(line, "ticks", None) for line in lines if type(line).__name__ == "Lost"] == [11]
    assert files.writer.totals.ticks_lost == 0


def test_what_is_played_a_moment_after_the_call_is_logged_too(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.opened.set_result(None)
    files.writer.put(tick(0))
    files.writer.finish_when_quiet()
    for number in range(1, 40):
        files.writer.put(tick(number))
    files.writer.join()
    kinds = [type(line).__name__ for line in ReplayReader(files.replay)]
    assert (kinds.count("TickLine"), kinds[-1]) == (40, "End")


def test_a_file_in_the_way_costs_the_other_one_nothing(tmp_path: Path) -> None:
    (tmp_path / "call.playout.jsonl").write_text("mine")
    files = Files(tmp_path)
    files.writer.put(tick(0))
    files.close()
    assert files.decisions.read_text() == "mine"
    assert files.failures == [f"{files.decisions}: file exists"]
    assert len(list(ReplayReader(files.replay))) == 5


def test_nothing_is_made_beside_a_log_that_cannot_be(tmp_path: Path) -> None:
    files = Files(tmp_path)
    files.opened.set_exception(FileExistsError())
    files.writer.put(tick(0))
    files.close()
    assert list(tmp_path.iterdir()) == []
    assert files.failures == []
