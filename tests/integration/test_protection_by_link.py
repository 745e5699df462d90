"""Three people on lines that lose a fifth, one of them far away: each link takes the protection that fits it."""

from typing import Any

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import call_of, together
from blink_cli.lab.sessions import Session

pytestmark = [pytest.mark.netns, pytest.mark.real_time]

LOSS = 0.2
FAR_MS = 50.0
"""Each way."""

COPIES_FAR = 3
COPIES_NEAR = 0


async def test_who_is_near_is_asked_and_who_is_far_gets_copies(lab: Laboratory) -> None:
    hosts = await lab.hosts("anna", "bert", "carla")
    carla = hosts[2]
    sessions = await together(*(_serve(host) for host in hosts))
    by_name = dict(zip(("anna", "bert", "carla"), sessions, strict=True))
    async with call_of(*sessions, wait_s=20):
        for one in hosts:
            others = [other for other in hosts if other is not one]
            near = [other for other in others if carla not in (one, other)]
            await lab.set_conditions(Conditions(loss=LOSS), source=[one], target=near)
            far = [other for other in others if other not in near]
            await lab.set_conditions(Conditions(loss=LOSS, delay_ms=FAR_MS), source=[one], target=far)
        for name, session in by_name.items():
            await session.until(
                "rtp-stats",
                lambda figures, name=name: all(
                    _is_protected(peer, name == "carla" or peer["nickname"] == "carla")
                    for peer in figures["peers"]
                ),
                timeout_s=40,
                what=f"{name}'s links are protected as their lines need",
            )
    await together(*(session.quit() for session in sessions))


def _is_protected(peer: Any, is_far: bool) -> bool:  # noqa: FBT001 - a row of the table above
    outbound, inbound = peer["outbound"], peer["inbound"]
    recovered = inbound["packetsRecovered"] > 0.7 * inbound["packetsLost"] > 30
    if is_far:
        return bool(recovered and outbound["redundancyLevels"] >= COPIES_FAR)
    again = outbound["retransmittedPacketsSent"] > 30 and inbound["retransmittedPacketsReceived"] > 30
    return bool(recovered and again and outbound["redundancyLevels"] == COPIES_NEAR)


async def _serve(host: Host) -> Session:
    return await host.machine.serve(host.name, "--input", "tone:440", "--output", "null")
