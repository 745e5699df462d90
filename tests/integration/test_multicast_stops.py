"""Multicast stops passing in the middle of a call, at all hosts or at one: nobody vanishes, and nothing is shown late."""

import pytest

from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import connected, together
from blink_cli.lab.session_events import Events, moment
from blink_cli.lab.sessions import Session

pytestmark = [pytest.mark.netns, pytest.mark.real_time, pytest.mark.in_pairs]

IN_TIME_S = 1.0

DROP = (
    "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; };"
    "add rule inet deaf in ip daddr 239.0.0.0/8 drop"
)


async def stop_multicast(*hosts: Host) -> None:
    await together(*(host.run("nft", DROP) for host in hosts))


@pytest.mark.parametrize("deaf", [("anna", "bert", "carl"), ("bert",)], ids=["at all", "at one"])
async def test_a_call_goes_on_without_multicast(lab: Laboratory, deaf: tuple[str, ...]) -> None:
    hosts = await lab.hosts("anna", "bert", "carl")
    sessions = await together(
        *(host.machine.serve(host.name, "--input", "silence", "--output", "null") for host in hosts)
    )
    anna, bert, carl = sessions
    at_anna, at_bert, at_carl = [await session.events() for session in sessions]
    async with at_anna, at_bert, at_carl:
        await together(
            anna.blink("offer", bert.did, carl.did, "--wait", "15"),
            bert.blink("accept", "--wait", "15"),
            carl.blink("accept", "--wait", "15"),
        )
        for session in sessions:
            await connected(session, 2)
        await stop_multicast(*(host for host in hosts if host.name in deaf))

        # At once, when nobody can have noticed yet, and again when all know.
        await state_is_shown(anna, at_anna, (at_bert, at_carl), muted=True)
        await at_bert.next("multicast_stopped", interface="eth0", timeout_s=10)
        await state_is_shown(anna, at_anna, (at_bert, at_carl), muted=False)
        for session in sessions:
            assert {peer["alive"] for peer in await session.ask("peers")} == {True}

        await carl.blink("leave")
        ended = await at_carl.next("call_terminated")
        for told in (at_anna, at_bert):
            left = await told.next("participant_left", did=carl.did)
            assert left["reason"] == "left"
            assert (moment(left) - moment(ended)).total_seconds() < IN_TIME_S
        await anna.blink("leave")
        await at_bert.next("call_terminated")

        await together(
            bert.blink("offer", anna.did, carl.did, "--wait", "5"),
            anna.blink("accept", "--wait", "5"),
            carl.blink("accept", "--wait", "5"),
        )
        for session in sessions:
            await connected(session, 2)
        for host in hosts:
            if host.name in deaf:
                await host.run("nft", "delete table inet deaf")
        await at_bert.next("multicast_resumed", interface="eth0", timeout_s=10)
        for told in (at_anna, at_bert, at_carl):
            names = [event["event"] for event in told.seen]
            assert "peer_vanished" not in names
            assert names.count("multicast_stopped") <= 1


async def state_is_shown(
    speaker: Session, events: Events, others: tuple[Events, ...], *, muted: bool
) -> None:
    """Within a second of its being so, by the clocks of the sessions, which are the machine's."""
    await speaker.blink("mute" if muted else "unmute")
    began = await events.next("participant_state_changed", did=speaker.did, muted=muted)
    for told in others:
        shown = await told.next("participant_state_changed", did=speaker.did, muted=muted, timeout_s=10)
        assert (moment(shown) - moment(began)).total_seconds() < IN_TIME_S
