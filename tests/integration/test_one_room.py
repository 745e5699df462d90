"""Two sessions in one room: one null sink is the loudspeaker of both, its monitor the microphone of both. Nothing may ring."""

import asyncio

import numpy as np
import pytest

from blink_cli.lab.envelopes import Samples
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.voices import voice
from tests.support.sink_witness import heard_on, play
from tests.support.sound_server import SoundServer

pytestmark = [pytest.mark.sound, pytest.mark.real_time(within_s=20), pytest.mark.timeout(120)]

SPOKEN_S = 4.0
RINGS_DBFS = -30.0


def level_dbfs(pieces: list[Samples]) -> float:
    return float(10 * np.log10(np.mean(np.concatenate(pieces) ** 2) + 1e-12))


async def room(echo_cancel: str) -> tuple[float, float, set[str]]:
    """Return the level while somebody talks in the room and a while afterwards, and what the sessions say of their cancellers."""
    with SoundServer("room") as server:
        async with Machine(environment=server.environment) as machine:
            devices = ("--input", "room.monitor", "--output", "room", "--echo-cancel", echo_cancel)
            alice, bob = await together(machine.serve("alice", *devices), machine.serve("bob", *devices))
            async with heard_on(server, "room") as pieces, call_of(alice, bob):
                await play(server, "room", voice(0, SPOKEN_S) * np.float32(0.5))
                spoken = pieces[-int(SPOKEN_S * 10) :]
                await asyncio.sleep(2.0)
                rest = pieces[-10:]
                statuses = await together(alice.ask("status"), bob.ask("status"))
            await together(alice.quit(), bob.quit())
    states = {status["processing"]["echo"]["state"] for status in statuses}
    return level_dbfs(spoken), level_dbfs(rest), states


async def test_it_rings_on_when_nothing_takes_the_echo_out() -> None:
    _, rest_dbfs, states = await room("off")
    assert states == {"off"}
    assert rest_dbfs > RINGS_DBFS


async def test_by_themselves_sessions_take_it_out_and_the_room_falls_silent() -> None:
    spoken_dbfs, rest_dbfs, states = await room("auto")
    assert states == {"on"}
    assert spoken_dbfs > -45.0
    assert rest_dbfs < -60.0
