"""When a datagram arrived, as the kernel saw it.

The event loop may read a datagram milliseconds after it came, because it was busy or its thread waited for the
interpreter lock, or seconds after, because the whole process was stopped. Jitter measured at the reading would then be our own. Linux stamps
the datagram on arrival, which is also the time that a packet capture shows.

    kernel's stamp (wall clock) - (wall clock less monotonic clock, when it arrived) = monotonic time of arrival

The difference of the two clocks changes only when the wall clock is set: what NTP speeds up or slows down, it does to both. So it is looked at
with every datagram, and a change is a set clock. Datagrams that waited meanwhile were stamped by the clock before or behind it.
"""

import struct
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import msgspec

if sys.platform == "linux":
    import fcntl

_SIOCGSTAMPNS: Final = 0x8907
"""Linux: the arrival of the datagram that was read last from this socket, as a timespec (socket(7))."""

_TIMESPEC: Final = struct.Struct("@ll")

SET_NS: Final = 100_000
"""The difference of the two clocks is read to a fraction of a microsecond; if it has moved by more than this, the wall clock was set."""

_CALM_NS: Final = 10_000
_ATTEMPTS: Final = 5
"""Between the readings of two clocks the process can be interrupted: then they are read again, a few times."""

STALLED_NS: Final = 150_000_000
"""Running calls look every 0.1 s. Where nobody has looked for longer, datagrams may have waited as long."""

_QUEUED_NS: Final = 100_000_000
"""How long a datagram may lie in its socket while the event loop goes round."""

_DISORDER_NS: Final = 1_000_000
"""By how much the stamps of one socket may run back: they are made on several processors."""

MAX_EPOCHS: Final = 8
FORGOTTEN_NS: Final = 10_000_000_000
"""Nothing lies in a socket for so long after the loop runs again."""


def _read_clocks() -> tuple[int, int, int]:
    """The monotonic clock, the wall clock, and the monotonic clock again, in ns."""
    return time.monotonic_ns(), time.time_ns(), time.monotonic_ns()


class _Epoch(msgspec.Struct, frozen=True):
    """A time in which the wall clock was not set. Monotonic nanoseconds."""

    offset_ns: int
    """The wall clock less the monotonic clock."""

    since_ns: int
    """The last look before: it began at this moment or later."""

    until_ns: int
    """The first look behind: it ended at this moment or earlier."""


class WallClock:
    """How the wall clock stands to the monotonic clock, and how it stood before it was set. Belongs to the event loop."""

    def __init__(self, read: Callable[[], tuple[int, int, int]] = _read_clocks) -> None:
        """Take a first look. `read` returns the monotonic, the wall and again the monotonic time, in ns."""
        self._read = read
        self._past: deque[_Epoch] = deque(maxlen=MAX_EPOCHS)
        self._now_ns, self._offset_ns, _ = self._measured()
        self._since_ns = 0
        self._stalled = False
        """Whether nobody had looked for long when the wall clock was last found to be set."""

    def look(self) -> int:
        """Notice whether the wall clock was set, and return the monotonic time in ns. To be called often while datagrams may come."""
        looked_ns = self._now_ns
        now_ns, offset_ns, doubt_ns = self._measured()
        self._now_ns = now_ns
        if abs(offset_ns - self._offset_ns) > SET_NS + doubt_ns:
            self._past.append(_Epoch(self._offset_ns, self._since_ns, now_ns))
            self._offset_ns, self._since_ns = offset_ns, looked_ns
            self._stalled = now_ns - looked_ns > STALLED_NS
        elif self._past and now_ns - self._past[-1].until_ns > FORGOTTEN_NS:
            self._past.clear()
        return now_ns

    @property
    def looked_ns(self) -> int:
        """Monotonic time of the last look."""
        return self._now_ns

    def monotonic_ns(self, stamp_ns: int, not_before_ns: int) -> int:
        """Turn the kernel's stamp of a datagram that has just been read into monotonic time.

        Args:
            stamp_ns: Wall time of its arrival.
            not_before_ns: Monotonic arrival of the datagram before it in the same socket.

        """
        now_ns = self._now_ns
        current_ns = stamp_ns - self._offset_ns
        if not self._past or not_before_ns > self._past[-1].until_ns:
            return min(current_ns, now_ns)
        earliest_ns = not_before_ns - _DISORDER_NS
        possible = [
            arrival_ns
            for epoch in self._past
            if max(epoch.since_ns - _QUEUED_NS, earliest_ns)
            <= (arrival_ns := stamp_ns - epoch.offset_ns)
            <= epoch.until_ns
        ]
        if max(self._since_ns, earliest_ns) <= current_ns <= now_ns + _DISORDER_NS:
            possible.append(current_ns)
        if not possible:
            return min(max(current_ns, not_before_ns), now_ns)
        # What waited through a stall came one soon after the other; else it has hardly waited, and bears the present time.
        return min(min(possible) if self._stalled else possible[-1], now_ns)

    def _measured(self) -> tuple[int, int, int]:
        """The monotonic time, the difference of the clocks, and by how much that may be wrong."""
        before_ns, wall_ns, after_ns = self._read()
        for _ in range(_ATTEMPTS - 1):
            if after_ns - before_ns <= _CALM_NS:
                break
            again = self._read()
            if again[2] - again[0] < after_ns - before_ns:
                before_ns, wall_ns, after_ns = again
        return after_ns, wall_ns - (before_ns + after_ns) // 2, after_ns - before_ns


WALL_CLOCK: Final = WallClock()
"""This machine's."""


class ArrivalClock:
    """Tells the monotonic arrival time of the datagram that was read last from one UDP socket.

    Ask right after the read and before the next one, on the thread that read. Costs one system call and a few readings of the clocks, about
    a microsecond. Where the kernel has no stamp to give, the answer is the present.
    """

    def __init__(self, descriptor: int | None, *, wall_clock: WallClock = WALL_CLOCK) -> None:
        """Watch one socket.

        Args:
            descriptor: The socket's file descriptor; None when there is no datagram socket of our own, as with a relay over TCP. Negative: it is
                closed already, as one is by who ends while a connection is made.
            wall_clock: This machine's.

        """
        has_stamps = sys.platform == "linux" and descriptor is not None and descriptor >= 0
        self._descriptor = descriptor if has_stamps else None
        self._wall_clock = wall_clock
        self._stamp = bytearray(_TIMESPEC.size)
        self._last_ns = 0
        self.now_s()  # the first question switches the stamps on

    def now_s(self) -> float:
        """Monotonic arrival time of the last datagram, in seconds."""
        self._wall_clock.look()
        return self.arrived_s()

    def arrived_s(self) -> float:
        """The same for who has just looked at the wall clock, and reads several datagrams."""
        stamp_ns = self._stamp_ns()
        if stamp_ns is None:
            return self._wall_clock.looked_ns * 1e-9
        self._last_ns = self._wall_clock.monotonic_ns(stamp_ns, self._last_ns)
        return self._last_ns * 1e-9

    def _stamp_ns(self) -> int | None:
        if self._descriptor is None or sys.platform != "linux":
            return None
        try:
            fcntl.ioctl(self._descriptor, _SIOCGSTAMPNS, self._stamp, True)  # noqa: FBT003 - it takes no keywords
        except OSError:  # no datagram was stamped yet
            return None
        seconds, nanoseconds = _TIMESPEC.unpack(self._stamp)
        return int(seconds) * 1_000_000_000 + int(nanoseconds)
