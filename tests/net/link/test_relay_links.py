"""Links through a real coturn: relayed only, direct where possible, and with servers that died or refuse."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from msgspec.structs import replace

from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.errors import StateError
from blink_cli.lab.links import LOOPBACK, End, connect, frame
from blink_cli.lab.turn_server import Silence, TurnServer
from blink_cli.net.ice.turn_relay import RELAY_FAREWELL_S
from blink_cli.net.link_settings import IceServer, LinkClosed, LinkConnected, LinkSettings
from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.real_time

FAR_BELOW_AIOICE_S = 2.0
"""aioice alone waits 3 to 5 s for servers that are dead, and 63 s for one that died; the margin is for a loaded machine."""


@pytest.fixture(scope="module")
def coturn() -> Iterator[TurnServer]:
    with TurnServer() as server:
        yield server


@pytest_asyncio.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


def through(*servers: ConfiguredServer, relay_only: bool = False) -> LinkSettings:
    given = (IceServer(server.url, *server.credentials(time.time())) for server in servers)
    return replace(LOOPBACK, ice_servers=tuple(given), relay_only=relay_only)


def path(end: End) -> tuple[str, str]:
    """The kinds of the two candidates that media goes between."""
    pair = end.link._transport._connection._nominated[1]
    return pair.local_candidate.type, pair.remote_candidate.type


async def talk(a: End, b: End) -> None:
    for index in range(5):
        assert a.link.send_frame(frame(index))
        assert b.link.send_frame(frame(index))
    await asyncio.gather(*(end.until(lambda end=end: _heard_and_reported(end)) for end in (a, b)))  # type: ignore[misc]


def _heard_and_reported(end: End) -> bool:
    return len(end.packets) == 5 and len(end.reception_reports) > 0


async def test_links_that_were_prepared_wait_for_no_server(tasks: TaskOwner) -> None:
    with TurnServer() as coturn:
        settings = through(coturn.server("stun"), coturn.server())
        a, b = End("a", tasks, settings), End("b", tasks, settings)
        async with a.link, b.link:
            await asyncio.gather(a.link.prepare(), b.link.prepare())
            assert a.link.is_prepared
            assert a.link.has_fresh_addresses
            coturn.kill()  # whoever asked now would have no relay
            withdrawn = await a.link.create_offer()
            a.link.withdraw_offer()
            offer = await a.link.create_offer()
            assert "typ relay" in offer
            assert _candidates(offer) == _candidates(withdrawn)
            answer = await b.link.accept_offer(offer)
            assert "typ relay" in answer
            await a.link.accept_answer(answer)
            await a.until_state(LinkConnected)
            await b.until_state(LinkConnected)
            await talk(a, b)


def _candidates(description: str) -> list[str]:
    return [line for line in description.splitlines() if line.startswith("a=candidate")]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_two_links_talk_through_the_relay_only(
    coturn: TurnServer, tasks: TaskOwner, transport: str
) -> None:
    settings = through(coturn.server("stun"), coturn.server(transport=transport), relay_only=True)
    a, b = End("a", tasks, settings), End("b", tasks, settings)
    async with a.link, b.link:
        offer = await a.link.create_offer()
        candidates = _candidates(offer)
        assert [line.split()[7] for line in candidates] == ["relay"]
        assert "raddr 0.0.0.0" in candidates[0], "the own address is not shown"
        await a.link.accept_answer(await b.link.accept_offer(offer))
        await a.until_state(LinkConnected)
        await b.until_state(LinkConnected)
        assert path(a) == path(b) == ("relay", "relay")
        await talk(a, b)
    assert isinstance(b.states[-1], LinkClosed)


@pytest.mark.parametrize("offerer_relays", [True, False])
async def test_one_side_behind_a_relay_connects_without_waiting_for_a_repetition(
    coturn: TurnServer, tasks: TaskOwner, *, offerer_relays: bool
) -> None:
    relayed = through(coturn.server(), relay_only=True)
    sides = (relayed, LOOPBACK) if offerer_relays else (LOOPBACK, relayed)
    a, b = End("a", tasks, sides[0]), End("b", tasks, sides[1])
    async with a.link, b.link:
        await connect(a, b)
        await talk(a, b)
        checks = [end.link._transport._connection.checks._repeated for end in (a, b)]
        assert 1 <= sum(map(len, checks)) <= 2, (
            "a check that the relay dropped is said again once the way is open"
        )


async def test_what_can_go_directly_does_although_there_is_a_relay(
    coturn: TurnServer, tasks: TaskOwner
) -> None:
    settings = through(coturn.server("stun"), coturn.server())
    for _ in range(5):
        a, b = End("a", tasks, settings), End("b", tasks, settings)
        async with a.link, b.link:
            await connect(a, b)
            assert a.link.servers_answered
            assert b.link.servers_answered
            assert path(a) == path(b) == ("host", "host")


@pytest.mark.parametrize(("kind", "transport"), [("stun", "udp"), ("turn", "udp"), ("turn", "tcp")])
async def test_a_server_that_died_since_it_was_asked_costs_little(
    tasks: TaskOwner, kind: str, transport: str
) -> None:
    async with Silence() as silence:
        settings = through(silence.server(kind, transport=transport))
        a, b = End("a", tasks, settings), End("b", tasks, settings)
        async with a.link, b.link:
            begun_s = time.monotonic()
            await connect(a, b)
            assert time.monotonic() - begun_s < FAR_BELOW_AIOICE_S
            assert not a.link.servers_answered
            assert not b.link.servers_answered
            await talk(a, b)


async def test_wrong_credentials_cost_nothing_and_are_noticed(coturn: TurnServer, tasks: TaskOwner) -> None:
    settings = through(coturn.server(credential="wrong"))
    a, b = End("a", tasks, settings), End("b", tasks, settings)
    async with a.link, b.link:
        await connect(a, b)
        assert not a.link.servers_answered
        await talk(a, b)


async def test_without_a_relay_a_link_that_needs_one_says_so_at_once(tasks: TaskOwner) -> None:
    async with Silence() as silence:
        for settings in (
            through(relay_only=True),
            through(silence.server(), relay_only=True),
            through(silence.server("stun"), relay_only=True),
        ):
            end = End("a", tasks, settings)
            async with end.link:
                begun_s = time.monotonic()
                with pytest.raises(StateError, match="only a relay may be used"):
                    await end.link.create_offer()
                assert time.monotonic() - begun_s < FAR_BELOW_AIOICE_S


async def test_closing_with_a_dead_relay_does_not_block(tasks: TaskOwner) -> None:
    with TurnServer() as doomed:
        settings = through(doomed.server(), relay_only=True)
        a, b = End("a", tasks, settings), End("b", tasks, settings)
        await connect(a, b)
        doomed.kill()
        a.link.send_frame(frame(0))
        begun_s = time.monotonic()
        await a.link.aclose()
        await b.link.aclose()
        assert time.monotonic() - begun_s < FAR_BELOW_AIOICE_S
        closing = [end.link._closing for end in (a, b)]
        await asyncio.wait_for(asyncio.gather(*(task for task in closing if task is not None)), 5)
        assert time.monotonic() - begun_s < RELAY_FAREWELL_S + FAR_BELOW_AIOICE_S
        # the fixture checks that no task of aioice's is left, the warnings that no socket is


async def test_closing_while_candidates_are_gathered_closes_what_comes_of_it(
    coturn: TurnServer, tasks: TaskOwner
) -> None:
    async with Silence() as silence:
        for settings in (
            through(silence.server()),
            through(silence.server("stun"), silence.server(transport="tcp")),
            through(coturn.server()),
        ):
            end = End("a", tasks, settings)
            offering = asyncio.get_running_loop().create_task(end.link.create_offer())
            await asyncio.sleep(0)
            await end.link.aclose()
            with pytest.raises(StateError, match="closed while"):
                await offering


async def test_cancelling_the_gathering_leaves_nothing_after_the_closing(
    coturn: TurnServer, tasks: TaskOwner
) -> None:
    for settings in (
        through(coturn.server()),
        through(coturn.server("stun"), coturn.server(transport="tcp")),
    ):
        end = End("a", tasks, settings)
        offering = asyncio.get_running_loop().create_task(end.link.create_offer())
        await asyncio.sleep(0)
        offering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await offering
        await end.link.aclose()
