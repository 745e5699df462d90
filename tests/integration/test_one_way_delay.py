"""How long each direction takes by itself, on a wire that is slow one way."""

import asyncio

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Session

pytestmark = [pytest.mark.netns, pytest.mark.real_time]

THERE_MS, BACK_MS = 40.0, 5.0
WITHIN_MS = 2.0


async def ways(session: Session) -> tuple[float | None, float | None]:
    """Return (incoming, outgoing) in ms."""
    (peer,) = (await session.ask("rtp-stats"))["peers"]
    one_way = peer["one_way"] or {}
    return one_way.get("incoming_ms"), one_way.get("outgoing_ms")


async def test_each_direction_of_an_asymmetric_wire_is_told_as_it_is(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    await lab.set_conditions(Conditions(delay_ms=THERE_MS), source=[hosts[0]], target=[hosts[1]])
    await lab.set_conditions(Conditions(delay_ms=BACK_MS), source=[hosts[1]], target=[hosts[0]])
    alice, bob = await together(
        *(host.machine.serve(host.name, "--input", "tone:440", "--output", "null") for host in hosts)
    )
    async with call_of(alice, bob):
        told: tuple[float | None, ...] = (None,)
        for _ in range(30):  # the reports tell, one a second
            told = *await ways(alice), *await ways(bob)
            if None not in told:
                break
            await asyncio.sleep(0.5)
        assert told == pytest.approx((BACK_MS, THERE_MS, THERE_MS, BACK_MS), abs=WITHIN_MS)
        (peer,) = (await alice.ask("rtp-stats"))["peers"]
        assert peer["one_way"]["method"] == "same_clock", "two hosts of the laboratory are one machine"
        assert peer["one_way"]["error_ms"] <= WITHIN_MS
