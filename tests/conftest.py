"""What holds for every test: it leaves no task and no thread behind, and it is of one of three kinds, by whom it may run beside.

    no_clock    computes, and waits for no clock: no sockets, no sleep; threads in virtual time. Runs beside others on all processors. The default of the folders in `WITHOUT_CLOCK`, a marker elsewhere
    in_pairs    all others: sockets, processes, threads, but no bound that one busy neighbour breaks. Runs beside one other of its kind; the tests of a file one after the other
    alone       nothing runs beside it, since it listens to a call and tells its sound. The default of what is `real_time` in the folders in `LISTENING`, a marker elsewhere

`real_time` says that a stall of the machine can fail a test: it is made again if it failed just after one.

Every repetition is listed at the end (`RERUN`), with what the machine went through. Their number has a bound, which only falls
(`tests/repeated_tests_bound.txt`). A failure that no stall preceded counts at once.

Warnings are errors by pyproject.toml, a resource that was not closed among them.

Property tests draw the same examples each time; `--hypothesis-profile search` draws others.
"""

import asyncio
import functools
import inspect
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Final, NoReturn

import hypothesis
import pytest
import pytest_asyncio

from blink_cli.core.errors import BlinkError, NotInstalledError
from blink_cli.lab.machine_stalls import NEAR_S, Disturbance, StallWitness
from blink_cli.lab.requirements import UnavailableError

WITHOUT_CLOCK: Final = ("core", "simulation", "support", "benches")
"""Folders whose tests have no clock unless they say so."""

LISTENING: Final = ("examples", "integration", "lab")
"""Folders whose `real_time` tests run alone unless they say so."""

KINDS: Final = ("no_clock", "in_pairs", "alone")
REPETITIONS: Final = 5
REPEATED_TESTS_BOUND: Final = Path(__file__).with_name("repeated_tests_bound.txt")

# No deadline: an example that a busy machine takes 0.3 s for is no worse than in 0.1 s, and these tests have no clock.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.register_profile("search", derandomize=False, print_blob=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

_MEANWHILE: Final = "The machine meanwhile"
_WITNESS = pytest.StashKey[StallWitness]()
_BEGUN_S = pytest.StashKey[float]()
_DISTURBANCE = pytest.StashKey[Disturbance]()


def pytest_configure(config: pytest.Config) -> None:
    """Watch the machine, where tests run that a stall of it excuses: in a process that has workers none does."""
    if not config.getoption("numprocesses", None):
        config.stash[_WITNESS] = StallWitness()
        config.stash[_WITNESS].start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Watch it no more."""
    if _WITNESS in config.stash:
        config.stash[_WITNESS].stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its kind."""
    tests = Path(__file__).parent
    for item in items:
        if item.get_closest_marker("real_time"):
            item.add_marker(
                pytest.mark.flaky(reruns=REPETITIONS, condition=functools.partial(_was_disturbed, item))
            )
        if any(map(item.get_closest_marker, KINDS)):
            continue
        folder = item.path.relative_to(tests).parts[0]
        if item.get_closest_marker("real_time"):
            item.add_marker(pytest.mark.alone if folder in LISTENING else pytest.mark.in_pairs)
        elif folder in WITHOUT_CLOCK:
            item.add_marker(pytest.mark.no_clock)
        else:
            item.add_marker(pytest.mark.in_pairs)


def _was_disturbed(item: pytest.Item) -> bool:
    return _DISTURBANCE in item.stash and item.stash[_DISTURBANCE].stalled


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Note when it begins."""
    item.stash[_BEGUN_S] = time.monotonic()
    item.stash[_DISTURBANCE] = Disturbance(0.0, 0.0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell with a failure what the machine went through shortly before it."""
    del call
    report = yield
    if report.failed and _WITNESS in item.config.stash:
        now_s = time.monotonic()
        marker = item.get_closest_marker("real_time")
        near_s = NEAR_S if marker is None else marker.kwargs.get("within_s", NEAR_S)
        seen = item.config.stash[_WITNESS].seen(max(item.stash[_BEGUN_S], now_s - near_s), now_s)
        report.sections.append((_MEANWHILE, str(seen)))
        if seen.stalled:
            item.stash[_DISTURBANCE] = seen
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was made again, and why."""
    again = terminalreporter.stats.get("rerun", [])
    for report in again:
        meanwhile = dict(report.sections).get(_MEANWHILE, "")
        terminalreporter.write_line(f"RERUN {report.nodeid}: {meanwhile}")
        reason = str(report.longrepr).strip().splitlines()
        terminalreporter.write_line(f"      {reason[-1] if reason else ''}")
    repeated = _repeated_tests(terminalreporter)
    over = "; this is more, so the run fails" if repeated > _bound() else ""
    terminalreporter.write_line(f"tests made again: {repeated} (at most {_bound()}{over})")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with more repetitions than ever are allowed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and _repeated_tests(reporter) > _bound():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _repeated_tests(reporter: pytest.TerminalReporter) -> int:
    """Tests, not repetitions: one that a stormy minute disturbs five times is one."""
    return len({report.nodeid for report in reporter.stats.get("rerun", [])})


def _bound() -> int:
    return int(REPEATED_TESTS_BOUND.read_text("ascii").split()[0])


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup() -> Generator[None, object, object]:
    """Skip a test whose fixture lacks something on this machine."""
    try:
        return (yield)
    except (UnavailableError, NotInstalledError) as lack:
        _skip(lack)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call() -> Generator[None, object, object]:
    """Skip a test that lacks something on this machine."""
    try:
        return (yield)
    except (UnavailableError, NotInstalledError) as lack:
        _skip(lack)


def _skip(lack: BlinkError) -> NoReturn:
    """Skip; in CI, where everything is installed, fail instead: a green run must have run all."""
    if os.environ.get("CI"):
        pytest.fail(f"CI must be able to run this: {lack.message}", pytrace=False)
    pytest.skip(lack.message)


@pytest.fixture(autouse=True)
def no_clock_in_parallel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that runs beside others and waits for the world outside."""
    marker = request.node.get_closest_marker("no_clock")
    if marker is None or marker.kwargs.get("sockets"):
        return
    for owner, name in (
        (time, "sleep"),
        (socket.socket, "bind"),
        (socket.socket, "connect"),
    ):
        monkeypatch.setattr(owner, name, _refused(name))


def _refused(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail(
            f"{name}: this test runs beside others, so it may neither sleep nor use sockets. Mark it `in_pairs`, or "
            "`real_time` if a stall of the machine can fail it (CONTRIBUTING.md).",
            pytrace=True,
        )

    return refuse


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
    # Tasks that were cancelled need turns of the loop to end, one for each that awaits another; what waits for time or a socket is left over.
    for _ in range(20):
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
