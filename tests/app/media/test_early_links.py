"""What is described while it rings may be needed in the same moment, since a machine accepts at once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from blink_cli.app.media.link_set import LinkSet
from blink_cli.app.media.linked_participant import LinkedParticipant
from blink_cli.core.api.events import Event
from blink_cli.core.api.ice_server import parse_ice_server
from blink_cli.core.call.inputs import Described, MediaInput
from blink_cli.core.ids import Did
from blink_cli.lab.links import LOOPBACK, certificate
from blink_cli.net.ice.ice_servers import IceServers
from blink_cli.runtime.clock import MonotonicClock
from blink_cli.runtime.tasks import TaskOwner
from tests.net.gossip_parts import eventually

PEER = Did("did:key:z6MkPeer")
EARLY, LATER = 1, 2


class Links:
    """The links of one side that has a STUN server, which does not answer."""

    def __init__(self, tasks: TaskOwner, server: str) -> None:
        self.told: asyncio.Queue[MediaInput] = asyncio.Queue()
        self.published: list[Event] = []
        self.set = LinkSet(
            LOOPBACK,
            certificate(),
            tasks,
            new_participant=LinkedParticipant,
            tell=self.told.put_nowait,
            publish=self.published.append,
            clock=MonotonicClock(),
            ice_servers=IceServers([parse_ice_server(server)]),
        )

    async def described(self, epoch: int) -> str:
        """What it tells first."""
        async with asyncio.timeout(10):
            told = await self.told.get()
        assert isinstance(told, Described), told
        assert (told.peer, told.epoch) == (PEER, epoch)
        return told.sdp


@asynccontextmanager
async def two_sides() -> AsyncIterator[tuple[Links, Links]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        server = f"stun:127.0.0.1:{silent.getsockname()[1]}"
        async with TaskOwner("test") as tasks:
            sides = Links(tasks, server), Links(tasks, server)
            try:
                yield sides
            finally:
                for side in sides:
                    side.set.hang_up_all()
                    await side.set.aclose()
                await eventually(lambda: not tasks.running)  # a closed owner would start no closing


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "while servers are asked"])
async def test_a_dialling_that_overtakes_the_early_description_goes_on_with_its_link(*, waits: bool) -> None:
    async with two_sides() as (ours, theirs):
        ours.set.describe_early(PEER, EARLY)
        if waits:
            await asyncio.sleep(0)
        ours.set.dial(PEER, LATER)
        theirs.set.answer(PEER, LATER, await ours.described(LATER))
        await theirs.described(LATER)


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "while servers are asked"])
async def test_an_answer_that_overtakes_the_early_description_goes_on_with_its_link(*, waits: bool) -> None:
    async with two_sides() as (ours, theirs):
        theirs.set.dial(PEER, LATER)
        offer = await theirs.described(LATER)
        ours.set.describe_early(PEER, EARLY)
        if waits:
            await asyncio.sleep(0)
        ours.set.answer(PEER, LATER, offer)
        await ours.described(LATER)
