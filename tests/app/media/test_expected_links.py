"""What is expected is asked for once, kept for a while, and given back; what does not fit any more is not used."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from blink_cli.app.media import expected_links
from blink_cli.app.media.expected_links import MAX_EXPECTED, ExpectedLinks
from blink_cli.core.ids import Did
from blink_cli.runtime.tasks import TaskOwner

ANNA = Did("did:key:anna")


class Link:
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_prepared = False
        self.closed = asyncio.Event()

    async def prepare(self) -> None:
        self.asked.append("prepare")
        self.is_prepared = True

    def withdraw_offer(self) -> None:
        self.asked.append("withdraw")

    async def aclose(self) -> None:
        self.asked.append("close")
        self.closed.set()


@pytest.fixture
async def tasks() -> AsyncIterator[TaskOwner]:
    async with TaskOwner("test") as owner:
        yield owner


def new(link: Link) -> Any:
    return lambda: cast("Any", link)


async def test_what_is_expected_is_taken_once(tasks: TaskOwner) -> None:
    expected, link = ExpectedLinks(tasks), Link()
    expected.expect(ANNA, new(link))
    expected.expect(ANNA, new(Link()))
    await asyncio.sleep(0)
    assert expected.take(ANNA, lambda _: True) is cast("Any", link)
    assert link.asked == ["prepare", "withdraw"]
    assert expected.take(ANNA, lambda _: True) is None


async def test_what_is_described_is_taken_as_it_is_by_its_answer(tasks: TaskOwner) -> None:
    expected, link = ExpectedLinks(tasks), Link()
    assert expected.describe(ANNA, 7) is None
    expected.expect(ANNA, new(link))
    await asyncio.sleep(0)
    assert not expected.is_described(ANNA, 7)
    assert expected.describe(ANNA, 7) is cast("Any", link)
    assert expected.describe(ANNA, 8) is None
    assert expected.is_described(ANNA, 7)
    assert not expected.is_described(ANNA, 8)
    assert expected.take_described(ANNA, lambda _: True) is cast("Any", link)
    assert link.asked == ["prepare"]
    assert not expected.is_described(ANNA, 7)


async def test_what_is_described_and_kept_in_vain_is_told(
    tasks: TaskOwner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expected_links, "KEPT_S", 0.01)
    lapsed: list[tuple[Did, int]] = []
    expected, link = ExpectedLinks(tasks, lambda *told: lapsed.append(told)), Link()
    expected.expect(ANNA, new(link))
    expected.describe(ANNA, 7)
    await link.closed.wait()
    assert lapsed == [(ANNA, 7)]


async def test_what_is_given_up_is_closed(tasks: TaskOwner) -> None:
    expected, link = ExpectedLinks(tasks), Link()
    expected.expect(ANNA, new(link))
    expected.give_up(ANNA)
    await link.closed.wait()
    expected.give_up(ANNA)
    assert expected.take(ANNA, lambda _: True) is None


async def test_what_does_not_fit_is_given_back(tasks: TaskOwner) -> None:
    expected, link = ExpectedLinks(tasks), Link()
    expected.expect(ANNA, new(link))
    assert expected.take(ANNA, lambda _: False) is None
    await link.closed.wait()


async def test_nobody_is_expected_for_long(tasks: TaskOwner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected_links, "KEPT_S", 0.01)
    expected, link = ExpectedLinks(tasks), Link()
    expected.expect(ANNA, new(link))
    await link.closed.wait()
    assert expected.take(ANNA, lambda _: True) is None


async def test_few_are_expected_and_all_are_given_back_in_the_end(tasks: TaskOwner) -> None:
    expected = ExpectedLinks(tasks)
    links = [Link() for _ in range(MAX_EXPECTED + 1)]
    for number, link in enumerate(links):
        expected.expect(Did(f"did:key:{number}"), new(link))
    await asyncio.sleep(0)
    await expected.aclose()
    assert [link.asked for link in links] == [["prepare", "close"]] * MAX_EXPECTED + [[]]
