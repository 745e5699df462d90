"""Ctrl-C ends `lab run` at once, whatever runs: cases on other processors, or real sessions."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blink_cli.lab.leftovers import processor_s

LONG = """
duration = 240
expect = ["heard"]
[matrix]
seed = [1, 2, 3]
"""
SOON_S = 6.0
"""A case takes two minutes in real time, and over 10 s of processor time in virtual."""


@pytest.mark.parametrize(("engine", "busy_s"), [("virtual", 4.0), ("real", 1.5)])
def test_it_ends_at_once_and_leaves_nothing(tmp_path: Path, engine: str, busy_s: float) -> None:
    (tmp_path / "long.toml").write_text(LONG, encoding="utf-8")
    running = subprocess.Popen(
        [sys.executable, "-m", "blink_cli", "lab", "run", "long.toml", "--engine", engine],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline_s = time.monotonic() + 30
        # At work, and not only loading: that much takes longer than the start.
        while sum(map(used_s, busy := descendants(running.pid))) < busy_s:
            assert running.poll() is None, running.stderr and running.stderr.read()
            assert time.monotonic() < deadline_s, "its processes have not started"
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        asked_at = time.monotonic()
        assert running.wait(30) == 130
        assert time.monotonic() - asked_at < SOON_S
        assert [pid for pid in busy if is_running(pid)] == []
    finally:
        running.kill()
        running.communicate()


def descendants(pid: int) -> list[int]:
    """Processes that it started, and those that they started. One that ends meanwhile has none."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in map(int, task.read_text().split()):
                found += [child, *descendants(child)]
    return found


def used_s(pid: int) -> float:
    """Processor time of a process; 0 of one that has ended."""
    try:
        return processor_s(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0


def is_running(pid: int) -> bool:
    """Whether it is there, and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
