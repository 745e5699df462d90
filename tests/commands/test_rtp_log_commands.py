"""What the commands about logs print for people, and for scripts."""

from pathlib import Path

import pytest

from blink_cli.api.typed_path import absolute_or_folder
from blink_cli.app.files.rtp_log_files import analyse_log
from blink_cli.commands.analysis_text import analysis_lines
from blink_cli.commands.rtp_log_commands import state_sentence
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.api.replies.rtp_log import PlayoutLogFile, PlayoutLogs, RtpLogFile, RtpLogState
from blink_cli.core.errors import UsageError
from blink_cli.core.ids import CallId
from blink_cli.record.rtp_log.format import HEADER, LogEvent
from blink_cli.record.rtp_log.rows import LogRows, Remark
from tests.commands.conftest import Here, Shell
from tests.record.rtp_log_parts import BOB, WALL_OFFSET_S, example_log, sent

pytestmark = pytest.mark.no_clock(sockets=True)


def test_an_analysis_is_told_in_paragraphs(tmp_path: Path) -> None:
    text = "\n".join(analysis_lines(analyse_log(example_log(tmp_path / "log.csv"))))
    assert "call c0ffee00 from 2023-11-14T22:13:30" in text
    assert "17 of 20, lost 3 (15.00%), duplicated 1, reordered 0" in text
    assert "runs 1 x 1, 1 x 2" in text
    assert "played 16, recovered 1, late 1" in text
    assert "not known: 20 s at least are needed" in text
    assert "MOS" in text
    assert "No E-model constants are agreed for Opus" in text
    assert "lost 3, last report 12.5%" in text


def test_a_log_without_packets_says_so(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(HEADER + "\n")
    assert list(analysis_lines(analyse_log(tmp_path / "log.csv")))[-1] == "the log holds no packets"


def test_a_log_without_packets_says_so_in_json_too(shell: Shell, here: Here, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text(HEADER + "\n")
    ran = here(shell, "rtp-analyze", str(log), "--json")
    assert (ran.exit_code, ran.json["streams"]) == (0, [])
    assert "holds no packets" in ran.stderr
    refused = here(shell, "rtp-log", "export", str(log), "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (2, "usage")


def test_analysing_needs_no_session(shell: Shell, here: Here, tmp_path: Path) -> None:
    log = example_log(tmp_path / "log.csv")
    ran = here(shell, "rtp-analyze", str(log), "--json")
    assert ran.exit_code == 0
    assert ran.json["schema"] == 1
    assert [stream["direction"] for stream in ran.json["streams"]] == ["received", "sent"]
    plain = here(shell, "rtp-analyze", str(log))
    assert plain.stdout.startswith(str(log))
    exported = here(shell, "rtp-log", "export", str(log), "--json")
    assert exported.json == {
        "schema": 1, "path": str(tmp_path / "log.pcap"), "format": "pcap", "packets": 38, "pauses": 0,
        "rows_lost": 0, "payloads": 0,
    }  # fmt: skip
    assert exported.stderr == ""
    assert here(shell, "rtp-log", "export", str(log)).exit_code == 1
    assert here(shell, "rtp-log", "export", str(log), "--format", "wav").exit_code == 2


def test_what_is_missing_in_a_log_is_said(shell: Shell, here: Here, tmp_path: Path) -> None:
    log = example_log(tmp_path / "log.csv")
    log.write_bytes(log.read_bytes()[:-40])
    ran = here(shell, "rtp-analyze", str(log))
    assert "1 line could not be read and was left out" in ran.stderr


def test_a_capture_says_what_looks_like_loss_in_it(shell: Shell, here: Here, tmp_path: Path) -> None:
    rows = LogRows(WALL_OFFSET_S)
    rows.take(None, Remark(LogEvent.CALL_BEGAN, 9.9, "c0ffee"))
    for index in range(3):
        rows.take(BOB, sent(10 * index))
        rows.take(None, Remark(LogEvent.PAUSED, 10.1 + index))
        rows.take(None, Remark(LogEvent.RESUMED, 10.2 + index))
    rows.take(None, Remark(LogEvent.ROWS_LOST, 14.0, packets=7))
    log = tmp_path / "log.csv"
    log.write_bytes("\r\n".join([HEADER, *rows.finished(float("inf")), ""]).encode())
    ran = here(shell, "rtp-log", "export", str(log), "--json")
    assert (ran.json["packets"], ran.json["pauses"], ran.json["rows_lost"]) == (3, 3, 7)
    assert "the log was paused 3 times; Wireshark takes that for loss" in ran.stderr
    assert "7 rows; Wireshark takes that for loss" in ran.stderr


def test_without_a_session_nothing_is_logged(shell: Shell, here: Here, tmp_path: Path) -> None:
    ran = here(shell, "rtp-log", "start", str(tmp_path / "log.csv"))
    assert ran.exit_code == 4


@pytest.mark.parametrize(
    ("given", "ending"), [("log.csv", "/log.csv"), ("logs/", "/logs/"), ("./a/../b/", "/b/")]
)
def test_a_path_is_the_commands_and_a_slash_stays(given: str, ending: str) -> None:
    assert absolute_or_folder(given).startswith("/")
    assert absolute_or_folder(given).endswith(ending)


def test_paths_are_completed_and_hidden_ones_only_when_asked_for(tmp_path: Path) -> None:
    for name in (".hidden", "a.csv", "b.csv"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    assert complete_path(f"{tmp_path}/") == [f"{tmp_path}/{name}" for name in ("a.csv", "b.csv", "folder/")]
    assert complete_path(f"{tmp_path}/.h") == [f"{tmp_path}/.hidden"]
    assert complete_path(f"{tmp_path}/no/such/") == []


def test_an_empty_path_is_a_mistake() -> None:
    with pytest.raises(UsageError):
        absolute_or_folder("")


def state(kind: str, *files: RtpLogFile, lost: int = 0, file: str | None = "/logs/a.csv") -> RtpLogState:
    return RtpLogState(
        state=kind,
        path="/logs/",
        file=file,
        call=CallId("c0ffee"),
        rows=12,
        rows_lost=lost,
        bytes=2_500_000,
        files=files,
    )


def test_every_state_has_its_sentence() -> None:
    one = RtpLogFile(path="/b.csv", rows=1, rows_lost=1, bytes=400, reason="the call ended")
    assert (
        state_sentence(state("off", one))
        == "/b.csv: 1 row, 0.4 kB, 1 row could not be written (the call ended)"
    )
    closed = RtpLogFile(path="/logs/b.csv", rows=3, rows_lost=2, bytes=400, reason="the call ended")
    assert state_sentence(state("off")) == "no RTP log is running"
    assert (
        state_sentence(state("off", closed))
        == "/logs/b.csv: 3 rows, 0.4 kB, 2 rows could not be written (the call ended)"
    )
    assert state_sentence(state("waiting")) == "the next call is logged to /logs/"
    assert "b.csv" in state_sentence(state("waiting", closed))
    assert state_sentence(state("logging")) == "logging to /logs/a.csv: 12 rows, 2.5 MB"
    assert "(paused)" in state_sentence(state("paused"))
    before_a_call = state_sentence(state("paused", file=None))
    assert before_a_call == "paused: the next call is logged to /logs/ after `rtp-log resume`"
    assert "9 rows could not be written" in state_sentence(state("logging", lost=9))


def test_what_stands_beside_a_log_is_named() -> None:
    decisions = PlayoutLogFile(path="/b.playout.jsonl", lines=9, bytes=900, failure=None)
    replay = PlayoutLogFile(path="/b.replay.jsonl", lines=9, bytes=900, failure="no space left on device")
    beside = PlayoutLogs(decisions=decisions, replay=replay, ticks_lost=3)
    one = RtpLogFile(path="/b.csv", rows=2, rows_lost=0, bytes=400, reason="the call ended", playout=beside)
    assert state_sentence(state("off", one)) == (
        "/b.csv: 2 rows, 0.4 kB (the call ended); decisions in /b.playout.jsonl, "
        "replay in /b.replay.jsonl until it failed: no space left on device, 3 ticks could not be written"
    )


@pytest.mark.parametrize("options", [(), ("--plot", "out.png")])
def test_what_a_foreign_log_says_drives_no_terminal(
    shell: Shell, here: Here, tmp_path: Path, options: tuple[str, ...]
) -> None:
    log = tmp_path / "foreign.csv"
    evil = "\x1b]0;owned\x07\x1b[2J\x9b5m$x$\u202e"
    cells = f"{evil},received,1,{{number}},{{ticks}},0,111,80" + "," * 15
    rows = [
        f"packet,{1 + number / 50},2026-01-14{evil},{cells.format(number=number, ticks=960 * number)}{evil}"
        for number in range(100)
    ]
    log.write_text("\n".join((HEADER, f"call_began,1,{evil}," + "," * 22 + evil, *rows, "")))
    ran = here(
        shell,
        "rtp-analyze",
        str(log),
        *(str(tmp_path / option) if "." in option else option for option in options),
    )
    assert ran.exit_code == 0
    assert "100 of 100" in ran.stdout
    assert all(letter.isprintable() or letter == "\n" for letter in ran.stdout + ran.stderr)
