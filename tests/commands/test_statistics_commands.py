"""`rtp-stats --watch` on a real terminal: redrawn in its own place, and left standing at the end."""

import os
import pty
import re
import select
import signal
import subprocess
import time

from tests.commands.conftest import BLINK, Shell, environment

CURSOR_UP = re.compile(rb"\x1b\[(\d*)A")
PATIENCE_S = 20.0


def test_watching_draws_in_one_place_on_a_terminal(served: Shell) -> None:
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        shown, code = watched(served)
    finally:
        served.run("leave")
    assert code == 130
    frames = CURSOR_UP.split(shown)
    assert len(frames) > 2, shown
    assert shown.count(b"bob") >= 3, "the same row again and again"
    assert b"\x1b[?25h" in shown[-200:], "the cursor is back"


def watched(shell: Shell) -> tuple[bytes, int]:
    """What a terminal gets of three refreshes and a Ctrl-C."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [*BLINK, "rtp-stats", "--watch"],
        stdin=subprocess.DEVNULL,
        stdout=other_end,
        stderr=subprocess.DEVNULL,
        env=environment(shell.data_dir, TERM="xterm", COLUMNS="200", LINES="40"),
    )
    os.close(other_end)
    shown, deadline_s = b"", time.monotonic() + PATIENCE_S
    interrupted = False
    try:
        while time.monotonic() < deadline_s:
            if not select.select([terminal], [], [], 0.1)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not interrupted and shown.count(b"bob") >= 3:
                process.send_signal(signal.SIGINT)
                interrupted = True
        return shown, process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def test_watching_through_a_pipe_prints_table_after_table(served: Shell) -> None:
    assert served.run("offer", "bob", "--wait", "5").exit_code == 0
    try:
        with served.running("rtp-stats", "--watch") as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(8)]
    finally:
        served.run("leave")
    assert not any("\x1b" in line for line in lines)
    assert sum("mos" in line for line in lines) == 2


def test_watching_without_a_call_says_so(served: Shell) -> None:
    ran = served.run("rtp-stats", "--watch")
    assert ran.exit_code == 1
    assert "not in a call" in ran.stderr
