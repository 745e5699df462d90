"""A machine is woken when it is time, and not before."""

import asyncio
import time

import pytest

from blink_cli.runtime.wake_timer import WakeTimer, next_beat_s

uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")


def test_a_wake_up_on_uvloop_never_comes_early() -> None:
    early: list[float] = []

    async def wake_often() -> None:
        for step in range(20):
            woken = asyncio.Event()
            timer = WakeTimer(woken.set)
            due_s = time.monotonic() + 0.002 + step * 0.0001
            timer.set(due_s)
            await woken.wait()
            if time.monotonic() < due_s:
                early.append(due_s - time.monotonic())

    uvloop.run(wake_often())
    assert not early


def test_a_wake_up_that_was_cancelled_does_not_come() -> None:
    woken: list[int] = []

    async def cancel_one() -> None:
        later = asyncio.Event()
        first, second = WakeTimer(lambda: woken.append(1)), WakeTimer(later.set)
        now_s = time.monotonic()
        first.set(now_s + 0.002)
        second.set(now_s + 0.01)
        first.cancel()
        await later.wait()

    uvloop.run(cancel_one())
    assert woken == []


@pytest.mark.parametrize(
    ("now_s", "next_s"), [(0.0, 0.2), (0.05, 0.2), (0.149, 0.2), (0.151, 0.4), (0.2, 0.4), (1000.01, 1000.2)]
)
def test_what_has_a_period_happens_at_its_multiples(now_s: float, next_s: float) -> None:
    assert next_beat_s(now_s, 0.2) == pytest.approx(next_s)
