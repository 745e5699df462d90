"""From `accept` to the first audible sample, between two `serve` processes on loopback, one call after the other.

    alice   offer ──> rings ┐
    bob                     └ `accept` starts ─ accepted ─ connecting ─ connected ─ first sample of alice's tone

    command      `blink accept` starts, until the session has accepted
    signaling    until the first connectivity check passes: who joined, offer and answer
    ice          until the first packet of the handshake
    dtls         until its last one
    first packet until the first media packet from alice to bob
    first sample until the first audible sample in bob's file

Moments are events' own times, the kernel's for packets (with the right to watch loopback; else signaling lasts until `connecting` and
what follows is one figure, `link`). The command's start is read by this program; the first sample is found in bob's WAV file and placed on
the same clock by `clocks` of `status`.
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

from benches.packet_watch import Kind, PacketWatch, udp_ports, watching
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.listening import Listener
from blink_cli.lab.session_calls import together
from blink_cli.lab.session_events import moment
from blink_cli.lab.sessions import Machine, Session

FIRST_MEDIA_S = 0.3
"""After the link stands: so long the first voice may take to pass."""

AUDIBLE = 0.01
"""-40 dBFS: the tone is 20 dB louder, silence and the codec's noise are far below."""

WATCHED_PARTS = (
    "command",
    "signaling",
    "ice",
    "dtls",
    "first packet",
    "first sample",
    "accept to sound",
    "command to sound",
)
PARTS = ("command", "signaling", "link", "first sample", "accept to sound", "command to sound")


async def one_call(
    machine: Machine, alice: Session, bob: Session, number: int, watch: PacketWatch | None
) -> dict[str, float]:
    """Make a call, hang up, and return how long each part took, milliseconds."""
    heard = machine.directory / f"heard-{number}.wav"
    await bob.ask("set-output", f"wav:{heard}")
    events = await bob.events()
    try:
        call = (await alice.ask("offer", bob.did))["call"]
        rings = moment(await events.next("incoming_call", call_id=call))
        command = datetime.now(rings.tzinfo)
        if watch is not None:
            watch.forget()
        await bob.blink("accept", call)
        accepted = moment(await events.next("call_joined", call_id=call))
        connecting = moment(await events.next("link_changed", link="connecting"))
        connected = moment(await events.next("link_changed", link="connected"))
        marks = {"command": command.timestamp(), "accepted": accepted.timestamp()}
        if watch is None:
            marks |= {"signaling": connecting.timestamp(), "link": connected.timestamp()}
        else:
            await asyncio.sleep(FIRST_MEDIA_S)
            ports = udp_ports(alice.pid) | udp_ports(bob.pid)
            marks |= _packet_marks(watch, ports, accepted.timestamp())
        status = await bob.until("status", plays_for_a_second, what="sound from alice")
        await alice.blink("leave")
        # Only then is the file whole: the device that wrote it is closed with the call or the change to the next.
        await events.next("call_terminated", call_id=call)
        await bob.ask("set-output", "null")
    finally:
        await events.aclose()
    sound = first_sound(Listener.of(status, heard), rings)
    return _lengths(marks | {"first sample": sound.timestamp()})


def _packet_marks(watch: PacketWatch, ports: frozenset[int], accepted_s: float) -> dict[str, float]:
    """When each stage ended, by what passed on the wire."""
    watch.drain()
    passed = watch.times.between(ports, accepted_s)
    first = {kind: next((at for at, other in passed if other is kind), None) for kind in Kind}
    checked_s, shaken_s, media_s = first[Kind.STUN], first[Kind.DTLS], first[Kind.RTP]
    assert checked_s is not None, "no connectivity check was seen"
    assert shaken_s is not None, "no handshake was seen"
    assert media_s is not None, "no media packet was seen"
    done_s = max(at for at, kind in passed if kind is Kind.DTLS and at <= media_s)
    return {"signaling": checked_s, "ice": shaken_s, "dtls": done_s, "first packet": media_s}


def _lengths(marks: dict[str, float]) -> dict[str, float]:
    """How long each stage lasted, from when each ended; milliseconds."""
    stages = {"command": marks["accepted"] - marks["command"]}
    before_s = marks["accepted"]
    for stage, end_s in marks.items():
        if stage not in ("command", "accepted"):
            stages[stage] = end_s - before_s
            before_s = end_s
    stages["accept to sound"] = before_s - marks["accepted"]
    stages["command to sound"] = before_s - marks["command"]
    return {stage: 1000 * length_s for stage, length_s in stages.items()}


def plays_for_a_second(status: Any) -> bool:
    """Whether the output device has played for so long."""
    return (status["clocks"]["output_position_s"] or 0) > 1.0


def first_sound(listener: Listener, like: datetime) -> datetime:
    """When the first audible sample was played, in the time zone of `like`."""
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
        with watching(int(machine.group.rpartition(":")[2])) as watch:
            return [await one_call(machine, alice, bob, number, watch) for number in range(calls)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--json` one document."""
    parser = argparse.ArgumentParser(prog="scripts/bench setup", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=10, help="how many, one after the other (default 10)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    calls = asyncio.run(measure(options.calls))
    parts = WATCHED_PARTS if "ice" in calls[0] else PARTS
    columns = {part: sorted(call[part] for call in calls) for part in parts}
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
