"""Waiting for somebody else's answer, without taking one's own standstill for his.

An event loop that stood still for ten seconds finds a deadline of two seconds passed and the answer unread, both at the same moment; `asyncio.timeout` then
throws the answer away. So the time is counted in small steps, and one that took longer counts as one: what came meanwhile is read before the next one ends.
"""

import asyncio
from typing import Final, TypeVar

_Answer = TypeVar("_Answer")

STEPS: Final = 8


async def answer_within(answer: asyncio.Future[_Answer], patience_s: float) -> _Answer:
    """Wait for an answer for so long, less the time in which this event loop stood still.

    Cancelling it cancels the answer.

    Raises:
        TimeoutError: It did not come.

    """
    try:
        for _ in range(STEPS):
            await asyncio.wait((answer,), timeout=patience_s / STEPS)
            if answer.done():
                return answer.result()
    finally:
        answer.cancel()
    raise TimeoutError
