"""What holds for every test: it leaves no task, no thread and no child process behind.

Warnings are errors by pyproject.toml, a resource that was not closed among them.
"""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

STOP_GRACE_S = 2.0
"""A thread that was told to end may need a moment on a loaded machine."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each asynchronous test the check of its event loop, as its first fixture, so that it ends last."""
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.function):
        item.fixturenames.insert(0, "no_task_left")


@pytest_asyncio.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fail a test whose loop still runs tasks after its fixtures are closed."""
    before = asyncio.all_tasks()
    yield
    # Tasks that were cancelled need a turn of the loop to end.
    for _ in range(3):
        await asyncio.sleep(0)
    # This line itself runs in a task of its own, made by the plugin.
    left = sorted(task.get_name() for task in asyncio.all_tasks() - before - {asyncio.current_task()})
    assert not left, f"tasks left running: {left}"


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves threads running, daemons included."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + STOP_GRACE_S
    left = [
        thread for thread in threading.enumerate() if thread not in before and not _is_the_loops_own(thread)
    ]
    for thread in left:
        thread.join(max(deadline - time.monotonic(), 0))
    alive = sorted(thread.name for thread in left if thread.is_alive())
    assert not alive, f"threads left running: {alive}"


def _is_the_loops_own(thread: threading.Thread) -> bool:
    # asyncio's default executor ends with its loop, which pytest-asyncio closes after the fixtures of a test.
    return thread.name.startswith("asyncio_")
