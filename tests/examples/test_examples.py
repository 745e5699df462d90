"""Every program of examples/ runs: side by side in this process, where each has sessions of its own."""

import asyncio
import json
import os
import runpy
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile

import blink_cli as blink
from blink_cli.lab.sessions import free_group
from tests.api.validation import problems

EXAMPLES = Path(__file__).parents[2] / "examples"

OF_THEIR_OWN = ("two_sessions", "record_and_check_levels", "level_meter", "check_under_impairment")
WITH_A_SESSION = ("answering_bot", "events_to_file", "use_running_session")
OF_PYTEST = ("test_a_call",)


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / f"{name}.py"))


@pytest.mark.no_clock
def test_all_are_run_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*OF_THEIR_OWN, *WITH_A_SESSION, *OF_PYTEST}


@pytest.mark.real_time(within_s=20)
@pytest.mark.in_pairs
async def test_those_that_make_their_own_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def made(name: str, **settings: Any) -> None:
        folder = tmp_path / name
        folder.mkdir()
        try:
            await example(name)["main"](folder, free_group(), **settings)
        except SystemExit as ended:
            pytest.fail(f"{name} ended with {ended.code}")

    # Side by side: six sessions in one process. What fails cancels the others.
    async with asyncio.TaskGroup() as group:
        group.create_task(made("two_sessions"))
        group.create_task(made("record_and_check_levels", seconds=1.0))
        group.create_task(made("level_meter"))
    await made("check_under_impairment", seconds=4.0)
    said = capsys.readouterr().out
    for wanted in (
        "in call ",
        "alice, bob",
        "alice: -",
        "mp4: ",
        "bob  ",
        "ok  mos(alice)>3",
        "lost on purpose",
    ):
        assert wanted in said


@pytest_asyncio.fixture
async def caller(tmp_path: Path) -> AsyncIterator[tuple[blink.Session, blink.Session, Path]]:
    """A caller, whose speaker is a file, and the session of a bot."""
    place: dict[str, Any] = {"data_dir": tmp_path, "group": free_group(), "interfaces": ["127.0.0.1"]}
    heard = tmp_path / "heard.wav"
    async with (
        blink.open_session(profile="bot", input="silence", output="null", **place) as bot,
        blink.open_session(profile="caller", input="silence", output=f"wav:{heard}", **place) as session,
    ):
        yield session, bot, heard


@pytest.mark.real_time(within_s=20)
@pytest.mark.in_pairs
async def test_those_that_work_with_a_session(
    caller: tuple[blink.Session, blink.Session, Path], tmp_path: Path
) -> None:
    session, bot, heard = caller
    events = tmp_path / "events.jsonl"
    async with blink.connect(profile="bot", data_dir=tmp_path) as far, asyncio.TaskGroup() as group:
        writing = group.create_task(example("events_to_file")["write_events"](far, events))
        answering = group.create_task(
            example("answering_bot")["run_bot"](bot, blink.sample_speech(), calls=1, seconds=2.0)
        )
        call = await session.offer("bot", wait_s=10)
        await call.until_connected("bot")
        lines = await example("use_running_session")["describe"](far)
        assert lines[0].startswith("bot (did:key:")
        assert "  in the call: caller, connected" in lines
        assert lines[-1] == "muted: True"
        await session.expect("talking(bot) within 5s")
        status = blink.to_json(await session.status())
        assert problems("Status", status) == []
        assert problems("RtpStatistics", blink.to_json(await session.rtp_stats())) == []
        assert problems("Levels", blink.to_json(await session.levels())) == []
        await answering
        assert not (await bot.calls()).call
        await session.set_output("null")
        writing.cancel()
    sound, _ = soundfile.read(heard)
    assert float(np.max(np.abs(sound))) > 0.01
    written = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert "call_terminated" in {one.get("event") for one in written}
    assert [found for one in written[1:] if (found := problems("Event", one))] == []


@pytest.mark.no_clock(sockets=True)
def test_one_without_a_session_says_what_to_do(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, EXAMPLES / "use_running_session.py"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "BLINK_DATA_DIR": str(tmp_path), "PYTHONPATH": str(EXAMPLES.parent)},
    )
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "No session of profile 'default' is running." in ran.stderr
    assert "open_session" in ran.stderr
