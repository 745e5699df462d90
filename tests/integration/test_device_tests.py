"""`test-input` and `test-output` on a real sound server without hardware, and beside a session that has the same devices."""

import asyncio
import json

import pytest

from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine
from tests.support.sound_server import SoundServer

pytestmark = [pytest.mark.sound, pytest.mark.real_time(within_s=60), pytest.mark.in_pairs]


async def test_the_tone_of_one_channel_is_heard_on_that_channel_alone() -> None:
    with SoundServer("card") as server:
        async with Machine(environment=server.environment) as machine:
            listening = asyncio.ensure_future(  # noqa: TID251 - awaited below
                machine.run("ann", "--json", "test-input", "card.monitor", "--seconds", "8", "--no-playback")
            )
            played = await machine.run(
                "bob", "--json", "test-output", "card", "--channel", "1", "--seconds", "3"
            )
            heard = await listening
    tone = played.json
    # A server that a busy machine let wait says so, and is no fault of ours.
    assert {found["code"] for found in tone["findings"]} <= {"stood_still", "underruns", "wrong_rate"}, (
        played.report()
    )
    assert played.exit_code == (0 if tone["ok"] else 6)
    assert [(one["channel"], one["name"]) for one in tone["tones"]] == [(1, "left")]
    assert tone["speaker"]["channels"] == 2
    assert tone["speaker"]["latency_ms"] > 0
    if tone["ok"]:
        assert abs(tone["speaker"]["clock"]["off_ppm"]) < 5_000 + tone["speaker"]["clock"]["uncertain_ppm"]
    assert "left" in played.stderr
    assert {found["code"] for found in heard.json["findings"]} <= {"gaps"}, heard.report()
    left, right = heard.json["channels"]
    assert left["carries"] == "sound"
    assert left["loud_dbov"] == pytest.approx(-17.0, abs=1.0)
    assert right["carries"] == "nothing"


async def test_a_silent_source_is_found_out_and_a_session_may_have_the_devices_too() -> None:
    with SoundServer("card") as server:
        async with Machine(environment=server.environment) as machine:
            session = await machine.serve("ann", "--input", "card.monitor", "--output", "card")
            nothing = await session.blink("test-input", "--seconds", "1", expect=6)
            assert nothing.json["device"] == "card.monitor"
            (found,) = nothing.json["findings"]
            assert found["code"] == "only_zeros"
            tone = await session.blink("test-output", "--seconds", "0.5", expect=None)
            assert tone.json["speaker"]["device"] == "card"
            can = await session.ask("device-configs", "card.monitor")
            (monitor,) = can["devices"]
            assert (monitor["direction"], monitor["monitor"], monitor["converts"]) == ("input", True, True)
            assert (monitor["preferred_rate"], monitor["preferred_channels"]) == (48_000, 2)
            assert monitor["preferred_type"] == "int16"
            assert monitor["latency_now_ms"] > 0
            plugin = (await session.ask("device-configs", "card_alsa"))["devices"]
            (played,) = (one for one in plugin if one["direction"] == "output")
            assert {44_100, 48_000} <= set(played["rates"])
            assert "float32" in played["sample_types"]
            assert 0 < played["latency_low_ms"] <= played["latency_high_ms"]
            gone = await session.blink("test-input", "no such microphone", expect=3)
            assert json.loads(gone.stdout)["error"]["code"] == "not_found"
            await session.quit()


async def test_the_file_of_a_session_is_not_written_over(machine: Machine) -> None:
    heard = machine.directory / "heard.wav"
    (ann,) = await together(machine.serve("ann", "--input", "tone:440", "--output", f"wav:{heard}"))
    refused = await ann.blink("test-output", expect=2)
    assert "write over" in refused.json["error"]["message"]
    done = await ann.ask("test-input", "--seconds", "0.6")
    assert done["ok"]
    assert done["playback"] is None
    assert not heard.exists()
    await ann.quit()
