"""An invitation gets through a network that loses much of what is said to all."""

import pytest

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.session_calls import together

pytestmark = [pytest.mark.netns, pytest.mark.timeout(240), pytest.mark.real_time]

OFFERS = 20


async def test_twenty_of_twenty_offers_arrive_with_a_third_of_multicast_lost(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    await lab.set_conditions(Conditions(), multicast_loss=0.3)
    alice, bob = await together(
        *(h.machine.serve(h.name, "--input", "silence", "--output", "null") for h in hosts)
    )
    arrived = []
    async with await bob.events() as at_bob:
        for _ in range(OFFERS):
            call = (await alice.ask("offer", bob.did))["call"]
            event = await at_bob.next("incoming_call", timeout_s=15, call_id=call)
            arrived.append(event["call_id"])
            await alice.blink("leave")
            await at_bob.next("call_cancelled", timeout_s=15, call_id=call)
    assert len(set(arrived)) == OFFERS
