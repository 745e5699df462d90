import os
import subprocess
import sys
import threading

import pytest

from blink_cli.audio.thread_priority import NICE, Urgency, make_urgent

pytestmark = pytest.mark.real_time


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows these calls")
def test_a_thread_gets_what_it_is_told_and_no_other_thread_changes() -> None:
    seen: list[tuple[Urgency, int, int]] = []

    def run() -> None:
        urgency = make_urgent()
        own = threading.get_native_id()
        seen.append(
            (
                urgency,
                os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK,
                os.getpriority(os.PRIO_PROCESS, own),
            )
        )

    before = os.sched_getscheduler(0)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    ((urgency, policy, nice),) = seen
    assert (policy == os.SCHED_RR) == (urgency is Urgency.REAL_TIME)
    assert (nice == NICE) == (urgency is Urgency.NICE)
    assert os.sched_getscheduler(0) == before


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows these calls")
def test_a_refusal_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    monkeypatch.setattr(os, "setpriority", refuse)
    assert make_urgent() is Urgency.ORDINARY


LOOP = """
import os, time
from blink_cli.audio.thread_priority import RUNAWAY_S, Urgency, make_loop_urgent
urgency = make_loop_urgent()
before = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
end = time.thread_time() + 2 * RUNAWAY_S
while time.thread_time() < end:
    pass
print(urgency.value, before == os.SCHED_RR, os.sched_getscheduler(0) == os.SCHED_OTHER)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows these calls")
def test_a_loop_that_runs_away_is_put_back_among_the_others_and_lives() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOP], capture_output=True, text=True, check=False, timeout=60
    )
    urgency, was_real_time, is_ordinary = done.stdout.split()
    assert done.returncode == 0, done.stderr
    assert (urgency == "real_time") == (was_real_time == "True")
    assert is_ordinary == "True"
