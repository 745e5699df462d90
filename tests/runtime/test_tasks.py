"""TaskOwner: names, failures, closing."""

import asyncio

import pytest

from blink_cli.runtime.tasks import TaskOwner

pytestmark = pytest.mark.no_clock(sockets=True)


async def forever() -> None:
    await asyncio.Event().wait()


async def test_tasks_have_names_and_end_with_the_owner() -> None:
    async with TaskOwner("call") as owner:
        task = owner.start(forever(), name="link bob")
        assert owner.running == ("call/link bob",)
    assert task.cancelled()
    assert not owner.running


async def test_a_failure_is_reported_and_leaves_the_others_alone() -> None:
    failures: list[tuple[str, BaseException]] = []
    ended = asyncio.Event()

    def note(name: str, failure: BaseException) -> None:
        failures.append((name, failure))
        ended.set()

    async def fail() -> None:
        raise ValueError("broken")

    async with TaskOwner("call", on_failure=note) as owner:
        other = owner.start(forever(), name="other")
        owner.start(fail(), name="bad")
        await asyncio.wait_for(ended.wait(), 5)
        assert not other.done()
    assert [(name, str(failure)) for name, failure in failures] == [("call/bad", "broken")]


async def test_a_result_can_be_awaited() -> None:
    async def answer() -> int:
        return 42

    async with TaskOwner("call") as owner:
        assert await owner.start(answer(), name="answer") == 42


async def test_patience_lets_a_task_end_by_itself() -> None:
    release = asyncio.Event()

    async def last_words() -> str:
        release.set()
        await asyncio.sleep(0)
        return "bye"

    owner = TaskOwner("call")
    task = owner.start(last_words(), name="words")
    await owner.aclose(patience_s=5)
    assert task.result() == "bye"
    await owner.aclose()


async def test_a_closed_owner_starts_nothing() -> None:
    owner = TaskOwner("call")
    await owner.aclose()
    with pytest.raises(RuntimeError, match="is closed"):
        owner.start(forever(), name="late")


async def test_a_task_may_close_its_own_owner() -> None:
    owner = TaskOwner("call")
    other = owner.start(forever(), name="other")
    await owner.start(owner.aclose(), name="closing")
    assert other.cancelled()
