"""PulseAudio and PipeWire that lose devices, stand still, die and come back in the middle of a call. The servers are the witnesses."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.session_events import Events
from blink_cli.lab.sessions import Machine, Session
from tests.support.pipewire_server import PipeWireServer
from tests.support.sink_witness import move_stream, sinks_of_process, tone_on
from tests.support.sound_server import SoundServer

pytestmark = [pytest.mark.sound, pytest.mark.timeout(120)]

Server = SoundServer | PipeWireServer
both = pytest.mark.parametrize("kind", [SoundServer, PipeWireServer])


CHAIN = ("--echo-cancel", "on", "--noise-suppress", "high", "--auto-gain")
"""All that is done to the microphone's sound, whatever happens to devices."""


def faults_in(log: Path) -> list[str]:
    """The lines of a session's log that tell of a fault of the program."""
    lines = log.read_text().splitlines()
    return [line for line in lines if "Traceback" in line or " ERROR " in line or " CRITICAL " in line]


@asynccontextmanager
async def talking(server: Server, microphone: str, speaker: str) -> AsyncIterator[tuple[Session, Events]]:
    """Bob in a call, whose speaker plays a tone of 440 Hz; no filter of his fails, and nothing else does."""
    async with Machine(environment=server.environment) as machine:
        alice, bob = await together(
            machine.serve("alice", "--input", "tone:440", "--output", "null"),
            machine.serve("bob", "--input", microphone, "--output", speaker, *CHAIN),
        )
        async with call_of(alice, bob), await bob.events() as events:
            yield bob, events
            status = await bob.ask("status")
        await together(alice.quit(), bob.quit())
        assert faults_in(Path(status["log"])) == []
    processing = status["processing"]
    assert [processing[part]["state"] for part in ("echo", "noise", "gain")] == ["on", "high", "on"]
    assert processing["delay_ms"] in (None, 0.0, 10.0, 20.0)
    assert not [event for event in events.seen if event["event"] == "processing_unavailable"]


@both
async def test_a_device_that_is_unplugged_is_told_and_used_again_when_it_is_back(kind: type[Server]) -> None:
    with kind("cans", "speaker") as server:
        async with talking(server, "silence", "cans") as (bob, events):
            await tone_on(server, "cans", 440)
            unplugged_s = time.monotonic()
            server.unplug("cans")
            lost = await events.next("device_lost", direction="output")
            assert (lost["device"], lost["replacement"]) == ("cans", "speaker")
            assert lost["seen_s"] - unplugged_s < 1.0
            await events.next("device_changed", device="speaker")
            await tone_on(server, "speaker", 440)
            status = await bob.ask("status")
            assert [status["output"]] == [status["output_place"]["name"]] == sinks_of_process(server, bob.pid)
            server.plug_in("cans")
            await events.next("device_changed", device="cans")
            await tone_on(server, "cans", 440)
            status = await bob.ask("status")
            assert [status["output"]] == [status["output_place"]["name"]] == sinks_of_process(server, bob.pid)
        assert [e["device"] for e in events.seen if e["event"] == "device_changed"] == ["speaker", "cans"]


@both
async def test_a_stream_that_its_user_moves_stays_where_it_is(kind: type[Server]) -> None:
    with kind("cans", "speaker") as server:
        async with talking(server, "silence", "cans") as (bob, events):
            await tone_on(server, "cans", 440)
            (stream,) = server.control("list", "short", "sink-inputs").splitlines()
            await move_stream(server, stream.split("\t")[0], bob.pid, "speaker")
            await events.next("device_changed", device="speaker")
            assert not [e for e in events.seen if e["event"] == "device_lost"]
            await asyncio.sleep(1.5)  # in which the chosen device would be looked for
            assert (await bob.ask("status"))["output"] == "speaker"
            assert sinks_of_process(server, bob.pid) == ["speaker"]


@both
async def test_a_server_that_dies_and_comes_back_is_used_again(kind: type[Server]) -> None:
    with kind("cans", "speaker") as server:
        async with talking(server, "default", "cans") as (bob, events):
            await tone_on(server, "cans", 440)
            killed_s = time.monotonic()
            server.kill()
            for _ in range(2):
                lost = await events.next("device_lost")
                assert lost["seen_s"] - killed_s < 2.0
            await events.next("device_changed", device=lost["replacement"])
            asked_s = time.monotonic()
            refused = await bob.blink("set-output", "speaker", expect=5)
            assert time.monotonic() - asked_s < 10.0, "a command's own start is in it"
            assert "sound server" in refused.json["error"]["message"]
            server.start()
            returned = [await events.next("device_changed") for _ in range(2)]
            assert {event["device"] for event in returned} == {"cans", "default"}
            await tone_on(server, "cans", 440)


@both
async def test_a_server_that_stands_still_is_told_and_holds_up_nothing(kind: type[Server]) -> None:
    with kind("cans", "speaker") as server:
        async with talking(server, "default", "cans") as (bob, events):
            await tone_on(server, "cans", 440)
            server.halt()
            try:
                halted_s = time.monotonic()
                failed = [await events.next("stream_failed") for _ in range(2)]
                assert failed[1]["seen_s"] - halted_s < 2.5
                assert {event["direction"] for event in failed} == {"input", "output"}
                assert {event["reason"].split(" has ")[0] for event in failed} == {
                    "the microphone default",
                    "the speaker cans",
                }
                asked_s = time.monotonic()
                await bob.blink("set-output", "speaker", expect=5)
                assert (await bob.blink("set-input", "tone:660")).exit_code == 0
                assert time.monotonic() - asked_s < 15.0, "two commands' own start is in it"
            finally:
                server.resume()
            await events.next("stream_restored", direction="output")
            await tone_on(server, "cans", 440)


@both
async def test_a_session_ends_while_its_server_stands_still(kind: type[Server]) -> None:
    with kind("cans", "speaker") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob, carol = await together(
                machine.serve("alice", "--input", "tone:440", "--output", "null"),
                machine.serve("bob", "--input", "default", "--output", "cans"),
                machine.serve("carol", "--input", "cans.monitor", "--output", "default"),
            )
            async with call_of(alice, bob, carol):
                server.halt()
                try:
                    ended_s = time.monotonic()
                    assert await together(bob.quit(), carol.terminate()) == [0, 0]
                    assert time.monotonic() - ended_s < 5.0
                finally:
                    server.resume()
            await alice.quit()


async def test_a_server_that_dies_behind_a_plugin_of_alsa_floods_nothing_and_is_used_again() -> None:
    with PipeWireServer("cans") as server:
        async with Machine(environment=server.environment) as machine:
            alice, bob = await together(
                machine.serve("alice", "--input", "tone:440", "--output", "null"),
                machine.serve("bob", "--input", "alsa_cans", "--output", "alsa_cans"),
            )
            async with call_of(alice, bob), await bob.events() as events:
                await tone_on(server, "cans", 440)
                server.kill()
                for _ in range(2):
                    await events.next("device_lost")
                server.start()
                for _ in range(2):
                    await events.next("device_changed", device="alsa_cans")
                await tone_on(server, "cans", 440)
                server.kill()
                for _ in range(2):
                    await events.next("device_lost")
            assert await together(alice.quit(), bob.terminate()) == [0, 0]
            assert len(bob.stderr) < 2000
