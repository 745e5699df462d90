"""A session in the background: ready when the command returns, alone from then on; and waiting for one."""

import shlex
import subprocess
from pathlib import Path

from tests.commands.conftest import BLINK, Shell, environment
from tests.support.terminals import Terminal


def test_it_asks_its_terminal_for_a_passphrase_then_outlives_it_and_holds_nothing_of_it(shell: Shell) -> None:
    assert shell.run("whoami", BLINK_PASSPHRASE="right").exit_code == 0
    here = environment(shell.data_dir)
    with Terminal([*BLINK, "serve", "--detach"], columns=200, rows=10, environment=here) as terminal:
        terminal.until("Passphrase of profile default:")
        terminal.run_line("right")
        terminal.until("ended with 0")
        assert "ready: alice" in terminal.text
    pid = shell.run("status", "--json").json["pid"]
    assert {str(Path(f"/proc/{pid}/fd/{stream}").readlink()) for stream in (0, 1, 2)} == {"/dev/null"}
    state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    group, session, terminal_number = state[2:5]
    assert (group, session, terminal_number) == (str(pid), str(pid), "0")
    assert shell.run("quit").exit_code == 0
    assert shell.run("status").exit_code == 4


def test_an_interrupted_start_leaves_no_process(shell: Shell) -> None:
    assert shell.run("whoami", BLINK_PASSPHRASE="right").exit_code == 0
    here = environment(shell.data_dir)
    # A shell with jobs: Ctrl-C is for the command alone.
    with Terminal(["bash", "--norc", "-i"], columns=200, rows=10, environment=here) as terminal:
        terminal.run_line(f"{shlex.join([*BLINK, 'serve', '--detach'])}; echo ended with $?")
        terminal.until("Passphrase of profile default:")
        terminal.press("C-c")
        terminal.until("ended with 130")
    with shell.serving(BLINK_PASSPHRASE="right"):  # nobody holds the profile
        assert shell.run("quit").exit_code == 0


def test_the_command_says_ready_and_lets_go_of_the_pipe_that_reads_it(shell: Shell) -> None:
    # `run` returns when nobody holds its pipes any more.
    ready = shell.run("serve", "--detach", "--json")
    assert (ready.exit_code, ready.json["event"], ready.stderr) == (0, "ready", "")
    assert shell.run("status", "--json").json["pid"] == ready.json["pid"]

    refused = shell.run("serve", "--detach", "--json")
    assert (refused.exit_code, refused.json["error"]["code"]) == (1, "state")
    assert f"(process {ready.json['pid']})" in refused.json["error"]["message"]
    assert shell.run("quit").exit_code == 0


def test_streams_that_were_closed_stay_out_of_its_way(shell: Shell) -> None:
    closed = f"exec {shlex.join([*BLINK, 'serve', '--detach'])} <&- >&- 2>&-"
    done = subprocess.run(["sh", "-c", closed], env=environment(shell.data_dir), timeout=60, check=False)
    pid = shell.run("status", "--json").json["pid"]
    assert {str(Path(f"/proc/{pid}/fd/{stream}").readlink()) for stream in (0, 1, 2)} == {"/dev/null"}
    assert shell.run("quit").exit_code == 0
    assert done.returncode == 0


def test_a_line_of_a_script_cannot_detach(shell: Shell) -> None:
    ran = shell.run(stdin="serve --detach\n")
    assert ran.exit_code == 2
    assert "for the command line of a shell" in ran.stderr


def test_what_cannot_start_is_told_by_the_command(shell: Shell) -> None:
    assert shell.run("serve", "--detach", "--frame-ms", "7").exit_code == 2
    assert shell.run("whoami", BLINK_PASSPHRASE="right").exit_code == 0
    ran = shell.run("serve", "--detach", BLINK_PASSPHRASE="wrong")
    assert ran.exit_code == 1
    assert "passphrase" in ran.stderr
    assert shell.run("status").exit_code == 4


def test_a_status_waits_for_a_session_that_is_coming(shell: Shell) -> None:
    with shell.running("status", "--wait", "30", "--json") as waiting:
        assert waiting.poll() is None
        with shell.serving() as process:
            stdout, _ = waiting.communicate(timeout=30)
            assert f'"pid":{process.pid}' in stdout
    assert waiting.returncode == 0


def test_a_status_does_not_wait_for_ever(shell: Shell) -> None:
    ran = shell.run("status", "--wait", "0.1", "--json")
    assert (ran.exit_code, ran.json["error"]["code"]) == (4, "no_session")
