"""What befalls a call, and that it is whole again soon after: real sessions, each on a host of its own.

A virtual machine whose host takes its processors away for a second is late too. That passes, and a defect comes again: what took too long is
tried once more.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from blink_cli.core.api.events import LinkChanged, LinkState
from blink_cli.core.api.requests import LeaveCall, SetGain
from blink_cli.core.ids import Did
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.faults import Company, Recovery, company, unheard_after
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.watching import is_whole

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240), pytest.mark.real_time(within_s=60)]

SHOWN_WITHIN_S = 3.0
WHOLE_WITHIN_S = 5.0
MOVED_WITHIN_S = 2.5
"""Sooner than the silence of the old address would be noticed."""

GONE_WITHIN_S = 0.5
GAIN_DB = -3.0
MET_UNDER_LOSS_WITHIN_S = 15.0
"""A link's deadline of 10 s, and a second dialling. Most calls of four meet within a second at 20 % loss (docs/reliability.md)."""

SET_UPS = 10


def in_time(recovery: Recovery) -> bool:
    """Whether it was shown and over as soon as is promised."""
    whole_within_s = MOVED_WITHIN_S if recovery.fault == "address change" else WHOLE_WITHIN_S
    return (recovery.lost_s or 0.0) <= SHOWN_WITHIN_S and recovery.whole_s <= whole_within_s


async def befall(call: Company, fault: str, addresses: Iterator[str]) -> Recovery:
    last = call.members[-1]
    match fault:
        case "freeze":
            return await call.freeze(last, 5.0)
        case "unplug":
            return await call.unplug(last, 5.0)
        case "partition":
            return await call.partition(5.0)
        case "address change":
            return await call.change_address(last, next(addresses))
        case "crash":
            return (await call.crash(last))[1]
        case _:
            raise AssertionError(fault)


@pytest.mark.parametrize(
    ("size", "faults"),
    [
        (2, ["freeze", "unplug", "address change", "crash"]),
        (4, ["freeze", "unplug", "partition", "address change", "crash"]),
        (8, ["partition", "crash"]),
    ],
)
async def test_a_call_is_whole_again_after(
    size: int, faults: list[str], lab: Laboratory, tmp_path: Path
) -> None:
    async with company(lab, size, tmp_path) as call:
        alice, *silent, last = call.members
        # Of four, one is muted; of eight, all but two: 56 streams are more than two cores can play, record and judge.
        for member in silent[: 1 if size == 4 else None]:
            await call.mute(member)
        await call.meet()
        await alice.watch.ask(SetGain(peer=last.watch.did, gain_db=GAIN_DB))
        recoveries: list[Recovery] = []
        addresses = (f"10.66.0.{number}" for number in range(77, 97))
        for fault in faults:
            recoveries.append(await befall(call, fault, addresses))
            await call.listen_after(recoveries[-1])
            if not in_time(recoveries[-1]):
                recoveries.append(await befall(call, fault, addresses))
                await call.listen_after(recoveries[-1])
            assert in_time(recoveries[-1]), recoveries[-2:]
        await what_was_set_is_still_so(call)
        ears = await call.end()
        for recovery in recoveries:
            assert unheard_after(recovery, ears) == []


async def what_was_set_is_still_so(call: Company) -> None:
    last = call.members[-1]
    for member in call.members:
        status = await member.watch.status()
        assert status.call is not None
        shown = {participant.did: participant for participant in status.call.participants}
        if member is call.members[0]:
            assert shown[Did(last.watch.did)].gain_db == GAIN_DB
        for other in call.members:
            assert shown[Did(other.watch.did)].muted == other.muted, (member.name, other.name)


async def test_a_fifth_of_everything_lost_breaks_no_link_and_a_leave_gets_through(
    lab: Laboratory, tmp_path: Path
) -> None:
    async with company(lab, 4, tmp_path) as call:
        await lab.set_conditions(Conditions(loss=0.2))
        assert await call.meet() <= MET_UNDER_LOSS_WITHIN_S
        # A link that one side alone has may be lost and dialled again until all have met; none of those that stand is.
        told_before = {member.name: len(member.watch.events) for member in call.members}
        await asyncio.sleep(8.0)
        assert is_whole(call.watches)
        for member in call.members:
            told = [event for _, event in member.watch.events][told_before[member.name] :]
            changes = [event for event in told if isinstance(event, LinkChanged)]
            assert all(event.link is not LinkState.LOST for event in changes), member.name
        assert await call.leave(call.members[1]) <= GONE_WITHIN_S
        await call.end()


async def test_calls_are_set_up_while_a_third_of_everything_is_lost(lab: Laboratory, tmp_path: Path) -> None:
    async with company(lab, 2, tmp_path) as call:
        alice, bob = call.watches
        await lab.set_conditions(Conditions(loss=0.3))
        for _ in range(SET_UPS):
            assert await call.meet() <= MET_UNDER_LOSS_WITHIN_S
            await alice.ask(LeaveCall())
            await bob.until(lambda: bob.call is None, 10.0, "the end of the call")
            bob.ringing.clear()
        await call.end()
