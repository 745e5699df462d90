"""The witness of stalls sees one, and nothing where there is none."""

import ctypes
import threading
import time

from tests.support.machine_stalls import STALL_S, Disturbance, StallWitness


def test_a_thread_that_cannot_run_is_seen() -> None:
    witness = StallWitness()
    witness.start()
    try:
        witness.begin()
        # PyDLL keeps the interpreter's lock: no thread of this process runs meanwhile.
        ctypes.PyDLL(None).usleep(200_000)
        time.sleep(0.05)
        seen = witness.seen()
    finally:
        witness.stop()
    assert seen.longest_s >= 0.15
    assert seen.stalled
    assert "late" in str(seen)
    assert "stall witness" not in {thread.name for thread in threading.enumerate() if not thread.daemon}


def test_each_stretch_begins_anew() -> None:
    witness = StallWitness()
    witness._longest_s = 1.0
    witness.begin()
    assert witness.seen().longest_s == 0.0


def test_what_counts_as_a_stall() -> None:
    assert not Disturbance(STALL_S / 2, 1.0).stalled
    assert Disturbance(2 * STALL_S, 0.0).stalled
    assert Disturbance(0.0, 30.0).stalled
