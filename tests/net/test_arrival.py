"""The kernel's arrival time of a datagram that the event loop read late."""

import socket
import sys
import time

import pytest

from blink_cli.net.arrival import ArrivalClock


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps datagrams this way")
def test_a_late_read_does_not_move_the_arrival() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.bind(("127.0.0.1", 0))
        clock = ArrivalClock(receiver.fileno())
        before_s = time.monotonic()
        sender.sendto(b"x", receiver.getsockname())
        after_s = time.monotonic()
        time.sleep(0.05)  # the event loop was busy
        receiver.recvfrom(10)
        assert before_s - 0.001 <= clock.now_s() <= after_s + 0.001


def test_without_a_socket_it_is_the_present() -> None:
    before_s = time.monotonic()
    assert before_s <= ArrivalClock(None).now_s() <= time.monotonic()


def test_a_descriptor_that_is_gone_is_the_present() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        clock = ArrivalClock(receiver.fileno())
    before_s = time.monotonic()
    assert before_s <= clock.now_s() <= time.monotonic()
