"""Sessions in a call: how they get into it, and whether all are connected.

    async with call_of(alice, bob, carol) as call:
        ...

`together` makes several do something at the same time.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from blink_cli.lab.session_events import Events, moment
from blink_cli.lab.sessions import Session


@asynccontextmanager
async def call_of(*sessions: Session, wait_s: float = 15.0) -> AsyncIterator[str]:
    """Put sessions in one call, the first offering to all others, and hang up at the end. Yields the call's id."""
    first, *others = sessions
    offer, *_ = await together(
        first.ask("offer", *(o.did for o in others), "--wait", str(wait_s)),
        *(o.ask("accept", "--wait", str(wait_s)) for o in others),
    )
    await asyncio.gather(*(connected(session, len(sessions) - 1, timeout_s=wait_s) for session in sessions))
    try:
        yield offer["call"]
    finally:
        for session in sessions:
            if session.process is not None and session.process.returncode is None:
                await session.blink("leave", expect=None)


async def connecting_s(*everybody: Events) -> float:
    """How long it took from the last one's joining a call until all have each other's audio.

    By the clocks of the sessions, which are the machine's: the start of a command does not count.
    """
    linked = [await told.links(len(everybody) - 1) for told in everybody]
    joined = [moment(e) for told in everybody for e in told.seen if e["event"] == "call_joined"]
    return (max(linked) - max(joined)).total_seconds()


async def connected(session: Session, peers: int, *, timeout_s: float = 15.0) -> Any:
    """Wait until a session has an audio link to so many peers, and return its participants."""

    def whole(status: Any) -> bool:
        return status["call"] is not None and len(linked(status["call"])) == peers

    status = await session.until("status", whole, timeout_s=timeout_s, what=f"a link to {peers} peers")
    return status["call"]["participants"]


def linked(call: Any) -> set[str]:
    """Return the DIDs whose audio link stands."""
    return {p["did"] for p in call["participants"] if p["link"] == "connected"}


async def together(*actions: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run actions at the same time and return their results; the first that fails ends the others and is raised itself."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(action, name=f"action {number}") for number, action in enumerate(actions)
            ]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
