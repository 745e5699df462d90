"""The wall clock of a process alone, set while it runs."""

import subprocess
import sys
import time
from os import environ
from pathlib import Path

import pytest

from tests.support.wall_clock import WallClock

PROGRAM = """
import sys, time
for _ in sys.stdin:
    print(time.time(), time.monotonic(), flush=True)
    time.sleep(0.001)
"""


def test_it_is_set_at_once_and_monotonic_time_is_the_machines(tmp_path: Path) -> None:
    clock = WallClock(tmp_path, ahead_s=3_600.0)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env={**environ, **clock.environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for ahead_s in (3_600.0, -86_400.0, 0.0):
            clock.set(ahead_s=ahead_s)
            program.stdin.write("\n")
            program.stdin.flush()
            wall_s, monotonic_s = map(float, program.stdout.readline().split())
            assert wall_s - time.time() == pytest.approx(ahead_s, abs=5.0)
            assert monotonic_s == pytest.approx(time.monotonic(), abs=5.0)
        program.stdin.close()
