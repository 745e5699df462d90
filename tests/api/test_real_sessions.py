"""Sessions of this process as they really are: whoever is cancelled leaves nothing behind, and the profile is free."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Any

import pytest

import blink_cli as blink
from blink_cli.lab.sessions import free_group


def place(folder: Path, profile: str) -> dict[str, Any]:
    return {
        "profile": profile,
        "data_dir": folder,
        "group": free_group(),
        "interfaces": ["127.0.0.1"],
        "input": "silence",
        "output": "null",
    }


async def test_cancelled_at_any_moment_it_leaves_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU)}
    handlers = list(logging.getLogger().handlers)

    async def run(opened: asyncio.Event) -> None:
        async with blink.open_session(**place(tmp_path, "alice")) as session:
            opened.set()
            await session.until_ended()

    for turns in (1, 5, 40, None):
        opened = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(run(opened))
            if turns is None:
                await opened.wait()
            for _ in range(turns or 0):
                await asyncio.sleep(0)
            running.cancel()
    # The profile is free: it opens once more. That no task and no thread is left is looked at after each test.
    async with blink.open_session(**place(tmp_path, "alice")) as session:
        async with blink.connect(profile="alice", data_dir=tmp_path) as far:
            assert far.did == session.did
            await far.quit()
        await session.until_ended()
        with pytest.raises(blink.StateError, match="is already running"):
            async with blink.open_session(**place(tmp_path, "alice")):
                pass
        with pytest.raises(blink.UsageError):
            async with blink.open_session(**{**place(tmp_path, "bob"), "output": "tone:440"}):
                pass
    assert {number: signal.getsignal(number) for number in before} == before
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")
