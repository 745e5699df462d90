"""Commands that have no method, from Python."""

import asyncio
from pathlib import Path

import pytest

import blink_cli as blink

pytestmark = pytest.mark.no_clock(sockets=True)


async def test_the_documents_that_a_command_prints_or_its_error(tmp_path: Path) -> None:
    (version,) = await blink.run_command("version")
    assert version["schema"] == 1
    with pytest.raises(blink.NoSessionError) as raised:
        await blink.run_command("status", profile="nobody", data_dir=tmp_path)
    error = raised.value
    assert (error.code, error.message) == ("no_session", "No session of profile 'nobody' is running.")
    assert "--profile nobody" in (error.hint or "")


async def test_cancelling_ends_the_command(tmp_path: Path) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(blink.run_command("status", "--wait", "60", data_dir=tmp_path), 0.3)
