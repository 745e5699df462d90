"""Wall clocks that are wrong from the start or set in the middle of a call: it costs nothing, and is told once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from blink_cli.lab.session_calls import connected, together
from blink_cli.lab.session_events import Events
from blink_cli.lab.sessions import Machine, Session, free_group
from tests.support.wall_clock import WallClock

pytestmark = [pytest.mark.real_time, pytest.mark.in_pairs]

HOUR_S, YEAR_S = 3_600.0, 365.25 * 86_400.0
IN_TIME_S = 1.0


@asynccontextmanager
async def sessions_with_clocks(
    folder: Path, **ahead_s: float
) -> AsyncIterator[tuple[list[Session], list[Events], list[WallClock]]]:
    group = free_group()
    async with AsyncExitStack() as stack:
        clocks = [WallClock(folder, ahead_s=seconds) for seconds in ahead_s.values()]
        machines = [
            await stack.enter_async_context(Machine(group=group, environment=clock.environment))
            for clock in clocks
        ]
        sessions = await together(
            *(
                machine.serve(name, "--input", "silence", "--output", "null")
                for machine, name in zip(machines, ahead_s, strict=True)
            )
        )
        events = [await stack.enter_async_context(await session.events()) for session in sessions]
        yield sessions, events, clocks


@pytest.mark.parametrize(
    ("ahead_s", "words"),
    [(HOUR_S, "1 h ahead of this one"), (-20 * YEAR_S, "20 years behind this one")],
    ids=["an hour ahead", "twenty years behind"],
)
async def test_a_clock_that_is_wrong_from_the_start_is_told_and_calls_work(
    tmp_path: Path, ahead_s: float, words: str
) -> None:
    async with sessions_with_clocks(tmp_path, anna=ahead_s, bert=0.0) as ((anna, bert), (_, at_bert), _):
        await bert.until(
            "peers",
            lambda peers: any(p["did"] == anna.did and p["alive"] for p in peers),
            what="anna is here",
        )
        text = (await bert.machine.run("bert", "peers")).stdout
        assert f"anna's clock is {words}" in " ".join(text.split())
        (wrong,) = (await bert.ask("status"))["wrong_clocks"]
        assert wrong["ahead_s"] == pytest.approx(ahead_s, abs=2.0)
        assert wrong["proved"] is True
        await together(bert.blink("offer", "anna", "--wait", "10"), anna.blink("accept", "--wait", "10"))
        await connected(bert, 1)
        await anna.blink("leave")
        left = await at_bert.next("participant_left", did=anna.did)
        assert left["reason"] == "left"
        assert [event["event"] for event in at_bert.seen].count("peer_clock_differs") <= 1


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S], ids=["ahead", "back"])
async def test_a_step_in_the_middle_of_a_call_costs_nothing(tmp_path: Path, step_s: float) -> None:
    async with sessions_with_clocks(tmp_path, anna=0.0, bert=0.0, carl=0.0) as (sessions, events, clocks):
        anna, bert, carl = sessions
        at_anna, at_bert, _ = events
        await together(
            anna.blink("offer", bert.did, carl.did, "--wait", "15"),
            bert.blink("accept", "--wait", "15"),
            carl.blink("accept", "--wait", "15"),
        )
        for session in sessions:
            await connected(session, 2)
        clocks[0].set(ahead_s=step_s)
        await shows(anna, events[1:], muted=True)
        await shows(bert, (at_anna, events[2]), muted=True)
        differs = await told_of(at_bert, "peer_clock_differs", anna)
        assert differs["ahead_s"] == pytest.approx(step_s, abs=2.0)

        # Left and joined again on the clock that was set.
        call = (await anna.ask("status"))["call"]["id"]
        await anna.blink("leave")
        assert (await at_bert.next("participant_left", did=anna.did))["reason"] == "left"
        await anna.blink("accept", call, "--wait", "10")
        for session in sessions:
            await connected(session, 2)
        clocks[0].set(ahead_s=0.0)
        await shows(anna, events[1:], muted=False)
        await told_of(at_bert, "peer_clock_agrees", anna)
        await anna.blink("leave")
        assert (await at_bert.next("participant_left", did=anna.did))["reason"] == "left"
        for told in events:
            links = [event["link"] for event in told.seen if event["event"] == "link_changed"]
            assert "lost" not in links
            assert "peer_vanished" not in [event["event"] for event in told.seen]


async def told_of(events: Events, name: str, peer: Session) -> dict[str, Any]:
    """The first such event about this peer, whether it has been read over already or not."""
    for event in events.seen:
        if event.get("event") == name and event["did"] == peer.did:
            return event
    return await events.next(name, did=peer.did)


async def shows(speaker: Session, others: list[Events] | tuple[Events, ...], *, muted: bool) -> None:
    await speaker.blink("mute" if muted else "unmute")
    began_s = asyncio.get_running_loop().time()
    for told in others:
        shown = await told.next("participant_state_changed", did=speaker.did, muted=muted, timeout_s=10)
        assert shown["seen_s"] - began_s < IN_TIME_S
