"""A contact's call rings while strangers flood the ports of the signals, with one kind of datagrams at a time."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

import pytest

from blink_cli.core.api.events import IncomingCall
from blink_cli.core.api.replies.network import SignalCounters
from blink_cli.core.api.requests import AcceptCall, LeaveCall, PlaceOffer, ReloadContacts
from blink_cli.core.ids import Did
from blink_cli.lab.flood import flood, garbage, greetings_of_nobody, stranger_says, strangers_say, udp_ports
from blink_cli.lab.leftovers import processor_s, resident_bytes
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.watching import Watched

pytestmark = pytest.mark.real_time(within_s=60)

RATE = 50_000
SECONDS = 4.0
RINGS_WITHIN_S = 2.0
MAX_GROWTH_BYTES = 20_000_000
MAX_PROCESSOR = 0.6
SEED = 11

KINDS: dict[str, Callable[[Did], list[bytes]]] = {
    "garbage": lambda _: garbage(SEED),
    "a stranger who signs well": lambda bob: stranger_says(bob, 2_000),
    "many strangers who sign well": lambda bob: strangers_say(bob, 2_000),
    "greetings of nobody": lambda _: greetings_of_nobody(SEED),
}


async def called_once(alice: Watched, bob: Watched) -> None:
    """Have bob load what a first call takes, some 20 MB, before his memory is looked at."""
    await alice.ask(PlaceOffer(peers=(bob.did,)))
    await bob.ask(AcceptCall(wait_s=10.0))
    await bob.until_connected(alice.did, 10.0)
    await alice.ask(LeaveCall())
    await bob.until(lambda: bob.call is None, 10.0, "the call's end")


async def counters(session: Watched) -> SignalCounters:
    signals = (await session.status()).signals
    assert signals is not None
    return signals


@pytest.mark.timeout(180)
async def test_a_contacts_call_rings_in_a_flood(machine: Machine) -> None:
    options = ("--input", "silence", "--output", "null")
    sessions = await together(machine.serve("alice", *options), machine.serve("bob", *options))
    async with AsyncExitStack() as stack:
        alice, bob = [await stack.enter_async_context(Watched.following(one)) for one in sessions]
        await sessions[1].blink("contacts", "add", "friend", sessions[0].did)
        await bob.ask(ReloadContacts())
        ports = [machine.group, *(f"127.0.0.1:{p}" for p in udp_ports(sessions[1].pid) if p != 5353)]
        await called_once(alice, bob)
        pid, memory_bytes = sessions[1].pid, resident_bytes(sessions[1].pid)
        told = {}
        for kind, made in KINDS.items():
            before, begun_s, used_s = await counters(bob), time.monotonic(), processor_s(pid)
            rung = len([1 for _, event in bob.events if isinstance(event, IncomingCall)])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(flood(made(Did(bob.did)), ports, rate=RATE, seconds=SECONDS))
                await asyncio.sleep(SECONDS / 2)  # in the middle of it
                offered_s = time.monotonic()
                await alice.ask(PlaceOffer(peers=(bob.did,)))
                rings = [e for e in bob.events if isinstance(e[1], IncomingCall)]
                while len(rings) == rung and time.monotonic() < offered_s + 2 * RINGS_WITHIN_S:
                    await asyncio.sleep(0.01)
                    rings = [e for e in bob.events if isinstance(e[1], IncomingCall)]
            after = await counters(bob)
            told[kind] = {
                "rings after": rings[-1][0] - offered_s if len(rings) > rung else None,
                "processor": (processor_s(pid) - used_s) / (time.monotonic() - begun_s),
                "answers": (after.transmitted - before.transmitted) / (RATE * SECONDS),
            }
            await alice.ask(LeaveCall())
        for kind, figures in told.items():
            rings_after_s, processor, answers = figures.values()
            assert rings_after_s is not None, (kind, told)
            assert rings_after_s < RINGS_WITHIN_S, (kind, told)
            assert processor is not None, told
            assert processor < MAX_PROCESSOR, (kind, told)
            assert answers is not None, told
            assert answers < 0.01, (kind, told)
        grown_bytes = resident_bytes(pid) - memory_bytes
        assert grown_bytes < MAX_GROWTH_BYTES, told
