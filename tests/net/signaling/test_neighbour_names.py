"""Neighbours' names are found when they can be, and nobody waits for it."""

import asyncio
import logging

import pytest

from blink_cli.core.endpoint import parse_endpoint
from blink_cli.net.signaling import neighbour_names
from blink_cli.net.signaling.neighbour_names import NeighbourNames
from tests.net.gossip_parts import eventually

pytestmark = pytest.mark.real_time


class Resolver:
    """Knows what a test says; a name that it does not know waits until it learns it."""

    def __init__(self) -> None:
        self.known: dict[str, str | OSError] = {}
        self.asked: list[str] = []
        self._known_now = asyncio.Event()

    async def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        while host not in self.known:
            self._known_now.clear()
            await self._known_now.wait()
        answer = self.known[host]
        if isinstance(answer, OSError):
            raise answer
        return tuple(answer.split())

    def learn(self, host: str, answer: str | OSError) -> None:
        self.known[host] = answer
        self._known_now.set()


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    made = Resolver()
    monkeypatch.setattr(neighbour_names, "host_addresses", made)
    return made


def addresses_of(names: NeighbourNames) -> list[tuple[str, int]]:
    return [parse_endpoint(path.name) for path in names.paths]


async def test_addresses_are_known_at_once_and_one_silent_name_holds_up_no_other(resolver: Resolver) -> None:
    changes: list[None] = []
    names = NeighbourNames(
        [("silent.example", 1), ("192.0.2.7", 2), ("quick.example", 3)], lambda: changes.append(None)
    )
    assert addresses_of(names) == [("192.0.2.7", 2)]
    resolver.learn("quick.example", "192.0.2.9")
    names.start()
    await eventually(lambda: addresses_of(names) == [("192.0.2.7", 2), ("192.0.2.9", 3)])
    assert len(changes) == 1
    assert "192.0.2.7" not in resolver.asked
    resolver.learn("silent.example", "192.0.2.8")
    await eventually(lambda: len(changes) == 2)
    assert addresses_of(names) == [("192.0.2.8", 1), ("192.0.2.7", 2), ("192.0.2.9", 3)]
    await names.aclose()


async def test_closing_does_not_wait_for_a_silent_resolver(resolver: Resolver) -> None:
    names = NeighbourNames([("silent.example", 1)], lambda: None)
    names.start()
    await eventually(lambda: resolver.asked)
    async with asyncio.timeout(5):
        await names.aclose()
        await names.aclose()


async def test_a_name_that_is_not_found_is_reported_once_until_it_is_found(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(neighbour_names, "UNKNOWN_AGAIN_S", 0.0)
    monkeypatch.setattr(neighbour_names, "KNOWN_AGAIN_S", 0.0)
    names = NeighbourNames([("moving.example", 1)], lambda: None)
    resolver.learn("moving.example", OSError("no such name"))
    with caplog.at_level(logging.WARNING):
        names.start()
        await eventually(lambda: len(resolver.asked) >= 3)
        assert len(caplog.records) == 1
        assert "moving.example" in caplog.text
        assert "no such name" in caplog.text
        for address in ("192.0.2.1", "192.0.2.2"):
            resolver.learn("moving.example", address)
            await eventually(lambda address=address: addresses_of(names) == [(address, 1)])  # type: ignore[misc]
        resolver.learn("moving.example", OSError("gone"))
        await eventually(lambda: len(caplog.records) == 2)
    assert addresses_of(names) == [("192.0.2.2", 1)], "the last address is better than none"
    await names.aclose()


async def test_another_network_is_asked_at_once(resolver: Resolver) -> None:
    names = NeighbourNames([("a.example", 1), ("b.example", 2)], lambda: None)
    resolver.learn("a.example", "192.0.2.1")
    resolver.learn("b.example", OSError("not here"))
    names.start()
    await eventually(lambda: len(resolver.asked) == 2)
    names.look_again()
    await eventually(lambda: len(resolver.asked) == 4)
    await names.aclose()


async def test_two_names_of_one_machine_are_one_neighbour(resolver: Resolver) -> None:
    names = NeighbourNames([("a.example", 1), ("b.example", 1), ("b.example", 1)], lambda: None)
    for host in ("a.example", "b.example"):
        resolver.learn(host, "192.0.2.1")
    names.start()
    await eventually(lambda: len(resolver.asked) == 2)
    await eventually(lambda: addresses_of(names) == [("192.0.2.1", 1)])
    await names.aclose()


async def test_a_name_of_both_families_gives_two_ways_onto_one_link(resolver: Resolver) -> None:
    resolver.learn("both.example", "2001:db8::7 192.0.2.7")
    names = NeighbourNames([("both.example", 7667), ("fe80::1%eth0", 1)], lambda: None)
    names.start()
    await eventually(lambda: len(names.paths) == 3)
    assert [path.name for path in names.paths] == ["[2001:db8::7]:7667", "192.0.2.7:7667", "[fe80::1%eth0]:1"]
    assert names.paths[0].shares_link(names.paths[1])
    assert not names.paths[1].shares_link(names.paths[2])
    await names.aclose()
