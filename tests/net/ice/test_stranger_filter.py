"""Real sockets: the peer is heard, strangers are not, and only while they flood."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from blink_cli.net.ice.stranger_filter import CLOSED_S, FLOOD_DATAGRAMS, SourceFilter

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="socket filters of this kind are Linux's own"),
    pytest.mark.real_time,
]


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
    gate = SourceFilter(
        ear.fileno(),
        known=lambda: [("192.0.2.1", 9), peer.getsockname()[:2]],
        trusted=list,
        named_us=b"abcd:",
    )

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


def check(user_name: bytes) -> bytes:
    """A connectivity check as aioice and browsers write it, without its signature."""
    name = len(user_name).to_bytes(2, "big") + user_name + bytes(-len(user_name) % 4)
    attributes = b"\x00\x06" + name + b"\x00\x24\x00\x04" + bytes(4)
    return b"\x00\x01" + len(attributes).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + attributes


@pytest.mark.parametrize("us", [b"abcd", b"abcde", b"abcdefg"])
def test_a_check_that_names_us_passes_from_anywhere_until_the_flood_knows_our_name(
    sockets: tuple[socket.socket, socket.socket, socket.socket], us: bytes
) -> None:
    ear, peer, stranger = sockets
    learned: list[tuple[str, int]] = []
    gate = SourceFilter(
        ear.fileno(), known=lambda: learned, trusted=lambda: [peer.getsockname()[:2]], named_us=us + b":"
    )
    for _ in range(FLOOD_DATAGRAMS):
        gate.refused(1.0)
    ours, others = check(us + b":peer"), check(us[:-1] + b"x:peer")
    for datagram in (ours, others, ours[:26], b"garbage"):
        stranger.send(datagram)
    assert heard(ear) == [ours]
    learned.append(stranger.getsockname()[:2])
    gate.heard(stranger.getsockname()[:2])
    stranger.send(b"voice")
    assert heard(ear) == [b"voice"], "it was the peer at another address"
    for _ in range(FLOOD_DATAGRAMS):
        gate.refused(1.0)
    peer.send(b"voice")
    stranger.send(ours)
    assert heard(ear) == [b"voice"], "only what is trusted passes now"
    gate.look(1.0 + CLOSED_S)
    stranger.send(b"anything")
    assert heard(ear) == [b"anything"]


def test_a_few_refusals_now_and_then_are_no_flood(
    sockets: tuple[socket.socket, socket.socket, socket.socket],
) -> None:
    ear, _, stranger = sockets
    gate = SourceFilter(ear.fileno(), known=list, trusted=list, named_us=b"abcd:")
    for number in range(5 * FLOOD_DATAGRAMS):
        gate.refused(number * 0.01)
    assert gate.closings == 0
    stranger.send(b"anything")
    assert heard(ear) == [b"anything"]
