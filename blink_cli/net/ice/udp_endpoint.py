"""The UDP socket of one candidate, with the interface of asyncio's transports, whose datagrams another thread than the event loop's may read.

asyncio's own wakes the event loop for every datagram. Voice is looked at every 10 ms, by the playout thread: once a link carries voice its socket is
left to that thread's round (net/link/media_round.py), and the event loop sleeps on.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Final

from typing_extensions import override

MAX_DATAGRAM_BYTES: Final = 2_048
"""More than anything that is taken; what is longer is cut, and refused for its length. A buffer for every datagram costs by its size."""

READ_AT_ONCE: Final = 16
"""Datagrams of one turn of the event loop, so that a flood leaves it to others too."""


class UdpEndpoint(asyncio.DatagramTransport):
    """Owns a bound socket. Belongs to the event loop, but for `receive`, which another thread may call until it is closed."""

    def __init__(self, sock: "socket.socket", protocol: asyncio.DatagramProtocol) -> None:
        """Begin to read, on the running event loop; `protocol` is told as asyncio would tell it."""
        super().__init__({"socket": sock, "sockname": sock.getsockname()})
        sock.settimeout(0)
        self.socket: Final = sock
        """What is read from and sent by."""

        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self.is_closed = False
        """Whether nothing is read and sent any more."""

        self._taken_back: Callable[[], None] | None = None
        protocol.connection_made(self)
        self._loop.add_reader(sock, self._readable)

    # who reads

    def leave_to(self, taken_back: Callable[[], None]) -> None:
        """Let somebody else read from now on; `taken_back` is called when that must end, before the socket is closed."""
        assert self._taken_back is None, "one reader at a time"
        self._loop.remove_reader(self.socket)
        self._taken_back = taken_back

    @property
    def is_left(self) -> bool:
        """Whether somebody else reads."""
        return self._taken_back is not None

    def take_back(self) -> None:
        """Read on the event loop again. No harm if it does."""
        taken_back, self._taken_back = self._taken_back, None
        if taken_back is not None:
            taken_back()
            if not self.is_closed:
                self._loop.add_reader(self.socket, self._readable)

    def receive(self) -> tuple[bytes, Any] | None:
        """Read one datagram and its source; None when there is none, or the system told of an error, which is told on."""
        try:
            return self.socket.recvfrom(MAX_DATAGRAM_BYTES)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            self.tell_refused(error)
            return None

    def _readable(self) -> None:
        for _ in range(READ_AT_ONCE):
            received = self.receive()
            if received is None:
                return
            self._protocol.datagram_received(*received)
            if self.is_closed or self._taken_back is not None:
                return

    # asyncio.DatagramTransport

    @override
    def sendto(self, data: Any, addr: Any = None) -> None:
        if self.is_closed:
            return
        try:
            self.socket.sendto(data, addr)
        except (BlockingIOError, InterruptedError):
            pass  # its buffer is full: what is said here is said again
        except OSError as error:
            self.tell_refused(error)

    @override
    def is_closing(self) -> bool:
        return self.is_closed

    @override
    def close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        if self._taken_back is None:
            self._loop.remove_reader(self.socket)
        else:
            self.take_back()
        self._loop.call_soon(self._lost)

    @override
    def abort(self) -> None:
        self.close()

    def _lost(self) -> None:
        try:
            self._protocol.connection_lost(None)
        finally:
            self.socket.close()

    def tell_refused(self, error: OSError) -> None:
        """Have the protocol told, on the event loop, that the system did not send or deliver a datagram. Any thread."""
        # Not at once: this may be another thread, or the middle of a packet's way.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._refused, error)

    def _refused(self, error: OSError) -> None:
        if not self.is_closed:
            self._protocol.error_received(error)


def bound_socket(address: str) -> socket.socket:
    """Open a UDP socket on a local address, which may have a zone, and any port.

    Raises:
        OSError: It cannot be bound now.

    """
    family, kind, protocol, _, place = socket.getaddrinfo(
        address, 0, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.bind(place)
    except BaseException:
        opened.close()
        raise
    return opened
