"""A standing link with two ways: it leaves the one that died, and keeps the one that is only quiet."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from blink_cli.lab.links import LOOPBACK, End, connect, frame
from blink_cli.net.ice.ice_connection import Way
from blink_cli.net.ice.path_watch import SETTLED_S, SILENT_AFTER_S, TRY_EVERY_S
from blink_cli.net.link_settings import LinkConnected
from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.real_time

TWO_WAYS = replace(LOOPBACK, addresses=("127.0.0.1", "::1"))


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.fixture
async def pair() -> AsyncIterator[tuple[End, End]]:
    if not has_ipv6():
        pytest.skip("needs IPv6 on loopback, the second way")
    async with TaskOwner("test") as tasks:
        a, b = End("a", tasks, TWO_WAYS), End("b", tasks, TWO_WAYS)
        async with a.link, b.link:
            await connect(a, b)
            # The offerer says which way counts a moment after the link stands.
            await talk(a, b, time.monotonic() + 5.0, over=lambda: has_agreed(b))
            assert has_agreed(b)
            assert local(a.link.way) == local(b.link.way)
            yield a, b


def has_agreed(answerer: End) -> bool:
    transport: Any = answerer.link._transport
    return bool(transport._connection.paths._agreed)


def local(way: Way | None) -> str:
    assert way is not None
    assert way.local is not None
    return way.local.address


def everything(_data: bytes) -> bool:
    return True


def is_stun_answer(data: bytes) -> bool:
    return data[0] == 1


def deafen(end: End, address: str, *, to: Callable[[bytes], bool] = everything) -> Callable[[], None]:
    """Let nothing of this kind that comes to this address of an end be heard: its path died. Returns what brings it back."""
    transport: Any = end.link._transport
    (protocol,) = (found for found, own in transport._connection.local_of.items() if own.address == address)
    hears = protocol.datagram_received
    protocol.datagram_received = lambda data, source: None if to(data) else hears(data, source)
    return lambda: protocol.__dict__.pop("datagram_received")


async def talk(a: End, b: End, until_s: float, *, over: Callable[[], bool] = lambda: False) -> None:
    """Send voice both ways until then, or until it is over."""
    index = 0
    while time.monotonic() < until_s and not over():
        for end in (a, b):
            end.link.send_frame(frame(index))
        index += 1
        await asyncio.sleep(0.02)


async def test_both_use_the_best_way_whatever_the_first_checks_found() -> None:
    """The offerer hears no answer by the best way until the link stands; the other side did, and has taken it."""
    if not has_ipv6():
        pytest.skip("needs IPv6 on loopback, the second way")
    async with TaskOwner("test") as tasks:
        a, b = End("a", tasks, TWO_WAYS), End("b", tasks, TWO_WAYS)
        async with a.link, b.link:
            offer = await a.link.create_offer()
            transport: Any = a.link._transport
            best = transport.addresses.used[0].address
            hear_again = deafen(a, best, to=is_stun_answer)
            await a.link.accept_answer(await b.link.accept_offer(offer))
            for end in (a, b):
                await end.until_state(LinkConnected)
            found = local(a.link.way), local(b.link.way)
            assert found[0] != best == found[1], "the first checks left them apart"
            hear_again()
            await talk(a, b, time.monotonic() + 3.0, over=lambda: local(a.link.way) == local(b.link.way))
            assert (local(a.link.way), local(b.link.way)) == (best, best)
            assert a.moves == b.moves == [], "nothing died"


async def test_a_way_that_died_before_they_agreed_is_left_and_told() -> None:
    """The answerer learns of it by the first nomination, which else says where both begin."""
    if not has_ipv6():
        pytest.skip("needs IPv6 on loopback, the second way")

    async def nothing() -> None:
        await asyncio.sleep(0)

    async with TaskOwner("test") as tasks:
        a, b = End("a", tasks, TWO_WAYS), End("b", tasks, TWO_WAYS)
        async with a.link, b.link:
            await connect(a, b)
            transports: list[Any] = [end.link._transport for end in (a, b)]
            watches = [transport._connection.paths for transport in transports]
            watches[0]._settle = watches[1]._try = nothing
            used = local(a.link.way)
            # Which one the first checks leave to each is chance.
            connection = transports[1]._connection
            connection._nominated[1] = next(
                found for found in connection.ways() if connection._way_told(found).local.address == used
            )
            for end in (a, b):
                deafen(end, used)
            await talk(a, b, time.monotonic() + SETTLED_S, over=lambda: bool(a.moves and b.moves))
            assert len(a.moves) == len(b.moves) == 1
            assert local(a.link.way) == local(b.link.way) != used


async def test_sides_that_lost_each_other_meet_again(
    pair: tuple[End, End],
) -> None:
    """Each hears the other by another way than its own; both work, so that silence would move nobody."""
    a, b = pair
    await talk(a, b, time.monotonic() + SETTLED_S)
    used = local(a.link.way)
    transport: Any = b.link._transport
    transport._connection._nominated[1] = next(
        found
        for found in transport._connection.ways()
        if transport._connection._way_told(found).local.address != used
    )
    await talk(a, b, time.monotonic() + 3.0, over=lambda: local(b.link.way) == used)
    assert local(b.link.way) == local(a.link.way) == used


async def test_a_way_that_died_is_left_within_two_seconds(
    pair: tuple[End, End],
) -> None:
    a, b = pair
    used, other = local(a.link.way), {"127.0.0.1": "::1", "::1": "127.0.0.1"}[local(a.link.way)]
    await talk(a, b, time.monotonic() + 0.2)
    for end in (a, b):
        deafen(end, used)
    died_s = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(talk(a, b, died_s + SILENT_AFTER_S + 2 * TRY_EVERY_S), name="talk")
        for end in (a, b):
            # Who moves first is heard by the other one before that one has moved itself.
            await end.until(
                lambda end=end: end.packets[-1].arrival_s > died_s and local(end.link.way) == other,  # type: ignore[misc]
                within_s=2.5,
            )
    assert [(local(left), local(taken)) for left, taken in a.moves] == [(used, other)], "once"
    assert [(local(left), local(taken)) for left, taken in b.moves] == [(used, other)], "once"


async def test_a_way_that_died_in_one_direction_is_left_by_both(
    pair: tuple[End, End],
) -> None:
    a, b = pair
    used = local(a.link.way)
    deafen(b, used)
    died_s = time.monotonic()
    await talk(a, b, died_s + SILENT_AFTER_S + TRY_EVERY_S + 0.5)
    assert local(a.link.way) == local(b.link.way) != used
    assert b.packets[-1].arrival_s > died_s + SILENT_AFTER_S


async def test_silence_alone_moves_nobody(pair: tuple[End, End]) -> None:
    a, b = pair
    for end in (a, b):
        transport: Any = end.link._transport
        for candidate in transport._connection._protocols:
            candidate._on_rtcp = lambda _data, _arrival_s: None
        reporting: Any = end.link._reporting
        reporting.close()
    await asyncio.sleep(SILENT_AFTER_S + TRY_EVERY_S)
    assert a.moves == b.moves == []
