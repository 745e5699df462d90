"""What a program that runs until it is told to stop hears of signals."""

import asyncio
import os
import signal

import pytest

from blink_cli.commands.stopping import STOP_SIGNALS, stop_signals

pytestmark = pytest.mark.in_pairs


@pytest.mark.parametrize("number", STOP_SIGNALS)
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
