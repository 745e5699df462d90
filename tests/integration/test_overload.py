"""A machine that is too slow for its call: it is named, and what was not heard is counted."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blink_cli.lab.session_calls import call_of
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.voices import voice, write_mono

pytestmark = pytest.mark.real_time(within_s=60)

RUNS_S = 0.012
STANDS_S = 0.060
"""One of six moments is what the session gets: less than it needs, and too seldom."""


@asynccontextmanager
async def slowed(session: Session) -> AsyncIterator[None]:
    """Give a session's process only a share of the time, as a machine does that has too much to do."""

    async def slow_down() -> None:
        while True:
            session.signal(signal.SIGSTOP)
            await asyncio.sleep(STANDS_S)
            session.signal(signal.SIGCONT)
            await asyncio.sleep(RUNS_S)

    task = asyncio.get_running_loop().create_task(slow_down(), name="slow down")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        session.signal(signal.SIGCONT)


async def test_a_machine_that_is_too_slow_says_so_and_when_it_keeps_up_again(
    machine: Machine, tmp_path: Path
) -> None:
    speech = write_mono(tmp_path / "speech.wav", voice(0, 20))
    alice = await machine.serve("alice", "--input", f"file:{speech}?loop=1", "--output", "null")
    bob = await machine.serve("bob", "--input", "tone:440", "--output", "null")
    async with call_of(alice, bob):
        async with await bob.events() as events:
            async with slowed(bob):
                told = await events.next("machine_overloaded", timeout_s=20)
                assert "late" in told["reason"]
            status = await bob.ask("status")
            assert status["machine"]["overloaded"]
            assert status["machine"]["reason"] == told["reason"]
            await events.next("machine_recovered", timeout_s=20)
        machine_state = (await bob.ask("status"))["machine"]
        assert not machine_state["overloaded"]
        assert machine_state["reason"] is None
        # The other machine was not too slow, whatever it heard.
        assert not (await alice.ask("status"))["machine"]["overloaded"]
        inbound = (await bob.ask("rtp-stats"))["peers"][0]["inbound"]
        assert inbound["skippedSamples"] <= inbound["concealedSamples"] <= inbound["totalSamplesReceived"]
