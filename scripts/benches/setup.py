"""From `accept` to the first audible sample, between two `serve` processes on loopback, one call after the other.

    alice   offer ──> rings ┐
    bob                     └ `accept` starts ─ accepted ─ connecting ─ connected ─ first sample of alice's tone

Every moment but two is an event's own time. The command's start is read by this program; the first sample is found in
bob's WAV file and placed on the same clock by `clocks` of `status`.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.voice import SAMPLE_RATE_HZ
from tests.support.listening import Listener
from tests.support.sessions import Machine, Session, moment, together

AUDIBLE = 0.01
"""-40 dBFS: the tone is 20 dB louder, silence and the codec's noise are far below."""

PARTS = ("command", "signaling", "link", "sound", "accept to sound", "command to sound")


async def one_call(machine: Machine, alice: Session, bob: Session, number: int) -> dict[str, float]:
    """Make a call, hang up, and return how long each part took, milliseconds."""
    heard = machine.directory / f"heard-{number}.wav"
    await bob.ask("set-output", f"wav:{heard}")
    events = await bob.events()
    try:
        call = (await alice.ask("offer", bob.did))["call"]
        rings = moment(await events.next("incoming_call", call_id=call))
        command = datetime.now(rings.tzinfo)
        await bob.blink("accept", call)
        accepted = moment(await events.next("call_joined", call_id=call))
        connecting = moment(await events.next("link_changed", link="connecting"))
        connected = moment(await events.next("link_changed", link="connected"))
        status = await bob.until("status", _plays_for_a_second, what="sound from alice")
        await alice.blink("leave")
        # Only then is the file whole: the device that wrote it is closed with the call or the change to the next.
        await events.next("call_terminated", call_id=call)
        await bob.ask("set-output", "null")
    finally:
        await events.aclose()
    sound = _first_sound(Listener.of(status, heard), rings)
    moments = {
        "command": (command, accepted),
        "signaling": (accepted, connecting),
        "link": (connecting, connected),
        "sound": (connected, sound),
        "accept to sound": (accepted, sound),
        "command to sound": (command, sound),
    }
    return {part: (end - begin).total_seconds() * 1000 for part, (begin, end) in moments.items()}


def _plays_for_a_second(status: Any) -> bool:
    return (status["clocks"]["output_position_s"] or 0) > 1.0


def _first_sound(listener: Listener, like: datetime) -> datetime:
    audible = np.flatnonzero(np.abs(listener.heard) > AUDIBLE)
    assert len(audible), "alice's tone was not heard"
    clocks = listener.clocks
    assert clocks.output_position_s is not None
    monotonic_s = clocks.monotonic_s + int(audible[0]) / SAMPLE_RATE_HZ - clocks.output_position_s
    return datetime.fromtimestamp(time.time() - time.monotonic() + monotonic_s, like.tzinfo)


async def measure(calls: int) -> list[dict[str, float]]:
    """Make so many calls between two sessions."""
    async with Machine() as machine:
        alice, bob = await together(
            machine.serve("alice", "--input", "tone:440", "--output", "null"),
            machine.serve("bob", "--input", "tone:660", "--output", "null"),
        )
        return [await one_call(machine, alice, bob, number) for number in range(calls)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--json` one document."""
    parser = argparse.ArgumentParser(prog="scripts/bench setup", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10, help="how many, one after the other (default 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    calls = asyncio.run(measure(options.calls))
    columns = {part: sorted(call[part] for call in calls) for part in PARTS}
    if options.json:
        medians = {part: statistics.median(values) for part, values in columns.items()}
        print(json.dumps({"schema": 1, "bench": "setup", "median_ms": medians, "calls_ms": calls}))
        return ExitCode.DONE
    print(f"{options.calls} calls between two processes on loopback, ms\n")
    print(f"{'':18}{'median':>8}{'least':>8}{'most':>8}")
    for part, values in columns.items():
        print(f"{part:18}{statistics.median(values):8.0f}{values[0]:8.0f}{values[-1]:8.0f}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
