"""The commands about recordings: what they ask, what they say, and what they do without a session."""

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from blink_cli.commands.record_commands import complete_exported, complete_format
from tests.commands.conftest import Here, Shell, environment
from tests.record.recording.test_recording import plan_for
from tests.record.simulated_call import ALICE, BOB, START_S, Link, Sender, record

pytestmark = pytest.mark.no_clock(sockets=True)


def test_a_recording_from_start_to_stop_in_sentences_and_documents(served: Shell, tmp_path: Path) -> None:
    assert served.run("record", "start").exit_code == 1
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        begun = served.run("record", "start", "here", "--format", "wav,mp4,wav")
        assert begun.stderr == f"recording to {Path.cwd() / 'here' / 'x.part.mp4'}\n"
        assert begun.stdout == ""
        status = served.run("record", "status")
        assert status.stdout.startswith("recording alice, bob for 12 s, to ")
        assert "3 packets were dropped" in status.stdout
        assert served.run("record", "status", "--json").json["recording"]
        assert served.run("record", "mark", "now").stderr == "marked at 3.2 s\n"
        several = served.run("record", "mark", "carol", "came", "in", "--json").json
        assert several["text"] == "carol came in"
        assert served.run("record", "mark", "now", "--json").json == {"schema": 1, "at_s": 3.2, "text": "now"}
        stopped = served.run("record", "stop", "--json").json
        assert stopped["schema"] == 1
        (file,) = stopped["files"]
        assert set(file) == {"path", "kind", "participants", "duration_s"}
        assert [person["nickname"] for person in file["participants"]] == ["alice", "bob"]
        idle = served.run("record", "status").stdout.splitlines()
        assert idle == ["not recording", "unfinished: /left/y.part.mp4; `blink record repair` finishes it"]
    finally:
        served.run("leave")


def test_without_a_session_only_what_needs_none_works(shell: Shell, tmp_path: Path) -> None:
    for command in ("start", "stop", "mark x"):
        assert shell.run("record", *command.split(), "--json").json["error"]["code"] == "no_session"
    status = shell.run("record", "status", "--json")
    assert status.exit_code == 0
    assert not status.json["recording"]
    assert status.json["leftovers"] == []
    for command in ("repair", "export"):
        missing = shell.run("record", command, str(tmp_path / "none.part.mp4"), "--json")
        assert missing.exit_code == 3
        assert missing.json["error"]["code"] == "not_found"
        assert missing.json["error"]["hint"]


def test_a_format_that_does_not_exist_is_a_mistake(shell: Shell, tmp_path: Path) -> None:
    done = shell.run("record", "start", "--format", "mp4,ogg")
    assert done.exit_code == 2
    assert "'ogg' is not a format" in done.stderr
    assert shell.run("record", "export", str(tmp_path), "--format", "mp4").exit_code == 2


def test_formats_complete_behind_a_comma() -> None:
    assert complete_format("") == ["mp4", "wav", "opus", "mix"]
    assert complete_format("m") == ["mp4", "mix"]
    assert complete_format("mp4,w") == ["mp4,wav"]
    assert complete_format("mp4,m") == ["mp4,mix"]
    assert complete_exported("") == ["wav", "opus", "mix"]
    assert complete_exported("wav,m") == ["wav,mix"]


def test_an_export_offers_what_it_can_make(shell: Shell, here: Here) -> None:
    assert "mp4" not in here(shell, "record", "export", "--help").stdout
    assert "mp4" in here(shell, "record", "start", "--help").stdout


def test_a_marker_of_blanks_is_a_mistake(shell: Shell, here: Here) -> None:
    for words in (("",), (" ", "\t")):
        ran = here(shell, "record", "mark", *words, "--json")
        assert (ran.exit_code, ran.json["error"]["code"]) == (2, "usage")


def test_what_is_shown_of_a_path_has_no_detours(shell: Shell, here: Here, tmp_path: Path) -> None:
    ran = here(shell, "record", "repair", f"{tmp_path}/a/../gone.part.mp4")
    assert f"{tmp_path}/gone.part.mp4" in ran.stderr


def test_the_shell_completes_the_path_of_a_recording(served: Shell, tmp_path: Path) -> None:
    (tmp_path / "blink-1.part.mp4").touch()
    words = f"blink record repair {tmp_path}/bl"
    completed = served.run(_BLINK_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD="3")
    assert completed.stdout.split() == [f"{tmp_path}/blink-1.part.mp4"]


def test_an_export_shows_a_bar_to_those_who_watch_and_its_files_on_stdout(
    shell: Shell, tmp_path: Path
) -> None:
    senders = [Sender(ALICE, 0, [Link(-9, 99, 1, 5)], own=True), Sender(BOB, 0, [Link(-9, 99, 2, 5)])]
    recording = record(plan_for(tmp_path, *senders), senders, duration_s=4)
    recording.finish(START_S + 4, "stopped")
    terminal, other_end = pty.openpty()
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "blink_cli",
                "record",
                "export",
                recording.paths.final.name,
                "--format",
                "wav,mix",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=other_end,
            cwd=tmp_path,
            env=environment(shell.data_dir, TERM="xterm"),
            text=True,
            check=True,
            timeout=60,
        )
        assert select.select([terminal], [], [], 5)[0]
        shown = b""
        while select.select([terminal], [], [], 0)[0]:  # all of it is there: the command has ended
            shown += os.read(terminal, 65536)
    finally:
        os.close(other_end)
        os.close(terminal)
    assert b"exporting" in shown
    # How loud everybody is stands beside the files, not among them.
    assert re.search(rb"Alice: -\d+\.\d LUFS, range \d+\.\d LU, peak -?\d+\.\d dBTP", shown)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["wav", "wav", "mix"]
    assert all(Path(line.split()[-1]).is_file() for line in lines)
