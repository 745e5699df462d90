"""A session that begins again while somebody plays all that was said to it before."""

import asyncio
import signal
import stat
from contextlib import AsyncExitStack

import pytest

from blink_cli.core.api.events import IncomingCall, PeerAppeared
from blink_cli.core.api.requests import AcceptCall, GetPeers, PlaceOffer
from blink_cli.lab.flood import flood, overheard
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.watching import Watched, is_whole, whole

pytestmark = [pytest.mark.real_time(within_s=30), pytest.mark.in_pairs]

QUIET = ("--input", "tone:440", "--output", "null")


async def recorded_call(machine: Machine, alice: Session, bob: Session) -> list[bytes]:
    """What goes over the network while one calls the other."""
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(Watched.following(one)) for one in (alice, bob)]
        async with asyncio.TaskGroup() as tasks:
            recording = tasks.create_task(overheard(machine.group, 4.0))
            await asyncio.sleep(0)  # it listens from its first step on
            await together(
                both[0].ask(PlaceOffer(peers=(both[1].did,))),
                both[1].ask(AcceptCall(wait_s=10.0), timeout_s=20),
            )
            await whole(both, 10)
        return recording.result()


async def killed(session: Session) -> None:
    session.signal(signal.SIGKILL)
    await session.ended()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("ending", ["it was killed", "it ended"])
async def test_a_session_that_begins_again_under_a_recording_of_its_traffic_does_nothing(
    machine: Machine, ending: str
) -> None:
    alice, bob = await together(machine.serve("alice", *QUIET), machine.serve("bob", *QUIET))
    recording = await recorded_call(machine, alice, bob)
    assert len(recording) > 10
    await killed(alice)
    if ending == "it ended":
        await bob.terminate()
        (kept,) = machine.data_directory("bob").rglob("seen.msgpack")
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    else:
        await killed(bob)
    bob = await machine.serve("bob", *QUIET)
    assert not list(machine.data_directory("bob").rglob("seen.msgpack"))
    async with Watched.following(bob) as watched:
        for _ in range(2):
            await flood(recording, [machine.group], rate=400, seconds=2.0)
        status, peers = await watched.status(), await watched.ask(GetPeers())
        assert status.signals is not None
        assert status.signals.received >= 2 * len(recording)
        assert (status.call, status.pending_calls) == (None, ())
        assert not any(peer.alive for peer in peers.peers)
        assert not [event for _, event in watched.events if isinstance(event, IncomingCall | PeerAppeared)]

        alice = await machine.serve("alice", *QUIET)
        async with Watched.following(alice) as caller:
            await together(
                caller.ask(PlaceOffer(peers=(watched.did,))),
                watched.ask(AcceptCall(wait_s=5.0), timeout_s=10),
            )
            await whole((caller, watched), 10)
            assert is_whole((caller, watched))
