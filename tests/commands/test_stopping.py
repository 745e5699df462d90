"""What a program that runs until it is told to stop hears of signals."""

import asyncio
import os
import signal

import pytest

from blink_cli.commands.ending_signals import ending_signals
from blink_cli.commands.stopping import stop_signals

pytestmark = pytest.mark.in_pairs


@pytest.mark.parametrize("number", ending_signals())
async def test_the_first_signal_ends_it_and_the_next_one_is_told_apart(number: signal.Signals) -> None:
    before, again = signal.getsignal(number), asyncio.Event()
    async with stop_signals() as stopped:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 5)
        stopped.when_again = again.set
        assert not again.is_set()
        os.kill(os.getpid(), number)
        await asyncio.wait_for(again.wait(), 5)
    assert signal.getsignal(number) == before


async def test_a_hangup_that_nohup_had_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with stop_signals() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(stopped.wait(), 5)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
