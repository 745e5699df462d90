"""The witness of stalls sees one of the machine, none of the tests' own process, and none that is long past."""

import ctypes
import os
import signal
import time
from collections.abc import Iterator

import pytest

from blink_cli.lab.machine_stalls import STALL_S, Disturbance, StallWitness

pytestmark = pytest.mark.in_pairs


@pytest.fixture
def witness() -> Iterator[StallWitness]:
    """One that watches."""
    with StallWitness() as watching:
        yield watching


def stand_still(witness: StallWitness, seconds: float) -> None:
    """What a machine that stands still is to a process: it does not run."""
    assert witness._process is not None
    os.kill(witness._process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(witness._process.pid, signal.SIGCONT)


def test_a_machine_that_stands_still_is_seen(witness: StallWitness) -> None:
    since_s = time.monotonic()
    stand_still(witness, 0.2)
    seen = witness.seen(since_s, time.monotonic())
    assert seen.longest_s >= 0.15
    assert seen.stalled
    assert "late" in str(seen)


def test_a_call_that_holds_the_interpreter_does_not_excuse_itself(witness: StallWitness) -> None:
    since_s = time.monotonic()
    # PyDLL keeps the interpreter's lock: no thread of this process runs meanwhile.
    ctypes.PyDLL(None).usleep(300_000)
    assert witness.seen(since_s, time.monotonic()).longest_s < 0.25


def test_only_what_is_near_counts(witness: StallWitness) -> None:
    stand_still(witness, 0.2)
    witness.stalls()
    since_s = time.monotonic()
    assert witness.seen(since_s, time.monotonic()).longest_s < 0.15
    assert witness.seen(since_s - 1.0, time.monotonic()).longest_s >= 0.15


def test_a_witness_that_died_is_no_excuse() -> None:
    witness = StallWitness()
    witness.start()
    assert witness._process is not None
    witness._process.kill()
    with pytest.raises((RuntimeError, BrokenPipeError)):
        witness.seen(0.0, time.monotonic())
    witness.stop()


def test_what_counts_as_a_stall() -> None:
    assert not Disturbance(STALL_S / 2, 1.0).stalled
    assert Disturbance(2 * STALL_S, 0.0).stalled
    assert Disturbance(0.0, 30.0).stalled
