"""The laboratory itself: hosts, and a wire that does what it is told."""

import asyncio
import json
import os
import secrets
import statistics
import struct
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Host, Laboratory, ip

pytestmark = [pytest.mark.netns, pytest.mark.real_time, pytest.mark.in_pairs]

FRAMES = 300
INTERVAL_S = 0.002
HERALD = 2**32 - 1
GROUP = "239.255.1.1"


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Laboratory]:
    async with Laboratory(seed=5) as laboratory:
        yield laboratory


class Probe:
    """Numbered datagrams from one host to another, and when each arrived."""

    def __init__(self) -> None:
        self.delay_ms: dict[int, list[float]] = {}

    async def send(
        self,
        source: Host,
        target: Host,
        *,
        frames: int = FRAMES,
        group: str | None = None,
        listen_s: float = 0.3,
    ) -> "Probe":
        loop = asyncio.get_running_loop()
        with source.udp_socket() as out, target.udp_socket() as own:
            receiver = own
            if group:
                receiver = target.group_socket(group)
            address = (group or target.address, receiver.getsockname()[1])

            async def receive() -> None:
                while True:
                    number, sent_s = struct.unpack("!Id", await loop.sock_recv(receiver, 100))
                    if number != HERALD:
                        self.delay_ms.setdefault(number, []).append((time.monotonic() - sent_s) * 1000)

            # The first datagram asks for the address by ARP; the measured ones find it known.
            out.sendto(struct.pack("!Id", HERALD, 0), address)
            receiving = loop.create_task(receive(), name="receive")
            await asyncio.sleep(0.1)
            begin_s = time.monotonic()
            for number in range(frames):
                await loop.sock_sendto(out, struct.pack("!Id", number, time.monotonic()), address)
                await asyncio.sleep(max(begin_s + (number + 1) * INTERVAL_S - time.monotonic(), 0))
            await asyncio.sleep(listen_s)
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            if receiver is not own:
                receiver.close()
        return self

    @property
    def first_ms(self) -> list[float]:
        return [delays[0] for _, delays in sorted(self.delay_ms.items())]


async def leave_only_probes(alice: Host, bob: Host) -> None:
    """No ARP and no IPv6: every frame between the two is then one of a probe's. A question of ARP that is lost is asked again after a second."""
    for here, there in ((alice, bob), (bob, alice)):
        (link,) = json.loads(await ip("-j", "-n", there.namespace, "link", "show", "eth0"))
        neighbour = (there.address, "lladdr", link["address"], "dev", "eth0")
        await ip("-n", here.namespace, "neigh", "replace", *neighbour)
        await here.run("sysctl", "-qw", "net.ipv6.conf.eth0.disable_ipv6=1")


async def test_a_clean_wire_carries_everything_and_adds_little(lab: Laboratory) -> None:
    alice, bob = await lab.hosts("alice", "bob")
    probe = await Probe().send(alice, bob)
    assert list(probe.delay_ms) == list(range(FRAMES)), "in order, each once"
    counts = await lab.counts()
    assert counts.dropped == 0
    # The figure that matters is the wire's own; the reader in this process has its own lateness.
    lateness_ms = [value * 1000 for value in counts.lateness_s]
    assert statistics.median(lateness_ms) < 1


async def test_loss_delay_and_jitter_are_as_asked(lab: Laboratory) -> None:
    alice, bob = await lab.hosts("alice", "bob")
    await leave_only_probes(alice, bob)
    await lab.set_conditions(Conditions(loss=0.2, delay_ms=60, jitter_ms=10), source=[alice])
    there = await Probe().send(alice, bob)
    back = await Probe().send(bob, alice, frames=50)
    assert len(there.delay_ms) / FRAMES == pytest.approx(0.8, abs=0.08)
    assert statistics.median(there.first_ms) == pytest.approx(60, abs=6)
    # Half of the middle 68 % is the standard deviation of what is asked; a stall of the machine moves its own share of packets, and not this.
    shares = statistics.quantiles(there.first_ms, n=100)
    assert (shares[83] - shares[15]) / 2 == pytest.approx(10, abs=4)
    assert len(back.delay_ms) == 50, "the other direction stayed clean"
    assert statistics.median(back.first_ms) < 10


async def test_a_seed_replays_on_the_wire() -> None:
    arrived = []
    for seed in (11, 11, 12):
        async with Laboratory(seed=seed) as lab:
            alice, bob = await lab.hosts("alice", "bob")
            await leave_only_probes(alice, bob)
            await lab.set_conditions(Conditions(loss=0.3))
            await lab.reseed()
            arrived.append(list((await Probe().send(alice, bob, frames=100)).delay_ms))
    assert arrived[0] == arrived[1]
    assert arrived[0] != arrived[2]


async def test_multicast_passes_and_can_be_lost_alone(lab: Laboratory) -> None:
    alice, bob = await lab.hosts("alice", "bob")
    assert len((await Probe().send(alice, bob, group=GROUP)).delay_ms) == FRAMES
    await lab.set_conditions(Conditions(), multicast_loss=0.3)
    assert len((await Probe().send(alice, bob, group=GROUP)).delay_ms) / FRAMES == pytest.approx(0.7, abs=0.1)
    assert len((await Probe().send(alice, bob)).delay_ms) == FRAMES


async def test_partition_and_healing(lab: Laboratory) -> None:
    alice, bob, carol = await lab.hosts("alice", "bob", "carol")
    await lab.partition([alice, bob], [carol])
    assert len((await Probe().send(alice, bob, frames=20)).delay_ms) == 20
    assert not (await Probe().send(alice, carol, frames=20)).delay_ms
    await lab.partition()
    assert len((await Probe().send(alice, carol, frames=20, listen_s=1.0)).delay_ms) == 20


async def test_an_unplugged_host_sees_no_carrier(lab: Laboratory) -> None:
    alice, bob = await lab.hosts("alice", "bob")
    await lab.unplug(bob)
    assert "NO-CARRIER" in await bob.run("ip", "link", "show", "eth0")
    assert not (await Probe().send(alice, bob, frames=20)).delay_ms
    await lab.plug_in(bob)
    assert "NO-CARRIER" not in await bob.run("ip", "link", "show", "eth0")
    assert len((await Probe().send(alice, bob, frames=20, listen_s=1.0)).delay_ms) == 20


async def test_eight_hosts_each_sending_to_each(lab: Laboratory) -> None:
    hosts = await lab.hosts(*(f"h{n}" for n in range(8)))
    probes = await asyncio.gather(
        *(Probe().send(a, b, frames=60, listen_s=0.5) for a in hosts for b in hosts if a is not b)
    )
    assert all(len(probe.delay_ms) == 60 for probe in probes)


async def test_nothing_is_left_and_a_killed_run_is_swept_up() -> None:
    # Above the largest process id that Linux can be set to give (2^22).
    orphan = f"blink-lab-{2**22 + secrets.randbelow(2**20)}-left"
    await ip("netns", "add", orphan)
    async with Laboratory() as lab:
        await lab.hosts("alice")
        names = await ip("netns", "list")
        assert orphan not in names
        assert f"blink-lab-{os.getpid()}-alice" in names
    assert f"blink-lab-{os.getpid()}" not in await ip("netns", "list")
