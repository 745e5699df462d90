"""Multicast stops on a network of IPv6 alone, and at the same moment one of two adapters dies behind the switch: signals take the other."""

import pytest

from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.session_calls import connected, together
from tests.integration.test_multicast_stops import state_is_shown
from tests.integration.test_paths import on_every_interface

pytestmark = [pytest.mark.netns, pytest.mark.real_time, pytest.mark.in_pairs]

DEAF = (
    "add table inet deaf; add chain inet deaf in { type filter hook input priority 0; };"
    "add rule inet deaf in ip6 daddr ff00::/8 meta l4proto udp drop;"
    "add rule inet deaf in ip daddr 224.0.0.0/4 drop"
)


@pytest.mark.parametrize(
    "network", ["fd66::{}/64 dev {} nodad", "10.99.0.{}/24 dev {}"], ids=["IPv6", "IPv4"]
)
async def test_without_multicast_signals_go_by_the_adapter_that_lives(lab: Laboratory, network: str) -> None:
    hosts = await lab.hosts("anna", "bert", "carl")
    for number, host in enumerate(hosts, 1):
        lines = ("address flush dev eth0 scope global", f"address add {network.format(number, 'eth0')}")
        await lab.add_interfaces(host, commands=lines)
    # Or its system answers ARP by the adapter that will be dead for the other one's address too, and who believes that reaches neither.
    await hosts[0].run("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
    second = (f"address add {network.format(101, 'eth1')}", "link set eth1 up")
    await lab.add_interfaces(hosts[0], plugged=["eth1"], commands=second)
    sessions = await together(*(on_every_interface(host) for host in hosts))
    anna, bert, carl = sessions
    await together(
        anna.blink("offer", bert.did, carl.did, "--wait", "20"),
        bert.blink("accept", "--wait", "20"),
        carl.blink("accept", "--wait", "20"),
    )
    for session in sessions:
        await connected(session, 2)
    at_anna, at_bert, at_carl = [await session.events() for session in sessions]
    async with at_anna, at_bert, at_carl:
        await together(*(host.run("nft", DEAF) for host in hosts), lab.silence("anna"))
        await at_bert.next("multicast_stopped", timeout_s=10)
        await state_is_shown(anna, at_anna, (at_bert, at_carl), muted=True)
        await state_is_shown(bert, at_bert, (at_anna, at_carl), muted=True)
        await anna.blink("leave")
        left = await at_bert.next("participant_left", did=anna.did, timeout_s=10)
        assert left["reason"] == "left"
