"""Sessions that end, well and badly, and what the others make of it."""

import asyncio
import signal
import time

import numpy as np
import pytest

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.leftovers import processes_naming, sockets_under, threads
from blink_cli.lab.listening import Listener
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine, Session

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]

TONES_HZ = {"alice": 440, "bob": 660, "carol": 880}


async def three(machine: Machine) -> list[Session]:
    return await together(
        *(
            machine.serve(name, "--input", f"tone:{hz}", "--output", f"wav:{machine.directory / name}.wav")
            for name, hz in TONES_HZ.items()
        )
    )


def level_of(samples: Samples, frequency_hz: float) -> float:
    """Amplitude of one frequency (Goertzel's question, by a plain sum)."""
    seconds = np.arange(len(samples)) / SAMPLE_RATE_HZ
    return float(2 * abs(np.mean(samples * np.exp(-2j * np.pi * frequency_hz * seconds))))


async def test_killing_one_of_three_leaves_two_talking(machine: Machine) -> None:
    alice, bob, carol = await three(machine)
    async with await alice.events() as at_alice, call_of(alice, bob, carol):
        carol.signal(signal.SIGKILL)
        await carol.ended()
        lost = await at_alice.next("link_changed", did=carol.did, link="lost", timeout_s=10)
        from_s = lost["seen_s"]
        await asyncio.sleep(3.0)
        status = await alice.ask("status")
        (to_bob,) = [p for p in status["call"]["participants"] if p["did"] == bob.did]
        assert to_bob["link"] == "connected"
        statistics = await alice.ask("rtp-stats")
    await together(alice.quit(), bob.quit())
    heard = Listener.of(status, machine.directory / "alice.wav").between(from_s + 0.5, 2.0)
    assert level_of(heard, TONES_HZ["bob"]) > 0.05
    assert level_of(heard, TONES_HZ["carol"]) < 0.005
    (bobs,) = [peer for peer in statistics["peers"] if peer["did"] == bob.did]
    assert bobs["inbound"]["packetsLost"] == 0


async def test_sigterm_leaves_nothing_and_the_others_see_it_within_a_second(machine: Machine) -> None:
    machine.prefix = ("env",)  # new processes: a copy's command line does not name its directory
    alice, bob, carol = await three(machine)
    async with await alice.events() as at_alice, call_of(alice, bob, carol):
        asked_s = time.monotonic()
        carol.signal(signal.SIGTERM)
        left = await at_alice.next("participant_left", did=carol.did, timeout_s=10)
        assert left["reason"] == "left"
        assert left["seen_s"] - asked_s < 1.0
        assert await carol.ended() == 0
        assert threads(carol.pid) == []
    await together(alice.terminate(), bob.terminate())
    assert sockets_under(machine.directory) == []
    assert processes_naming(str(machine.directory)) == []
    assert carol.complaints == "", "a clean end has nothing to complain about"


async def test_sigint_ends_as_cleanly(machine: Machine) -> None:
    alice = await machine.serve("alice", "--input", "silence", "--output", "null")
    alice.signal(signal.SIGINT)
    assert await alice.ended() in {0, 130}
    assert sockets_under(machine.directory) == []
    assert "Traceback" not in alice.stderr


async def test_a_session_can_be_started_again_at_once_and_after_a_crash(machine: Machine) -> None:
    first = await machine.serve("alice", "--input", "silence", "--output", "null")
    did = first.did
    first.signal(signal.SIGKILL)
    await first.ended()
    again = await machine.serve("alice", "--input", "silence", "--output", "null")
    assert again.did == did
    assert await again.quit() == 0


async def test_the_wav_output_of_a_session_terminated_in_a_call_can_be_read(machine: Machine) -> None:
    alice, bob, _ = await three(machine)
    async with call_of(alice, bob):
        await asyncio.sleep(1.0)
        status = await alice.ask("status")
        assert await alice.terminate() == 0
    heard = Listener.of(status, machine.directory / "alice.wav").between(
        status["clocks"]["monotonic_s"] - 0.5, 0.5
    )
    assert level_of(heard, TONES_HZ["bob"]) > 0.05
