"""Asking the system to run a voice thread before others.

A tick that comes 10 ms late is a gap that everybody hears, and takes a hundredth of a core: so the two voice threads ask for round-robin
real-time scheduling at its lowest priority, as sound servers do. Where that needs a right that the user lacks, they ask for a better nice
value, and where that is refused too they run like any other thread; the statistics say which it is.

The event loop asks for the same, with a guard of its own. The kernel keeps a runaway real-time thread to 95 % of a core (sched(7)), and children and new threads do not inherit the priority.
"""

import os
import signal
import sys
import threading
from enum import Enum
from types import FrameType
from typing import Final

if sys.platform == "linux":
    import resource

NICE: Final = -11
"""What PulseAudio gives itself by default."""

SWITCH_INTERVAL_S: Final = 0.001
"""For `sys.setswitchinterval`, to be set once by whoever builds the program: how long another thread, such as the event loop, may keep
the interpreter from a voice thread that has woken. Python's own 5 ms are half a tick."""

RUNAWAY_S: Final = 0.5
"""No step of the event loop takes a tenth of that."""


class Urgency(Enum):
    """How the system schedules a voice thread."""

    REAL_TIME = "real_time"
    NICE = "nice"
    ORDINARY = "ordinary"


def make_urgent() -> Urgency:
    """Raise the calling thread's priority as far as the system allows, and return how far that was. Linux only; elsewhere nothing is done."""
    if sys.platform != "linux":
        return Urgency.ORDINARY
    try:
        # 0 is the calling thread, not the process.
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        pass
    else:
        return Urgency.REAL_TIME
    return make_nice()


def make_loop_urgent() -> Urgency:
    """Raise the main thread's priority as far as the system allows, and return how far that was. Linux only; only on the main thread.

    The event loop sends what the capture thread encoded, and while it holds the interpreter's lock a voice thread waits for it, however
    urgent: kept from running by another process for 20 ms, it makes both late (measured with six busy processes on two cores: 4 % of the
    ticks more than 10 ms late, and none when the loop is as urgent as they are).

    A loop that computes for `RUNAWAY_S` without ever waiting is not serving voice any more: it is put back among the others, so that it
    cannot keep the machine from everything else (setrlimit(2), RLIMIT_RTTIME).
    """
    if sys.platform != "linux":
        return Urgency.ORDINARY
    assert threading.current_thread() is threading.main_thread(), "signals are for the main thread"
    _, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    limit_us = int(RUNAWAY_S * 1_000_000)
    if hard != resource.RLIM_INFINITY and hard < limit_us:
        return make_nice()  # the system allows less, and kills what takes it
    signal.signal(signal.SIGXCPU, _calm_down)
    resource.setrlimit(resource.RLIMIT_RTTIME, (limit_us, hard))
    return make_urgent()


def _calm_down(_number: int, _frame: FrameType | None) -> None:
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def make_nice() -> Urgency:
    """Give the calling thread a better nice value if the system allows. Linux only."""
    if sys.platform != "linux":
        return Urgency.ORDINARY
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    except OSError:
        return Urgency.ORDINARY
    return Urgency.NICE
