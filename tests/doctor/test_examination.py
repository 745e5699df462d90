"""Checks run side by side, and none of them takes the others with it."""

import asyncio
import threading
from collections.abc import Iterable
from pathlib import Path

from blink_cli.app.profile.profile import find_profile
from blink_cli.app.profile.settings import Settings
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.doctor.check import Check, blocking
from blink_cli.doctor.examination import examine
from blink_cli.doctor.finding import Finding, failed, fine
from blink_cli.doctor.situation import Situation

HERE = Situation(
    profile=find_profile("default", Path("/nowhere"), {}),
    options=SessionOptions(),
    settings=Settings(),
    session=None,
    version="1",
)


Told = list[tuple[float, tuple[str, ...]]]


async def examined(*phases: tuple[Check, ...]) -> tuple[tuple[Finding, ...], Told]:
    told: Told = []
    return await examine(HERE, phases, lambda share, names: told.append((share, tuple(names)))), told


async def test_findings_come_in_the_order_of_the_checks_whichever_ends_first() -> None:
    first_may_end = asyncio.Event()

    async def first(_: Situation) -> Iterable[Finding]:
        await first_may_end.wait()
        return (fine("first", "there"), fine("first:more", "there"))

    async def second(_: Situation) -> Iterable[Finding]:
        first_may_end.set()
        return (failed("second", "gone", "Fetch it."),)

    findings, told = await examined((Check("first", first), Check("second", second)))
    assert [one.name for one in findings] == ["first", "first:more", "second"]
    assert [one.ok for one in findings] == [True, True, False]
    assert told == [
        (0.0, ("first",)),
        (0.0, ("first", "second")),
        (0.5, ("first",)),
        (1.0, ()),
    ]


async def test_those_that_compute_take_turns_beside_those_that_wait() -> None:
    computing, most = 0, 0
    waited = asyncio.Event()

    async def compute(_: Situation) -> Iterable[Finding]:
        nonlocal computing, most
        computing += 1
        most = max(most, computing)
        waited.set()
        await asyncio.sleep(0.05)
        computing -= 1
        return ()

    async def wait(_: Situation) -> Iterable[Finding]:
        await waited.wait()
        return (fine("waits", "beside"),)

    checks = [Check(name, compute, deadline_s=0.1, computes=True) for name in ("one", "two", "three")]
    findings, _ = await examined((*checks, Check("waits", wait)))
    assert most == 1
    assert [one.found for one in findings] == ["beside"], "a deadline begins with the turn"


async def test_a_later_phase_waits_for_the_earlier_one() -> None:
    ended: list[str] = []

    async def note(_: Situation) -> Iterable[Finding]:
        await asyncio.sleep(0)
        ended.append("early")
        return ()

    async def late(_: Situation) -> Iterable[Finding]:
        assert ended == ["early", "early"]
        return (fine("late", "after both"),)

    findings, _ = await examined((Check("a", note), Check("b", note)), (Check("late", late),))
    assert [one.found for one in findings] == ["after both"]


async def test_one_that_hangs_is_left_alone_and_named() -> None:
    go_on = threading.Event()

    def hang(_: Situation) -> Iterable[Finding]:
        go_on.wait(30)
        return ()

    hanging = blocking("hanging", hang)
    try:
        findings, _ = await examined((Check("hanging", hanging.look, deadline_s=0.05), Check("other", _fine)))
    finally:
        go_on.set()
    assert [(one.name, one.level) for one in findings] == [("hanging", "unknown"), ("other", "ok")]
    assert "0.05 s" in findings[0].found


async def test_a_fault_of_a_check_is_a_finding() -> None:
    def broken(_: Situation) -> Iterable[Finding]:
        raise ZeroDivisionError("by zero")

    findings, _ = await examined((blocking("broken", broken), Check("other", _fine)))
    assert [(one.name, one.level) for one in findings] == [("broken", "unknown"), ("other", "ok")]
    assert "ZeroDivisionError: by zero" in findings[0].found


async def _fine(_: Situation) -> Iterable[Finding]:
    return (fine("other", "there"),)
