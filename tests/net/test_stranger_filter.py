"""Real sockets: the peer is heard, strangers are not, and only while they flood."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from blink_cli.net.stranger_filter import CLOSED_S, FLOOD_DATAGRAMS, StrangerFilter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="socket filters of this kind are Linux's own")


@pytest.fixture(params=["127.0.0.1", "::1"])
def sockets(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket, socket.socket]]:
    """The ear, its peer and a stranger."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with ExitStack() as stack:
        three = [stack.enter_context(socket.socket(family, socket.SOCK_DGRAM)) for _ in range(3)]
        for one in three:
            try:
                one.bind((request.param, 0))
            except OSError:
                pytest.skip(f"this machine has no {request.param}")
        three[0].settimeout(0)
        for one in three[1:]:
            one.connect(three[0].getsockname()[:2])
        yield three[0], three[1], three[2]


def heard(ear: socket.socket) -> list[bytes]:
    found = []
    while True:
        try:
            found.append(ear.recv(100))
        except BlockingIOError:
            return found


def test_strangers_are_shut_out_while_they_flood(
    sockets: tuple[socket.socket, socket.socket, socket.socket],
) -> None:
    ear, peer, stranger = sockets
    gate = StrangerFilter(ear.fileno(), lambda: [("192.0.2.1", 9), peer.getsockname()[:2]])

    def speak() -> list[bytes]:
        peer.send(b"voice")
        stranger.send(b"garbage")
        return heard(ear)

    assert speak() == [b"voice", b"garbage"]
    for _ in range(FLOOD_DATAGRAMS - 1):
        gate.refused(1.0)
    assert speak() == [b"voice", b"garbage"], "not yet a flood"
    gate.refused(1.0)
    assert gate.closings == 1
    assert speak() == [b"voice"]
    gate.look(1.0 + CLOSED_S - 0.1)
    assert speak() == [b"voice"]
    gate.look(1.0 + CLOSED_S)
    assert speak() == [b"voice", b"garbage"], "peace is back"


def test_a_few_refusals_now_and_then_are_no_flood(
    sockets: tuple[socket.socket, socket.socket, socket.socket],
) -> None:
    ear, _, stranger = sockets
    gate = StrangerFilter(ear.fileno(), list)
    for number in range(5 * FLOOD_DATAGRAMS):
        gate.refused(number * 0.01)
    assert gate.closings == 0
    stranger.send(b"anything")
    assert heard(ear) == [b"anything"]
