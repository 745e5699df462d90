"""Calls with an echo peer: one's own voice comes back, and what is said of it is right, on a clean line and on a bad one."""

import json
from typing import Any

import pytest
import soundfile

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.program_run import Finished
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.voices import voice

pytestmark = [pytest.mark.timeout(180), pytest.mark.real_time(within_s=60)]

TALK_S = 30.0


def spoken(machine: Machine) -> str:
    path = machine.directory / "voice.wav"
    soundfile.write(path, voice(0, TALK_S), SAMPLE_RATE_HZ, subtype="PCM_16")
    return f"file:{path}"


def verdict_of(finished: Finished) -> Any:
    """The last document; the first is the call's."""
    documents = [json.loads(line) for line in finished.stdout.splitlines()]
    assert len(documents) == 2, finished.report()
    return documents[1]


async def test_the_voice_comes_back_on_a_clean_line(machine: Machine) -> None:
    ann = await machine.serve("ann", "--input", spoken(machine), "--output", "null")
    nobody = await ann.blink("offer", "echo", "--wait", "0.5", "--hold", "5", expect=3)
    assert "`blink echo`" in nobody.json["error"]["hint"]
    done = await ann.blink("echo", "--call", "--stretch", "3", timeout_s=60)
    found = verdict_of(done)
    assert found["ok"], found
    assert found["code"] == "came_back"
    assert found["found_share"] >= 0.8
    assert 40 < found["sound_round_trip_ms"] < 500
    assert found["level_change_db"] == pytest.approx(0.0, abs=2.0)
    assert found["there"]["packets"] > 300
    assert found["there"]["lost_share"] <= 0.02
    assert found["back"]["lost_share"] <= 0.02
    assert found["back"]["quality"]["model"].startswith("E-model")
    assert found["pesq_wb"] is None or found["pesq_wb"] > 3.0
    status = await ann.ask("status")
    assert status["call"] is None
    await ann.quit()


@pytest.mark.netns
async def test_the_verdict_names_the_loss_of_each_direction(lab: Laboratory) -> None:
    here, there = await lab.hosts("here", "there")
    await lab.set_conditions(Conditions(delay_ms=40))
    await lab.set_conditions(Conditions(delay_ms=40, loss=0.1), source=[here], target=[there])
    echo = await there.machine.serve("echo", "--input", "echo:2", "--output", "echo", "--auto-accept")
    ann = await here.machine.serve("ann", "--input", spoken(here.machine), "--output", "null")
    done = await ann.blink("offer", "echo", "--wait", "20", "--hold", "14", timeout_s=90)
    found = verdict_of(done)
    await together(ann.quit(), echo.quit())
    assert found["ok"], found
    assert found["there"]["lost_share"] == pytest.approx(0.1, abs=0.05)
    assert found["back"]["lost_share"] < 0.02
    assert found["round_trip_ms"] == pytest.approx(80, abs=25)
    assert found["sound_round_trip_ms"] > 150
    assert found["there"]["delay_ms"] > 40
