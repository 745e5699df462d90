import os
import sys
import threading

import pytest

from blink_cli.audio.urgency import NICE, Urgency, make_urgent


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
