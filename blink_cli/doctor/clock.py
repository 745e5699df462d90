"""The wall clock: against the kernel's, against its own past, and against those of the peers. Signals are dated, and a wrong clock makes them stale."""

import ctypes
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from blink_cli.core.api.replies.peers import WrongClock
from blink_cli.core.text.clock_words import clock_difference
from blink_cli.doctor.finding import Finding, failed, fine, unknown, warning
from blink_cli.doctor.situation import Situation

NAME: Final = "clock"
PEERS: Final = "clock-peers"

TOLERATED_S: Final = 60.0
"""Less is how ordinary clocks differ (core/text/clock_words.py)."""

_TIME_ERROR: Final = 5
_SET_IT: Final = "Set the clock: `timedatectl set-ntp true` (Linux), or the date settings of the system."


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), on 64-bit systems."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("fraction", ctypes.c_long),
        ("more", ctypes.c_long * 24),
    )


def look(situation: Situation) -> Iterator[Finding]:
    """Compare it with all that is there to compare it with."""
    now_s = time.time()
    yield _own(situation, now_s)
    if (running := situation.running) is not None:
        alive = sum(1 for peer in running.peers.peers if peer.alive)
        yield judged_by_peers(running.status.wrong_clocks, alive)


def _own(situation: Situation, now_s: float) -> Finding:
    text = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now_s))
    newest_s = max((_changed_s(path) for path in (situation.profile.data_dir, Path(__file__))), default=0.0)
    if newest_s - now_s > TOLERATED_S:
        return failed(
            NAME,
            f"it says {text}, which is before files of this program and profile were written ({clock_difference(now_s - newest_s)} them)",
            _SET_IT,
        )
    kernel = _kernel_clock()
    if kernel is None:
        return unknown(NAME, f"it says {text}; whether it is synchronised is not told here")
    synchronised, kernel_s = kernel
    if abs(now_s - kernel_s) > TOLERATED_S:
        return failed(
            NAME,
            f"the clock that this process sees is {clock_difference(now_s - kernel_s)} the system's: something changes it (libfaketime?)",
            "Run blink without it: look at LD_PRELOAD.",
        )
    if not synchronised:
        return warning(
            NAME,
            f"it says {text}, and the kernel calls it not synchronised",
            f"{_SET_IT} In a container the host may keep it all the same.",
        )
    return fine(NAME, f"it says {text}, synchronised")


def judged_by_peers(wrong: Sequence[WrongClock], alive: int) -> Finding:
    """Say what the peers' clocks tell of this one.

    Args:
        wrong: Those that differ by a minute or more.
        alive: How many peers are there.

    """
    if not wrong:
        if alive:
            return fine(
                PEERS, f"it agrees with {'that of one peer' if alive == 1 else f'those of {alive} peers'}"
            )
        return unknown(PEERS, "no peer is there to compare it with")
    ahead_s = sorted(one.ahead_s for one in wrong)
    told = "; ".join(
        f"{one.nickname or one.did}'s clock is {clock_difference(one.ahead_s)} this one" for one in wrong
    )
    alike = ahead_s[-1] - ahead_s[0] < TOLERATED_S
    if alike and len(wrong) >= max(alive, 2):
        difference = clock_difference(-ahead_s[0])
        return failed(PEERS, f"this machine's clock is {difference} those of all {len(wrong)} peers", _SET_IT)
    remedy = (
        f"One of the two is wrong, here or there. {_SET_IT}"
        if len(wrong) == 1
        else f"Compare them. {_SET_IT}"
    )
    return failed(PEERS, told, remedy)


def _kernel_clock() -> tuple[bool, float] | None:
    """Whether the kernel calls its clock synchronised, and what it says; None where that is not told."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_long) != 8:
        return None
    timex = _Timex()
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else (state != _TIME_ERROR, float(timex.seconds))


def _changed_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
