"""Work that may hang for good, waited for with a deadline: a sound library, a disk of the network."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from blink_cli.runtime.loop_bridge import LoopBridge

T = TypeVar("T")


async def on_thread(name: str, work: Callable[[], T]) -> T:
    """Return what blocking work returns, or raise what it raises.

    It runs on a daemon thread of its own, not on the loop's executor, whose threads a process waits for when it ends: whoever gives up waiting
    (by cancelling this) leaves the thread alone.
    """
    bridge = LoopBridge()
    outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    def tell(result: T) -> None:
        if not outcome.done():
            outcome.set_result(result)

    def tell_failure(failure: BaseException) -> None:
        if not outcome.done():
            outcome.set_exception(failure)

    def run() -> None:
        try:
            result = work()
        except BaseException as failure:  # noqa: BLE001 - raised again where it is waited for
            bridge.call(tell_failure, failure)
        else:
            bridge.call(tell, result)

    threading.Thread(target=run, name=f"blink-doctor-{name}", daemon=True).start()
    return await outcome
