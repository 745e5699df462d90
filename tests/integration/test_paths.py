"""Machines with many addresses and more than one way between them: a call finds a way that works, and keeps to one that does."""

import asyncio
import time
from collections.abc import Iterable

import pytest

from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.session_calls import connecting_s, together
from blink_cli.lab.sessions import Session

pytestmark = [pytest.mark.netns, pytest.mark.real_time, pytest.mark.in_pairs]

SETTLED_S = 5.0
"""Within so long after both are in the call, audio is connected."""


async def on_every_interface(host: Host, *options: str) -> Session:
    """A session that was told no interface, as users start it."""
    host.machine.interface = None
    return await host.machine.serve(host.name, "--input", "tone:440", "--output", "null", *options)


def bridges(count: int, *, first: int = 18) -> Iterable[str]:
    """What makes so many bridges, as containers do: each with an address of a subnet of its own, and nobody behind it."""
    for number in range(count):
        name = f"br{number}"
        yield f"link add {name} type bridge"
        yield f"address add 172.{first + number}.0.1/16 dev {name}"
        yield f"link set {name} up"


async def call(first: Session, second: Session) -> float:
    """Call, and return how long it took from both being in the call until both had each other's audio."""
    async with await first.events() as hers, await second.events() as his:
        wait = ("--wait", "20")
        await together(first.ask("offer", second.did, *wait), second.ask("accept", *wait))
        return await connecting_s(hers, his)


async def test_bridges_before_the_network(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    for number, host in enumerate(hosts, 1):
        # Made last, it is listed last.
        await lab.add_interfaces(host, commands=("link set eth0 down", *bridges(8)))
        lan = (f"address add 10.77.0.{number}/24 dev lan", "link set lan up")
        await lab.add_interfaces(host, plugged=["lan"], commands=lan)
    alice, bob = await together(*(on_every_interface(host) for host in hosts))
    assert await call(alice, bob) < SETTLED_S


async def test_a_hundred_addresses_on_thirty_interfaces(lab: Laboratory) -> None:
    """And whichever of them the other is on. Both have the same bridges, so that these look as if they were a common network."""
    hosts = await lab.hosts("alice", "bob")
    places = (3, 16, 29)
    for number, host in enumerate(hosts, 1):
        lines = ["link set eth0 down"]
        for index in range(30):
            device = f"net{index}"
            if index in places:
                await lab.add_interfaces(host, commands=lines, plugged=[device])
                lines = [f"address add 10.{100 + index}.0.{number}/24 dev {device}"]
            else:
                lines += [
                    f"link add {device} type bridge",
                    f"address add 10.{100 + index}.0.1/24 dev {device}",
                ]
            lines += [f"address add 10.{100 + index}.{extra}.{number}/24 dev {device}" for extra in (1, 2)]
            lines += [f"address add fd00:{index + 1:x}::{number}/64 dev {device}", f"link set {device} up"]
        await lab.add_interfaces(host, commands=lines)
    for place in places:
        await lab.partition([f"{host.name}:net{place}" for host in hosts])
        alice, bob = await together(*(on_every_interface(host) for host in hosts))
        assert await call(alice, bob) < SETTLED_S, place
        await together(alice.quit(), bob.quit())


def checks_dropped(device: str) -> str:
    """The rules of a firewall that lets signals pass, and none of ICE's checks: what has STUN's magic cookie behind the UDP header."""
    rule = f"iifname {device} udp length > 28 @th,96,32 0x2112a442 drop"
    return f"add table inet t; add chain inet t c {{ type filter hook input priority 0; }}; add rule inet t c {rule}"


async def test_accepted_and_no_path(lab: Laboratory) -> None:
    alice_host, bob_host = await lab.hosts("alice", "bob")
    await lab.add_interfaces(alice_host, commands=bridges(20))
    await bob_host.run("nft", checks_dropped("eth0"))
    alice, bob = await together(
        on_every_interface(alice_host), on_every_interface(bob_host, "--auto-accept=anyone")
    )
    async with await alice.events() as events:
        refused = (await alice.blink("offer", bob.did, "--wait", "5", expect=3)).json["error"]
        assert refused["message"] == "bob accepted, but in 5 s no path for audio was found."
        assert f"{alice_host.address} (eth0)" in refused["hint"]
        told = await events.next("path_not_found", timeout_s=1, did=bob.did)
        assert told["ours"][0] == f"{alice_host.address} (eth0)"
        assert bob_host.address in told["theirs"]
        assert len(told["left_out"]) >= 10
        assert all("(br" in address for address in told["left_out"])
        shown = (await alice.ask("status"))["call"]["participants"]
        assert {p["did"]: p["no_path"] for p in shown} == {
            alice.did: None,
            bob.did: {key: told[key] for key in ("ours", "left_out", "theirs")},
        }
        # Another network comes while they look for a way: it is found at once.
        for number, host in enumerate((alice_host, bob_host), 1):
            lan = (f"address add 10.67.0.{number}/24 dev eth1", "link set eth1 up")
            await lab.add_interfaces(host, plugged=["eth1"], commands=lan)
        await events.next("link_changed", link="connected", timeout_s=SETTLED_S)
        assert sum(event["event"] == "path_not_found" for event in events.seen) == 1, "said once"
    assert [p["no_path"] for p in (await alice.ask("status"))["call"]["participants"]] == [None, None]


async def test_the_way_is_by_an_address_that_there_was_no_room_for(lab: Laboratory) -> None:
    """Signals come by another network, so that nothing tells which of twenty is the right one."""
    hosts = await lab.hosts("alice", "bob")
    for number, host in enumerate(hosts, 1):
        lines = [f"link add net{n} type veth peer name end{n}" for n in range(20)]
        lines += [f"address add 10.{100 + n}.0.{number}/24 dev net{n}" for n in range(20)]
        lines += [f"link set {end}{n} up" for n in range(20) for end in ("net", "end")]
        await lab.add_interfaces(host, commands=lines)
        lan = (f"address add 10.77.0.{number}/24 dev lan", "link set lan up")
        await lab.add_interfaces(host, plugged=["lan"], commands=lan)
        await host.run("nft", checks_dropped("eth0"))
        for group in ("ip daddr 224.0.0.0/4", "ip6 daddr ff00::/8 meta l4proto udp"):
            await host.run("nft", f"add rule inet t c iifname lan {group} drop")
    alice, bob = await together(
        on_every_interface(hosts[0]), on_every_interface(hosts[1], "--auto-accept=anyone")
    )
    await alice.ask("offer", bob.did, "--wait", "20")


@pytest.mark.parametrize("addresses", [("fd77::{}/64",), ()], ids=["local", "link-local"])
async def test_ipv6_alone(lab: Laboratory, addresses: tuple[str, ...]) -> None:
    hosts = await lab.hosts("alice", "bob")
    for number, host in enumerate(hosts, 1):
        own = [f"address add {text.format(number)} dev eth0 nodad" for text in addresses]
        await lab.add_interfaces(host, commands=["address flush dev eth0 scope global", *own])
    alice, bob = await together(*(on_every_interface(host) for host in hosts))
    assert await call(alice, bob) < SETTLED_S
    before = await received(alice)
    await asyncio.sleep(1)
    assert await received(alice) - before >= 40


async def received(session: Session) -> int:
    (link,) = (await session.ask("rtp-stats"))["peers"]
    return int(link["inbound"]["packetsReceived"])


async def test_a_path_that_dies_behind_the_switch(lab: Laboratory) -> None:
    hosts = await lab.hosts("alice", "bob")
    second = ("address add 10.66.0.101/24 dev eth1", "link set eth1 up")
    await lab.add_interfaces(hosts[0], plugged=["eth1"], commands=second)
    alice, bob = await together(*(on_every_interface(host) for host in hosts))
    await call(alice, bob)
    async with await alice.events() as hers, await bob.events() as his:
        for port, other in (("alice", "eth1"), ("alice:eth1", "eth0")):
            await lab.silence(port)
            died_s = time.monotonic()
            moved, _ = await together(
                hers.next("path_changed", timeout_s=4), his.next("path_changed", timeout_s=4)
            )
            assert moved["interface"] == other
            assert moved["seen_s"] - died_s < 3
            before = await together(received(alice), received(bob))
            await asyncio.sleep(1)
            after = await together(received(alice), received(bob))
            assert all(now - then >= 40 for now, then in zip(after, before, strict=True))
            await lab.silence(port, silent=False)
        assert not any(event["event"] == "link_changed" for event in hers.seen + his.seen), "nobody was lost"
