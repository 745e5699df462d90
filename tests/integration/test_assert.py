"""`assert` of a real call that is as it should be, and `stats reset` in its middle."""

from pathlib import Path

import pytest

from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.voices import voice, write_mono

pytestmark = pytest.mark.real_time


async def test_a_call_is_as_it_should_be_and_says_what_it_is_where_it_should_not(
    machine: Machine, tmp_path: Path
) -> None:
    speech = write_mono(tmp_path / "speech.wav", voice(0, 10.0))
    alice, bob = await together(
        machine.serve("alice", "--input", f"file:{speech}?loop=1", "--output", "null"),
        machine.serve("bob", "--input", "silence", "--output", "null"),
    )
    async with call_of(alice, bob):
        await bob.blink("assert", "talking(alice) within 10s")
        await bob.ask("stats", "reset")
        good = (
            "loss<1%",
            "delay_p95<200ms",
            "mos(alice)>4",
            "talking(alice)",
            "level>-50dB",
            "not talking(bob)",
        )
        await bob.blink("assert", *good, "--for", "3")
        await alice.blink("assert", "bitrate(alice->bob)>10kb/s", "rtt<50ms", "--for", "1")
        ran = await bob.blink("assert", "delay<1ms", "loss<1%", expect=6)
        (delay,) = ran.json["expectations"][0]["findings"]
        assert (delay["subject"], delay["holds"]) == ("alice->bob", False)
        assert 0.02 < delay["measured"] < 0.2
        await alice.blink("impair", "bob", "out", "loss=30%", "seed=1")
        lossy = await alice.blink("assert", "loss<10%", "loss(bob)<1%", "--for", "3", expect=6)
        both, incoming = lossy.json["expectations"]
        assert [finding["subject"] for finding in both["findings"]] == ["alice->bob", "bob->alice"]
        assert 0.1 < both["findings"][0]["measured"] < 0.5
        assert incoming["outcome"] == "passed"
        assert lossy.json["impairment"]["rules"]
