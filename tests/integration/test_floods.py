"""50,000 datagrams a second at a session that is in a call: the voice goes on, memory stays, the counters tell."""

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Any

import pytest

from blink_cli.core.names import Did
from blink_cli.core.replies import Inbound, SignalCounters
from blink_cli.core.requests import AcceptCall, PlaceOffer
from tests.support.flood import flood, garbage, stranger_says, udp_ports
from tests.support.leftovers import resident_bytes
from tests.support.sessions import Machine, together
from tests.support.watching import Watched, is_whole, whole

RATE = 50_000
SECONDS = 4.0
MAX_CONCEALED = 0.01
MAX_TRIES = 5
"""A virtual machine whose host takes its processors away conceals some per cent in peace too. That passes; what a flood costs comes again."""

MAX_GROWTH_BYTES = 24_000_000
SEED = 4


async def overheard(group: str, seconds: float) -> list[bytes]:
    """What anybody on the network hears of a call's signals."""
    address, _, port = group.rpartition(":")
    found: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((address, int(port)))
        membership = socket.inet_aton(address) + socket.inet_aton("127.0.0.1")
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        ear.settimeout(0)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found.append(await asyncio.get_running_loop().sock_recv(ear, 2_000))
        except TimeoutError:
            return found


async def figures(listener: Watched) -> tuple[Inbound, SignalCounters]:
    (peer,) = (await listener.statistics()).peers
    status = await listener.status()
    assert peer.inbound is not None
    assert status.signals is not None
    return peer.inbound, status.signals


@pytest.mark.timeout(180)
async def test_no_flood_is_heard(machine: Machine) -> None:
    sessions = await together(
        machine.serve("alice", "--input", "tone:440", "--output", "null"),
        machine.serve("bob", "--input", "tone:660", "--output", "null"),
    )
    async with AsyncExitStack() as stack:
        alice, bob = [await stack.enter_async_context(Watched.following(one)) for one in sessions]
        before = set(udp_ports(sessions[1].pid))
        await together(
            alice.ask(PlaceOffer(peers=(bob.did,))), bob.ask(AcceptCall(wait_s=10.0), timeout_s=20)
        )
        await whole((alice, bob), 10)
        ports = udp_ports(sessions[1].pid)
        media = [f"127.0.0.1:{port}" for port in ports if port not in before]
        signals = [machine.group, *(f"127.0.0.1:{port}" for port in before if port != 5353)]
        assert media
        replays = await overheard(machine.group, 2.0)
        assert replays
        quiet = await concealed_while(bob, asyncio.sleep(3.0))
        memory_bytes = resident_bytes(sessions[1].pid)
        floods: dict[str, tuple[list[bytes], list[str]]] = {
            "garbage as signals": (garbage(SEED), signals),
            "replays": (replays, signals),
            "a stranger who signs well": (stranger_says(Did(bob.did), 4_000), signals),
            "garbage as media": (garbage(SEED), media),
        }
        told = {}
        for name, (datagrams, destinations) in floods.items():
            before_it, counted = await figures(bob)
            refused = before_it.datagrams_refused
            tries: list[float] = []
            while not tries or (min(tries) > MAX_CONCEALED and len(tries) < MAX_TRIES):
                raging = flood(datagrams, destinations, rate=RATE, seconds=SECONDS)
                tries.append(await concealed_while(bob, raging))
            heard, now = await figures(bob)
            told[name] = {
                key: getattr(now, key) - getattr(counted, key) for key in SignalCounters.__struct_fields__
            } | {"refused": heard.datagrams_refused - refused}
            assert min(tries) <= MAX_CONCEALED, (quiet, tries, told)
            assert is_whole((alice, bob)), told
        assert told["garbage as signals"]["malformed"] > 100, told
        assert told["garbage as signals"]["flooded"] > 0, told
        assert told["replays"]["duplicates"] + told["replays"]["replayed"] > 100, told
        assert told["a stranger who signs well"]["rate_limited"] > 100, told
        assert told["garbage as media"]["refused"] > 100, told
        assert resident_bytes(sessions[1].pid) - memory_bytes < MAX_GROWTH_BYTES
    await together(*(session.terminate() for session in sessions))
    assert all(session.stderr == "" for session in sessions)


async def concealed_while(listener: Watched, event: Any) -> float:
    """The share of what was played meanwhile that was made up."""
    begun, _ = await figures(listener)
    await event
    ended, _ = await figures(listener)
    played = ended.total_samples_received - begun.total_samples_received
    return (ended.concealed_samples - begun.concealed_samples) / max(played, 1)
