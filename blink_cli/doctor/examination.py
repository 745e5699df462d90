"""Runs checks side by side and collects what they found, in the order of the checks and whatever becomes of each."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from blink_cli.doctor.check import Check
from blink_cli.doctor.finding import Finding, unknown
from blink_cli.doctor.situation import Situation

Watching = Callable[[float, Sequence[str]], None]
"""Told the share of the checks that have ended, and the names of those that are under way."""


async def examine(
    situation: Situation, phases: Sequence[Sequence[Check]], watching: Watching
) -> tuple[Finding, ...]:
    """Return the findings of all checks.

    Args:
        situation: What is looked at.
        phases: The checks of one phase run side by side; the next phase begins when all of them have ended.
        watching: Told whenever one begins or ends.

    """
    total = sum(len(checks) for checks in phases)
    ended = 0
    under_way: list[str] = []
    turn = asyncio.Lock()

    async def run(check: Check) -> Iterable[Finding]:
        if not check.computes:
            return await looked(check)
        async with turn:
            return await looked(check)

    async def looked(check: Check) -> Iterable[Finding]:
        nonlocal ended
        under_way.append(check.name)
        watching(ended / total, under_way)
        found = await _looked(check, situation)
        under_way.remove(check.name)
        ended += 1
        watching(ended / total, under_way)
        return found

    findings: list[Finding] = []
    for checks in phases:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(run(check), name=f"doctor {check.name}") for check in checks]
        for task in tasks:
            findings.extend(task.result())
    return tuple(findings)


async def _looked(check: Check, situation: Situation) -> Iterable[Finding]:
    try:
        async with asyncio.timeout(check.deadline_s):
            return tuple(await check.look(situation))
    except TimeoutError:
        return (
            unknown(
                check.name,
                f"it did not answer within {check.deadline_s:g} s",
                "Something that it asked hangs: run it again, and look at the other findings first.",
            ),
        )
    except Exception as fault:  # noqa: BLE001 - one check's fault must not hide what the others found
        return (
            unknown(
                check.name,
                f"the check itself failed: {type(fault).__name__}: {fault}",
                "Please report it, with the output of `blink bugreport`.",
            ),
        )
