"""Blocking work that keeps time, on a thread of its own, which an interrupted command tells to end."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from blink_cli.audio.thread_priority import make_urgent

T = TypeVar("T")


class _GivenUp(Exception):  # noqa: N818 - an ending that its own caller asked for
    """The command was interrupted."""


async def on_own_thread(name: str, work: Callable[[Callable[[], None]], T]) -> T:
    """Run work on a thread as urgent as a call's voice threads, and return its result.

    Args:
        name: Of the thread.
        work: Calls its argument every now and then: it raises once the command is interrupted, and the work ends.

    Canceling it waits until the work has ended.

    """
    given_up = threading.Event()
    ended: Future[T] = Future()

    def go_on() -> None:
        if given_up.is_set():
            raise _GivenUp

    def run() -> None:
        make_urgent()
        try:
            result = work(go_on)
        except BaseException as failure:  # noqa: BLE001 - raised again where it is waited for
            ended.set_exception(failure)
        else:
            ended.set_result(result)

    threading.Thread(target=run, name=name, daemon=True).start()
    waiting = asyncio.wrap_future(ended)
    try:
        return await asyncio.shield(waiting)
    except asyncio.CancelledError:
        given_up.set()
        await asyncio.wait((waiting,))
        waiting.exception()
        raise
