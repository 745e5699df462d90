"""Sessions as processes: ready, told to end in every way, refused twice, killed."""

import json
import signal
import time

import pytest

from tests.commands.conftest import Shell
from tests.support.scripted_session import ALICE

pytestmark = pytest.mark.real_time


def test_ready_is_one_line_of_the_contract(shell: Shell) -> None:
    with shell.running("serve", "--nickname", "Alice A.", "--json") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {
            "schema": 1, "event": "ready", "profile": "default", "did": ALICE, "nickname": "Alice A.", "pid": process.pid,
        }  # fmt: skip
        assert shell.run("status", "--json").json["pid"] == process.pid


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(shell: Shell, number: signal.Signals) -> None:
    with shell.serving() as process:
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
        assert (process.returncode, stdout, stderr) == (0, "", "")
    assert [path for path in shell.data_dir.rglob("*") if path.suffix in {".sock", ".lock"}] == []


def test_quit_returns_when_the_profile_is_free(shell: Shell) -> None:
    for _ in range(2):
        with shell.serving() as process:
            assert shell.run("quit").exit_code == 0
            with shell.serving() as next_one:
                assert next_one.pid != process.pid
            assert process.wait(timeout=30) == 0


def test_a_second_session_is_refused_and_told_which_process_has_the_profile(shell: Shell) -> None:
    with shell.serving() as first:
        second = shell.run("serve")
        assert second.exit_code == 1
        assert f"(process {first.pid})" in second.stderr
        assert shell.run("--profile", "bob", "status").exit_code == 4
        with shell.serving("--profile", "bob"):
            assert shell.run("--profile", "bob", "status", "--json").json["profile"] == "bob"


def test_a_killed_session_is_no_session_and_blocks_no_other(shell: Shell) -> None:
    with shell.serving() as process:
        process.kill()
        process.wait()
        assert shell.run("status").exit_code == 4
        with shell.serving():
            assert shell.run("status").exit_code == 0


def test_a_stopped_session_is_not_waited_for_without_end(shell: Shell) -> None:
    with shell.serving() as process:
        process.send_signal(signal.SIGSTOP)
        begun_s = time.monotonic()
        ran = shell.run("status")
        assert ran.exit_code == 1
        assert "does not answer" in ran.stderr
        assert time.monotonic() - begun_s < 30
        process.send_signal(signal.SIGCONT)


def test_offer_without_a_session_runs_its_own(shell: Shell) -> None:
    with shell.running("offer", "bob", "--input", "silence", "--output", "null", "--json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["schema"] == 1
        assert shell.run("status", "--json").json["input"] == "silence"
        assert shell.run("leave").exit_code == 0
        assert process.wait(timeout=30) == 0
    assert shell.run("status").exit_code == 4


def test_accept_without_a_session_waits_for_a_call_and_holds_it(shell: Shell) -> None:
    ran = shell.run("accept", "--hold", "0.05", BLINK_TEST_RINGS="1")

    assert (ran.exit_code, ran.stdout) == (0, "beef0000beef0000beef0000beef0000\n")


def test_an_interrupted_foreground_call_ends_with_130(shell: Shell) -> None:
    with shell.running("accept") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == "waiting for a call\n"
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        assert (process.returncode, stderr) == (130, "")


SCRIPT = """
# a comment, then a blank line

whoami
  mute
status --json
"""


def test_piped_lines_run_without_a_prompt(shell: Shell) -> None:
    ran = shell.run(stdin=SCRIPT)

    assert ran.exit_code == 0
    first, second = ran.stdout.splitlines()
    assert first == f"alice {ALICE}"
    assert json.loads(second)["muted"] is True
    assert "blink>" not in ran.stdout + ran.stderr


def test_a_pipe_stops_at_the_first_failure_with_its_code(shell: Shell) -> None:
    ran = shell.run("repl", "--input", "silence", stdin="mute\ngain dave 0\nwhoami\n")

    assert (ran.exit_code, ran.stdout) == (3, "")
    assert "stopped at line 2: gain dave 0" in ran.stderr


def test_keep_going_goes_on_and_ends_with_the_first_failure(shell: Shell) -> None:
    ran = shell.run("--keep-going", stdin="gain dave 0\nset-input null\nset-input 'open\nwhoami\n")

    assert ran.exit_code == 3
    assert ran.stdout == f"alice {ALICE}\n"


def test_piped_json_is_one_document_a_line_errors_included(shell: Shell) -> None:
    ran = shell.run("--json", stdin="whoami\ngain dave 0\n")

    documents = [json.loads(line) for line in ran.stdout.splitlines()]
    assert documents[0]["did"] == ALICE
    assert documents[1]["error"]["code"] == "not_found"


def test_piped_lines_go_to_the_session_that_runs(shell: Shell) -> None:
    with shell.serving() as process:
        ran = shell.run("--json", stdin="status\n")
        assert ran.json["pid"] == process.pid
        assert process.poll() is None


def test_a_line_quits_the_scripts_own_session(shell: Shell) -> None:
    assert shell.run(stdin="quit\n").exit_code == 0
