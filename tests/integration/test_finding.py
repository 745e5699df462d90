"""Sessions find each other on every kind of network that could work, and who finds nobody is told why."""

import asyncio
import json
from pathlib import Path

import pytest

from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import connecting_s, together
from blink_cli.lab.sessions import Session

pytestmark = pytest.mark.netns

SEEN_S = 5.0
"""Within so long after both are there, each sees the other."""

CONNECTED_S = 1.0
"""Within so long after the last one joined, all have each other's audio, as by IPv4."""


async def on_every_interface(host: Host, *options: str) -> Session:
    """A session that was told no interface, as users start it."""
    host.machine.interface = None
    return await host.machine.serve(host.name, "--input", "tone:440", "--output", "null", *options)


async def sees(session: Session, *others: Session) -> list[str]:
    """Wait until all others are alive here, and return their addresses."""
    wanted = {other.did for other in others}

    def all_alive(peers: list[dict[str, object]]) -> bool:
        return wanted <= {str(peer["did"]) for peer in peers if peer["alive"]}

    peers = await session.until("peers", holds=all_alive, timeout_s=SEEN_S, what="seeing the others")
    return [peer["address"] for peer in peers if peer["did"] in wanted]


async def test_a_recorded_call_of_three_by_ipv6_alone(lab: Laboratory, tmp_path: Path) -> None:
    hosts = await lab.hosts("alice", "bob", "carol")
    for number, host in enumerate(hosts, 1):
        await lab.make_ipv6_only(host, f"address add fd77::{number}/64 dev eth0 nodad")
    alice, bob, carol = await together(*(on_every_interface(host) for host in hosts))
    for address in await sees(alice, bob, carol):
        assert address.startswith("[fe80::")
        assert "%eth0]:" in address
    events = [await session.events() for session in (alice, bob, carol)]
    async with events[0], events[1], events[2]:
        wait = ("--wait", "10")
        await together(
            alice.ask("offer", "bob", "carol", *wait), bob.ask("accept", *wait), carol.ask("accept", *wait)
        )
        assert await connecting_s(*events) < CONNECTED_S
    await alice.ask("record", "start", str(tmp_path))
    await bob.ask("mute")
    await alice.until(
        "participants",
        holds=lambda shown: any(one["nickname"] == "bob" and one["muted"] for one in shown["participants"]),
        timeout_s=2,
        what="the mute",
    )
    await asyncio.sleep(1)
    (recorded,) = [file for file in (await alice.ask("record", "stop"))["files"] if file["kind"] == "mp4"]
    assert len(recorded["participants"]) == 3


async def test_a_new_ipv6_address_is_used_as_soon_as_it_can_be(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    # As on a real machine: duplicates are looked for, which takes up to 2 s, and nothing can be sent meanwhile.
    sysctl = "sysctl -qw net.ipv6.conf.eth0.accept_dad=1 net.ipv6.conf.all.accept_dad=1"
    for host in hosts:
        await host.run("sh", "-c", sysctl)
        await lab.make_ipv6_only(host, "link set dev eth0 down", "link set dev eth0 up")
    alice, bob = await together(*(on_every_interface(host) for host in hosts))
    await asyncio.gather(sees(alice, bob), sees(bob, alice))
    assert alice.stderr.count("\n") <= 2, f"nothing but the profile and readiness: {alice.stderr}"


@pytest.mark.parametrize("addresses", ["ipv4", "ipv6", "both"])
async def test_who_multicast_dns_does_not_reach_is_found_by_greetings(
    lab: Laboratory, addresses: str
) -> None:
    hosts = await lab.hosts("alice", "bob")
    for host in hosts:
        await host.run("nft", "add table inet mdns")
        await host.run("nft", "add chain inet mdns input { type filter hook input priority 0 ; }")
        await host.run("nft", "add rule inet mdns input udp dport 5353 drop")
        if addresses == "ipv6":
            await lab.make_ipv6_only(host)
        if addresses == "ipv4":
            await host.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
    alice, bob = await together(*(on_every_interface(host) for host in hosts))
    await asyncio.gather(sees(alice, bob), sees(bob, alice))


async def test_thirty_interfaces_with_a_hundred_addresses(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    for number, host in enumerate(hosts, 1):
        lines = ["link set eth0 down"]
        for bridge in range(30):
            lines += [
                f"link add name br{bridge} type bridge",
                f"link add name p{bridge} type veth peer name q{bridge}",
                f"link set p{bridge} master br{bridge} up",
                f"link set q{bridge} up",
                f"link set br{bridge} up",
                f"address add 172.{18 + bridge}.0.1/16 dev br{bridge}",
                f"address add 172.{18 + bridge}.1.1/24 dev br{bridge}",
                f"address add fd{number:02x}:{bridge}::1/64 dev br{bridge} nodad",
            ]
        await lab.add_interfaces(host, commands=lines)
        # Made last, and without a default route: nothing speaks for it but that somebody is behind it.
        lan = (f"address add 10.77.0.{number}/24 dev lan", "link set lan up")
        await lab.add_interfaces(host, plugged=["lan"], commands=lan)
    alice, bob = await together(*(on_every_interface(host) for host in hosts))
    (address,) = await sees(alice, bob)
    assert address.startswith("10.77.0.2:")
    wait = ("--wait", "5")
    await together(alice.ask("offer", "bob", *wait), bob.ask("accept", *wait))


async def test_a_neighbour_by_its_link_local_address(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    port = hosts[0].machine.group.rpartition(":")[2]
    shown = json.loads(
        await hosts[0].run("ip", "-j", "-6", "address", "show", "dev", "eth0", "scope", "link")
    )
    link_local = shown[0]["addr_info"][0]["local"]
    for host in hosts:
        await lab.make_ipv6_only(host)
        # No multicast at all: only what is sent to a host's own address passes.
        await host.run("nft", "add table inet quiet")
        await host.run("nft", "add chain inet quiet input { type filter hook input priority 0 ; }")
        await host.run(
            "nft", f"add rule inet quiet input udp dport {{ 5353, {port} }} meta pkttype multicast drop"
        )
    alice = await on_every_interface(hosts[0])
    bob = await on_every_interface(hosts[1], "--neighbour", f"[{link_local}%eth0]:{port}")
    await asyncio.gather(sees(alice, bob), sees(bob, alice))


async def test_who_sees_nobody_is_told_where_was_looked(lab: Laboratory) -> None:
    (alone,) = await lab.hosts("alone")
    session = await on_every_interface(alone)
    told = await session.machine.run(session.profile, "peers")
    assert "nobody seen yet" in told.stderr
    assert "eth0" in told.stderr
    assert "--neighbour" in told.stderr
    lonely = await lab.lonely_host("lonely")
    session = await on_every_interface(lonely)
    told = await session.machine.run(session.profile, "peers")
    assert "No interface but loopback" in told.stderr
