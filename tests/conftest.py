"""What holds for every test: it leaves no task and no thread behind.

Warnings are errors by pyproject.toml, a resource that was not closed among them.

A test in real time is made again if it failed *and* the machine stood still meanwhile: then it says nothing about the program. Every such
repetition is listed at the end (`RERUN`), with what the machine went through; a failure on a machine that did not stand still counts at once.

Property tests draw the same examples each time; `--hypothesis-profile search` draws others.
"""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio

from tests.support.machine_stalls import StallWitness

VIRTUAL_TIME = ("core", "simulation", "support", "benches")
"""Folders whose tests have no clock: nothing excuses them."""

REPETITIONS = 5

hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("search", derandomize=False, print_blob=True)
hypothesis.settings.load_profile("repeatable")

_MEANWHILE = "The machine meanwhile"
_WITNESS = pytest.StashKey[StallWitness]()


def pytest_configure(config: pytest.Config) -> None:
    """Watch the machine."""
    config.stash[_WITNESS] = StallWitness()
    config.stash[_WITNESS].start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Watch it no more."""
    config.stash[_WITNESS].stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let a test in real time be made again after a stall."""
    witness = config.stash[_WITNESS]
    tests = Path(__file__).parent
    for item in items:
        if item.path.relative_to(tests).parts[0] not in VIRTUAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=REPETITIONS, condition=lambda: witness.seen().stalled))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Watch this test."""
    item.config.stash[_WITNESS].begin()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell with a failure what the machine went through."""
    del call
    report = yield
    if report.failed:
        report.sections.append((_MEANWHILE, str(item.config.stash[_WITNESS].seen())))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was made again, and why."""
    for report in terminalreporter.stats.get("rerun", []):
        meanwhile = dict(report.sections).get(_MEANWHILE, "")
        terminalreporter.write_line(f"RERUN {report.nodeid}: {meanwhile}")
        reason = str(report.longrepr).strip().splitlines()
        terminalreporter.write_line(f"      {reason[-1] if reason else ''}")


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
