"""How the clocks of this machine stand: wall against monotonic, whether the system keeps the wall clock right, and which machine it is."""

import ctypes
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from blink_cli.core.media.clock_message import NO_IDENTITY
from blink_cli.core.media.one_way_delay import MachineClock

READ_EVERY_S: Final = 8.0
"""The system's error grows by 500 millionths while nobody corrects the clock: by 4 ms in that time, at most."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_TIME_NAMESPACE: Final = Path("/proc/self/ns/time")
_ATTEMPTS: Final = 3
_TIME_ERROR: Final = 5
"""ntp_gettime's answer for a clock that nobody synchronises."""


class _NtpTime(ctypes.Structure):
    """`struct ntptimeval` of glibc and musl."""

    _fields_ = (
        ("seconds", ctypes.c_long),
        ("microseconds", ctypes.c_long),
        ("max_error_us", ctypes.c_long),
        ("estimated_error_us", ctypes.c_long),
        ("tai", ctypes.c_long),
        ("reserved", ctypes.c_long * 4),
    )


def _ntp_time() -> Callable[[ctypes.Structure], int] | None:
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None).ntp_gettimex
    except (OSError, AttributeError):
        return None
    return lambda answer: int(function(ctypes.byref(answer)))


_NTP_TIME: Final = _ntp_time()


def wall_clock_error_s() -> float | None:
    """By how much the system says that its wall clock is wrong at most; None where it is not synchronised, or does not say (ntp_gettime(3))."""
    answer = _NtpTime()
    if _NTP_TIME is None or _NTP_TIME(answer) in {-1, _TIME_ERROR}:
        return None
    return float(answer.max_error_us) / 1e6


def clock_name() -> bytes | None:
    """What names the monotonic clock that this process reads: the boot of its kernel, and its time namespace. None where it has no name.

    It is the same in all containers of one machine, and not for other eyes: `ClockReader` hashes it for each link anew.
    """
    try:
        return _BOOT_ID.read_bytes() + str(_TIME_NAMESPACE.readlink()).encode()
    except OSError:
        return None


class ClockReader:
    """Reads them for one link. Belongs to the event loop."""

    def __init__(self, link: bytes) -> None:
        """`link` is what both ends of the link know, and nobody else."""
        name = clock_name()
        self._identity = NO_IDENTITY
        if name is not None:
            key = hashlib.blake2s(link).digest()
            self._identity = hashlib.blake2s(name, key=key, digest_size=8).digest()
        self._read_again_at = 0.0
        self._error_s: float | None = None

    def read(self) -> MachineClock:
        """As they stand now."""
        now_s, offset_s = _wall_offset()
        if now_s >= self._read_again_at:
            self._read_again_at = now_s + READ_EVERY_S
            self._error_s = wall_clock_error_s()
        return MachineClock(offset_s, self._error_s, self._identity)


def _wall_offset() -> tuple[float, float]:
    """The monotonic time, and the wall clock less it: of some readings the one that was interrupted least."""
    readings = [(time.monotonic(), time.time(), time.monotonic()) for _ in range(_ATTEMPTS)]
    before_s, wall_s, after_s = min(readings, key=lambda reading: reading[2] - reading[0])
    return after_s, wall_s - (before_s + after_s) / 2
