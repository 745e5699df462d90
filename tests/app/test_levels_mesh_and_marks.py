"""How loud everybody is, who has a link to whom, and moments that are marked: of two sessions in this process."""

import asyncio
import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from blink_cli.app.session import Session
from blink_cli.core.api.events import LinkState, Marked
from blink_cli.core.api.replies.loudness import VoiceLevel
from blink_cli.core.api.requests import (
    GetLevels,
    GetMesh,
    Mark,
    SetMuted,
    StartRecording,
    StartRtpLog,
    StopRecording,
    StopRtpLog,
)
from blink_cli.core.errors import StateError
from blink_cli.core.ids import Did
from blink_cli.record.recording.sidecar import read_sidecar
from tests.app.conftest import OpenSession
from tests.app.test_session import Ear, ask, connect

pytestmark = pytest.mark.real_time


async def test_levels_the_mesh_and_marks_of_a_call(open_session: OpenSession, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    async with open_session("alice") as alice, open_session("bob", input="tone:440") as bob:
        with pytest.raises(StateError, match="no moment to mark"):
            await alice.ask(Mark())
        await alice.ask(StartRtpLog(path=str(log)))
        await connect(alice, bob)
        ear = Ear(alice)
        await ear.first()

        loud = await level_when(alice, bob.did, lambda one: one.voice)
        assert loud.level_dbov is not None
        assert loud.peak_dbov is not None
        assert loud.peak_dbov >= loud.level_dbov > -40
        # What a microphone hears while it is muted is known to its owner alone.
        await bob.ask(SetMuted(muted=True))
        await level_when(alice, bob.did, lambda one: not one.voice and one.level_dbov in {None, -127})
        own = await level_when(bob, bob.did, lambda one: one.voice)
        assert own.level_dbov is not None
        assert own.level_dbov > -40
        await all_hear(alice)

        await alice.ask(StartRecording(folder=str(tmp_path)))
        made = await ask(alice, Mark(text='with, "quotes"'))
        assert made.rtp_log
        assert made.recording_at_s is not None
        assert (await ear.until(Marked)).text == 'with, "quotes"'
        assert (await ask(alice, Mark())).text == "mark 1"
        files = await ask(alice, StopRecording())
        await alice.ask(StopRtpLog())
    (sidecar,) = [Path(file.path) for file in files.files if file.kind == "sidecar"]
    assert [marker.text for marker in read_sidecar(sidecar).markers] == ['with, "quotes"', "mark 1"]
    rows = csv.DictReader(log.read_text(encoding="utf-8").splitlines())
    assert [row["note"] for row in rows if row["event"] == "marked"] == ['with, "quotes"', "mark 1"]


async def level_when(session: Session, did: Did, holds: Callable[[VoiceLevel], bool]) -> VoiceLevel:
    """A participant's level, as soon as it is so: no event tells of levels."""
    async with asyncio.timeout(10):
        while True:
            levels = await ask(session, GetLevels())
            for one in levels.levels:
                if one.did == did and holds(one):
                    return one
            await asyncio.sleep(0.02)


async def all_hear(session: Session) -> None:
    """Wait until both say that they hear the other, losing nothing."""
    async with asyncio.timeout(10):
        while True:
            mesh = await ask(session, GetMesh())
            links = [[(one.link, one.lost_share) for one in row.hears] for row in mesh.participants]
            if links == [[(LinkState.CONNECTED, 0.0)], [(LinkState.CONNECTED, 0.0)]]:
                return
            await asyncio.sleep(0.05)
