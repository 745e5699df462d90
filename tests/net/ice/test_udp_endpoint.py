import asyncio
import errno
import socket
from typing import Any

import pytest
from typing_extensions import override

from blink_cli.net.ice.udp_endpoint import READ_AT_ONCE, UdpEndpoint, bound_socket

pytestmark = pytest.mark.in_pairs


class Protocol(asyncio.DatagramProtocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.made: list[asyncio.BaseTransport] = []
        self.lost: list[Exception | None] = []
        self.errors: list[Exception] = []
        self.came: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()
        self.changed = asyncio.Event()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.made.append(transport)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.append(exc)
        self.changed.set()

    @override
    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)
        self.changed.set()

    @override
    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.came.put_nowait((data, addr))


async def test_it_tells_a_protocol_what_asyncio_would_tell() -> None:
    one, other = Protocol(), Protocol()
    first, second = UdpEndpoint(bound_socket("127.0.0.1"), one), UdpEndpoint(bound_socket("127.0.0.1"), other)
    assert one.made == [first]
    for number in range(2 * READ_AT_ONCE):
        first.sendto(bytes([number]), second.get_extra_info("sockname"))
    for number in range(2 * READ_AT_ONCE):
        assert await other.came.get() == (bytes([number]), first.get_extra_info("sockname"))
    for endpoint, protocol in ((first, one), (second, other)):
        endpoint.close()
        endpoint.close()
        assert endpoint.is_closing()
        await protocol.changed.wait()
        assert protocol.lost == [None]
        endpoint.sendto(b"late", second.get_extra_info("sockname"))
        assert endpoint.socket.fileno() == -1


async def test_somebody_else_reads_until_the_socket_is_taken_back() -> None:
    protocol, sender = Protocol(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    endpoint = UdpEndpoint(bound_socket("127.0.0.1"), protocol)
    taken_back = []
    with sender:
        endpoint.leave_to(lambda: taken_back.append(True))
        sender.sendto(b"voice", endpoint.get_extra_info("sockname"))
        await asyncio.sleep(0)
        assert protocol.came.empty()
        received = endpoint.receive()
        assert received is not None
        assert received[0] == b"voice"
        assert endpoint.receive() is None
        sender.sendto(b"more", endpoint.get_extra_info("sockname"))
        endpoint.take_back()
        assert taken_back == [True]
        assert (await protocol.came.get())[0] == b"more"
        endpoint.take_back()  # no harm
        endpoint.leave_to(lambda: taken_back.append(True))
        endpoint.close()
        assert taken_back == [True, True]
        await protocol.changed.wait()


async def test_what_the_system_refuses_is_told_and_what_is_told_late_is_not() -> None:
    protocol = Protocol()
    endpoint = UdpEndpoint(bound_socket("127.0.0.1"), protocol)
    endpoint.sendto(bytes(70_000), endpoint.get_extra_info("sockname"))
    assert not protocol.errors  # never from within the sending
    await protocol.changed.wait()
    assert [getattr(error, "errno", None) for error in protocol.errors] == [errno.EMSGSIZE]
    endpoint.tell_refused(OSError("late"))
    endpoint.close()
    protocol.changed.clear()
    await protocol.changed.wait()
    assert len(protocol.errors) == 1
    assert protocol.lost == [None]


def test_an_address_that_is_not_ours_cannot_be_bound() -> None:
    with pytest.raises(OSError, match="address"):
        bound_socket("192.0.2.1")
