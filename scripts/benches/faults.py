"""How soon a call recovers from what befalls it, and how long set-up takes under loss: real sessions, a host for each. Needs root.

scripts/bench faults [--json] [--peers 2 4 8] [--partition S] [--set-ups N]
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from blink_cli.core.api.requests import LeaveCall
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.faults import Company, Recovery, company, unheard_after
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.requirements import why_no_network_namespaces

SEED = 2
LOSS = 0.3


async def recoveries(peers: int, partition_s: float) -> list[dict[str, Any]]:
    """One call, one fault after the other, and whether everybody heard everybody within 2 s of each recovery."""
    with tempfile.TemporaryDirectory(prefix="blink-faults-") as folder:
        async with Laboratory(seed=SEED) as lab, company(lab, peers, Path(folder)) as call:
            if peers > 4:
                for member in call.members[1:-1]:
                    await call.mute(member)
            await call.meet()
            rows = [row async for row in _befall(call, partition_s)]
            left_s = await call.leave(call.members[0]) if peers > 2 else None
            ears = await call.end()
            return [
                {
                    "peers": peers,
                    "fault": row.fault,
                    "lost_s": row.lost_s,
                    "whole_s": row.whole_s,
                    "unheard": unheard_after(row, ears),
                    "leave_s": left_s,
                }
                for row in rows
            ]


async def _befall(call: Company, partition_s: float) -> AsyncIterator[Recovery]:
    """The faults; the crash comes last, as the new life has heard nothing of what was before."""
    last = call.members[-1]
    faults: list[Callable[[], Awaitable[Recovery]]] = [
        partial(call.freeze, last, 5.0),
        partial(call.unplug, last, 5.0),
        partial(call.partition, partition_s),
        partial(call.change_address, last, "10.66.0.77"),
        partial(_crash, call),
    ]
    for fault in faults:
        recovery = await fault()
        await call.listen_after(recovery)
        yield recovery


async def _crash(call: Company) -> Recovery:
    _, recovery = await call.crash(call.members[-1])
    return recovery


async def set_ups(count: int) -> list[float]:
    """Seconds from the offer until both are connected, under loss of everything."""
    took_s = []
    with tempfile.TemporaryDirectory(prefix="blink-faults-") as folder:
        async with Laboratory(seed=SEED) as lab, company(lab, 2, Path(folder)) as call:
            alice, bob = call.watches
            await lab.set_conditions(Conditions(loss=LOSS))
            for _ in range(count):
                took_s.append(await call.meet())
                await alice.ask(LeaveCall())
                await bob.until(lambda: bob.call is None, 15.0, "the end of the call")
                bob.ringing.clear()
            await call.end()
    return sorted(took_s)


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, one after the other: two things at once would disturb each other."""
    rows = [row for peers in options.peers for row in await recoveries(peers, options.partition)]
    took_s = await set_ups(options.set_ups) if options.set_ups else []
    return {"schema": 1, "recoveries": rows, "set_ups_s": took_s, "loss": LOSS}


def show(result: dict[str, Any]) -> None:
    """Print a table."""
    print(f"{'peers':>5}  {'fault':16} {'shown as lost':>14} {'whole again':>12}   heard within 2 s of it")
    for row in result["recoveries"]:
        lost = "-" if row["lost_s"] is None else f"{row['lost_s']:.2f} s"
        heard = "all" if not row["unheard"] else "; ".join(row["unheard"])
        print(f"{row['peers']:5}  {row['fault']:16} {lost:>14} {row['whole_s']:10.2f} s   {heard}")
    took_s = result["set_ups_s"]
    if took_s:
        p90_s = took_s[int(len(took_s) * 0.9)]
        print(
            f"\n{len(took_s)} calls set up with {LOSS:.0%} of everything lost:"
            f" median {statistics.median(took_s):.2f} s, 90 % within {p90_s:.2f} s, longest {took_s[-1]:.2f} s"
        )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench faults", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers", type=int, nargs="*", default=[2, 4, 8], choices=range(2, 9), metavar="N")
    parser.add_argument("--partition", type=float, default=20.0, metavar="S", help="seconds (default 20)")
    parser.add_argument("--set-ups", type=int, default=50, metavar="N")
    options = parser.parse_args()
    why_not = why_no_network_namespaces()
    if why_not is not None:
        print(f"this cannot be measured here: {why_not}", file=sys.stderr)
        return 1
    result = asyncio.run(measure(options))
    if options.json:
        print(json.dumps(result))
    else:
        show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
