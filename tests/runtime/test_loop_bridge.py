"""LoopBridge: calls from threads arrive on the loop, in order, and none when it is closed."""

import asyncio
import threading

import pytest

from blink_cli.runtime.loop_bridge import LoopBridge

pytestmark = pytest.mark.no_clock(sockets=True)


async def test_calls_of_a_thread_are_made_on_the_loop_in_their_order() -> None:
    bridge = LoopBridge()
    made: list[tuple[int, int]] = []
    over = asyncio.Event()

    def note(number: int) -> None:
        made.append((number, threading.get_ident()))

    def speak() -> None:
        for number in range(100):
            bridge.call(note, number)
        bridge.call(over.set)

    await asyncio.to_thread(speak)
    await over.wait()
    assert made == [(number, threading.get_ident()) for number in range(100)]


def test_a_loop_that_has_closed_is_told_nothing() -> None:
    made: list[int] = []

    async def make() -> LoopBridge:
        return LoopBridge()

    bridge = asyncio.run(make())
    bridge.call(made.append, 1)
    assert made == []
