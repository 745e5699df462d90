"""Asking the system to run a voice thread before others.

A tick that comes 10 ms late is a gap that everybody hears, and takes a hundredth of a core: so the two voice threads ask for round-robin
real-time scheduling at its lowest priority, as sound servers do. Where that needs a right that the user lacks, they ask for a better nice
value, and where that is refused too they run like any other thread; the statistics say which it is.

The kernel keeps a runaway real-time thread to 95 % of a core (sched(7)), and children and new threads do not inherit the priority.
"""

import os
import sys
import threading
from enum import Enum
from typing import Final

NICE: Final = -11
"""What PulseAudio gives itself by default."""


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


def make_nice() -> Urgency:
    """Give the calling thread, and threads that it starts later, a better nice value if the system allows. Linux only.

    For the event loop: it sends what the capture thread encoded, and while it holds the interpreter's lock a voice thread waits for
    it, however urgent, so it must not be kept from running by another process. Real-time scheduling is not for it: a flood of datagrams
    could then keep the machine from everything else.
    """
    if sys.platform != "linux":
        return Urgency.ORDINARY
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    except OSError:
        return Urgency.ORDINARY
    return Urgency.NICE
