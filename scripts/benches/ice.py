"""Set-up time of a link with STUN and TURN servers that live, died, or refuse, against a real coturn on loopback.

    offer made ── offer taken, answer made ── answer taken ── both sides connected ── closed

Both sides are in this process and have the same servers, which is the worst case: each gathers after the other. "Died" is a server that was
alive when it was asked last and says nothing now; one that is known to be dead is not used, and costs what no server costs.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.links import LOOPBACK, End, connect
from blink_cli.lab.turn_server import Silence, TurnServer
from blink_cli.net.ice.ice_servers import IceServers
from blink_cli.net.link_settings import LinkSettings
from blink_cli.runtime.tasks import TaskOwner


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of one link."""

    setup_ms: float
    close_ms: float


async def links_with(settings: LinkSettings, count: int) -> list[Measured]:
    """Make and close so many links, one after the other."""
    measured = []
    async with TaskOwner("bench") as tasks:
        for _ in range(count):
            a, b = End("a", tasks, settings), End("b", tasks, settings)
            begun_s = time.monotonic()
            await connect(a, b)
            connected_s = time.monotonic()
            await asyncio.gather(a.link.aclose(), b.link.aclose())
            measured.append(Measured(1000 * (connected_s - begun_s), 1000 * (time.monotonic() - connected_s)))
    return measured


async def planned(*servers: ConfiguredServer, asked: bool = True, relay_only: bool = False) -> LinkSettings:
    """What a session with these servers gives its links: after each was asked, or before any has answered."""
    watching = IceServers(servers)
    if asked:
        async with watching:
            await watching.settled()
            plan = watching.plan()
    else:
        plan = watching.plan()
    return replace(
        LOOPBACK, ice_servers=plan.servers, gathering_timeout_s=plan.patience_s, relay_only=relay_only
    )


async def measure(count: int) -> dict[str, list[Measured]]:
    """Measure every case."""
    async with Silence() as silence:
        with TurnServer() as coturn:
            stun, udp, tcp = coturn.server("stun"), coturn.server(), coturn.server(transport="tcp")
            dead_udp, dead_tcp = silence.server(), silence.server(transport="tcp")
            cases = {
                "no servers": await planned(),
                "live STUN and TURN": await planned(stun, udp),
                "live TURN over TCP": await planned(tcp),
                "relay only, UDP": await planned(udp, relay_only=True),
                "relay only, TCP": await planned(tcp, relay_only=True),
                "dead TURN, known": await planned(dead_udp),
                "dead before a live one, known": await planned(dead_udp, dead_tcp, udp),
                "wrong credentials, known": await planned(coturn.server(credential="wrong")),
                "wrong credentials, not yet known": await planned(
                    coturn.server(credential="wrong"), asked=False
                ),
                "died: STUN": await planned(silence.server("stun"), asked=False),
                "died: TURN over UDP": await planned(dead_udp, asked=False),
                "died: TURN over TCP": await planned(dead_tcp, asked=False),
            }
            return {name: await links_with(settings, count) for name, settings in cases.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--json` one document."""
    parser = argparse.ArgumentParser(prog="scripts/bench ice", description=__doc__.splitlines()[0])
    parser.add_argument("--links", type=int, default=20, help="how many for each case (default 20)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    figures = {
        name: {
            "setup_median_ms": statistics.median(link.setup_ms for link in links),
            "setup_most_ms": max(link.setup_ms for link in links),
            "close_most_ms": max(link.close_ms for link in links),
        }
        for name, links in asyncio.run(measure(options.links)).items()
    }
    if options.json:
        print(json.dumps({"schema": 1, "bench": "ice", "links": options.links, "cases": figures}))
        return ExitCode.DONE
    print(f"{options.links} links each, both sides in one process on loopback, ms\n")
    print(f"{'':34}{'median':>8}{'most':>8}{'closing, most':>16}")
    for name, row in figures.items():
        print(
            f"{name:34}{row['setup_median_ms']:8.0f}{row['setup_most_ms']:8.0f}{row['close_most_ms']:16.0f}"
        )
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
