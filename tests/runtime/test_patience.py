"""Waiting for an answer: whose standstill counts."""

import asyncio
import socket
import time

import pytest

from blink_cli.runtime.patience import answer_within


async def test_an_answer_that_came_while_the_loop_stood_still_is_taken() -> None:
    loop = asyncio.get_running_loop()
    one, other = _pair()
    answer: asyncio.Future[bytes] = loop.create_future()
    loop.add_reader(one.fileno(), lambda: answer.set_result(one.recv(9)))
    try:
        loop.call_soon(other.send, b"here")
        loop.call_soon(time.sleep, 0.5)  # longer than the patience
        assert await answer_within(answer, 0.2) == b"here"
    finally:
        loop.remove_reader(one.fileno())
        one.close()
        other.close()


async def test_who_does_not_answer_is_given_up() -> None:
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    begun_s = time.monotonic()
    with pytest.raises(TimeoutError):
        await answer_within(answer, 0.2)
    assert time.monotonic() - begun_s >= 0.19
    assert answer.cancelled()


async def test_a_refusal_is_raised() -> None:
    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    answer.set_exception(ConnectionError("gone"))
    with pytest.raises(ConnectionError):
        await answer_within(answer, 0.2)


def _pair() -> tuple[socket.socket, socket.socket]:
    one, other = socket.socketpair()
    one.settimeout(0)
    return one, other
