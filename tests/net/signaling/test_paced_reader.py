"""Closing at any moment, and errors of the operating system."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest

from blink_cli.core.gossip import Address
from blink_cli.net.signaling.paced_reader import Pace, PacedReader
from tests.net.gossip_parts import PATIENCE_S, eventually

pytestmark = pytest.mark.real_time

Pair = tuple[socket.socket, socket.socket]
"""Receiving and sending."""


@pytest.fixture
def pair() -> Iterator[Pair]:
    receiving = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiving.settimeout(0)
    receiving.bind(("127.0.0.1", 0))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.connect(receiving.getsockname())
        yield receiving, sending
    receiving.close()


async def test_closed_by_what_it_delivers_it_reads_no_further(pair: Pair) -> None:
    receiving, sending = pair
    got: list[bytes] = []

    def deliver(datagram: bytes, source: Address, arrival_s: float) -> None:
        got.append(datagram)
        reader.close()

    reader = PacedReader(receiving, deliver)
    for _ in range(3):
        sending.send(b"x")
    await eventually(lambda: got)
    await asyncio.sleep(0)
    assert got == [b"x"]
    reader.close()


async def test_closed_while_it_pauses_it_does_not_go_on(pair: Pair) -> None:
    receiving, sending = pair
    got: list[bytes] = []
    reader = PacedReader(
        receiving,
        lambda datagram, source, arrival_s: got.append(datagram),
        pace=Pace(per_s=1.0, burst=2.0, pause_s=0.01),
    )
    for _ in range(5):
        sending.send(b"x")
    await eventually(lambda: reader.pauses)
    reader.close()
    await asyncio.sleep(0.03)
    assert len(got) == 2


async def test_one_byte_too_many_is_enough_to_see_that_it_is_too_long(pair: Pair) -> None:
    receiving, sending = pair
    got: list[int] = []
    reader = PacedReader(receiving, lambda datagram, source, arrival_s: got.append(len(datagram)))
    sending.send(bytes(9_000))
    sending.send(bytes(1_200))
    await eventually(lambda: len(got) == 2)
    assert got == [1_201, 1_200]
    reader.close()


async def test_a_datagram_that_waited_has_the_time_of_its_arrival(pair: Pair) -> None:
    receiving, sending = pair
    got: list[float] = []
    reader = PacedReader(receiving, lambda datagram, source, arrival_s: got.append(arrival_s))
    # Linux begins to stamp a moment after the first socket of the machine has asked for it.
    for _ in range(50):
        asked_s = time.monotonic()
        sending.send(b"?")
        time.sleep(0.02)  # noqa: ASYNC251 - it waits to be read
        await eventually(lambda: got)
        if got.pop() - asked_s < 0.01:
            break
    sent_s = []
    for _ in range(2):
        sent_s.append(time.monotonic())
        sending.send(b"x")
        time.sleep(0.6)  # noqa: ASYNC251 - the event loop stands still: that is the point
    await eventually(lambda: len(got) == 2)
    assert got == pytest.approx(sent_s, abs=0.005)
    reader.close()


async def test_a_turn_of_the_event_loop_reads_a_batch_at_most(pair: Pair) -> None:
    receiving, sending = pair
    got: list[bytes] = []
    reader = PacedReader(receiving, lambda datagram, source, arrival_s: got.append(datagram))
    for _ in range(100):
        sending.send(b"x")
    most, before = 0, 0
    async with asyncio.timeout(PATIENCE_S):
        while len(got) < 100:
            await asyncio.sleep(0)
            most, before = max(most, len(got) - before), len(got)
    assert most <= Pace().batch
    reader.close()


async def test_woken_often_it_reads_what_has_come_in_the_meantime_in_one_go(pair: Pair) -> None:
    receiving, sending = pair
    got: list[float] = []
    loop = asyncio.get_running_loop()
    reader = PacedReader(
        receiving,
        lambda datagram, source, arrival_s: got.append(loop.time()),
        pace=Pace(wake_ups=2.0, wake_ups_per_s=0.0, pause_s=0.03),
    )
    sending.send(b"x")
    await eventually(lambda: len(got) == 1)
    sending.send(b"x")
    await eventually(lambda: len(got) == 2)
    sending.send(b"x")
    sending.send(b"x")
    await eventually(lambda: len(got) == 4)
    assert got[2] - got[1] >= 0.025, "it rested"
    assert got[3] - got[2] < 0.02, "and read both then"
    assert reader.pauses == 0, "which is no flood"
    reader.close()
