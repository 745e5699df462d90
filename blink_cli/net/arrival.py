"""When a datagram arrived, as the kernel saw it.

The event loop may read a datagram milliseconds after it came, because it was busy or its thread waited for the
interpreter lock. Jitter measured at the reading would then be our own. Linux stamps the datagram on arrival, which is
also the time that a packet capture shows.
"""

import struct
import sys
import time
from typing import Final

if sys.platform == "linux":
    import fcntl

_SIOCGSTAMPNS: Final = 0x8907
"""Linux: the arrival of the datagram that was read last from this socket, as a timespec (socket(7))."""

_TIMESPEC: Final = struct.Struct("@ll")
_MAX_WAIT_S: Final = 1.0
"""A datagram that seems to have waited longer, or a negative time, is a wall clock that was set meanwhile."""


class ArrivalClock:
    """Tells the monotonic arrival time of the datagram that was read last from one UDP socket.

    Ask right after the read and before the next one, on the thread that read. Costs one system call, about half a
    microsecond. Where the kernel has no stamp to give, the answer is the present.
    """

    def __init__(self, descriptor: int | None) -> None:
        """Watch one socket.

        Args:
            descriptor: The socket's file descriptor; None when there is no socket of our own, as with a relay.

        """
        self._descriptor = descriptor if sys.platform == "linux" else None
        self._stamp = bytearray(_TIMESPEC.size)
        self.now_s()  # the first question switches the stamps on

    def now_s(self) -> float:
        """Monotonic arrival time of the last datagram, in seconds."""
        now_s = time.monotonic()
        if self._descriptor is None or sys.platform != "linux":
            return now_s
        wall_s = time.time()
        try:
            fcntl.ioctl(self._descriptor, _SIOCGSTAMPNS, self._stamp, True)  # noqa: FBT003 - it takes no keywords
        except OSError:  # no datagram was stamped yet
            return now_s
        seconds, nanoseconds = _TIMESPEC.unpack(self._stamp)
        waited_s = wall_s - (seconds + nanoseconds * 1e-9)
        return now_s - waited_s if 0.0 < waited_s < _MAX_WAIT_S else now_s
