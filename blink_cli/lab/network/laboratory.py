"""The laboratory: named hosts on one wire, made for one test and gone after it.

async with Laboratory(seed=7) as lab:
    alice, bob = await lab.hosts("alice", "bob")
    await lab.set_conditions(Conditions(loss=0.05, jitter_ms=20))
    session = await alice.machine.serve("alice", ...)
    await lab.unplug(bob)
"""

import asyncio
import ipaddress
import json
import os
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.namespaces import inside
from blink_cli.lab.requirements import ADMINISTRATOR_PATH, require_network_namespaces
from blink_cli.lab.sessions import Machine, free_group

DEVICE = "eth0"
_PREFIX = "blink-lab"
_SUBNET = ipaddress.IPv4Network("10.66.0.0/24")
_ANSWER_TIMEOUT_S = 10.0
_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Host:
    """A network namespace with `lo` and `eth0`."""

    name: str
    namespace: str
    address: str
    machine: Machine
    """Starts sessions and commands on this host, on the lab's multicast group."""

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command to run it here."""
        return ("nsenter", f"--net=/run/netns/{self.namespace}")

    async def run(self, *command: str) -> str:
        """Run a program on this host and return what it printed."""
        return await run(*self.prefix, *command)

    def udp_socket(self, port: int = 0) -> socket.socket:
        """Open a UDP socket of this host in the calling process."""
        with inside(self.namespace):
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.settimeout(0)
        opened.bind((self.address, port))
        return opened

    def group_socket(self, group: str) -> socket.socket:
        """Open a UDP socket of this host that receives what is sent to a multicast group."""
        with inside(self.namespace):
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        opened.settimeout(0)
        opened.bind((group, 0))
        membership = socket.inet_aton(group) + socket.inet_aton(self.address)
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        return opened


class Laboratory:
    """Hosts and the wire between them. Needs root; `pytest.skip`s, saying so, without."""

    wire_module = "blink_cli.lab.network.wire"
    """The program that is the wire; a subclass may have one that does more."""

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        self.by_name: dict[str, Host] = {}
        self._group = free_group()
        self._wire: asyncio.subprocess.Process | None = None
        self._ordering = asyncio.Lock()
        self._ports: list[str] = []

    async def __aenter__(self) -> Self:
        require_network_namespaces()
        await _sweep()
        self._wire = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            self.wire_module,
            str(self.seed),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            limit=2**22,
            start_new_session=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every process on the hosts and remove them, however the test went."""
        await asyncio.gather(*(host.machine.aclose() for host in self.by_name.values()))
        if self._wire is not None:
            assert self._wire.stdin is not None
            self._wire.stdin.close()
            await self._wire.wait()
        for host in self.by_name.values():
            await _remove(host.namespace)
        self.by_name.clear()

    # --- hosts ---

    async def hosts(self, *names: str) -> list[Host]:
        """Make hosts and plug them in."""
        return [await self._make(name) for name in names]

    async def _make(self, name: str) -> Host:
        namespace = f"{_PREFIX}-{os.getpid()}-{name}"
        address = str(_SUBNET[len(self.by_name) + 1])
        await ip("netns", "add", namespace)
        prefix = ("nsenter", f"--net=/run/netns/{namespace}")
        self.by_name[name] = Host(
            name,
            namespace,
            address,
            Machine(namespace=f"/run/netns/{namespace}", group=self._group, interface=address),
        )
        # A switch port that is up at once: duplicate address detection would keep IPv6 waiting for two seconds.
        await run(
            *prefix, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.all.accept_dad=0"
        )
        await self._order(do="plug", host=name, namespace=namespace, device=DEVICE)
        self._ports.append(name)
        await ip("-n", namespace, "link", "set", "lo", "up")
        await ip(
            "-n", namespace, "address", "add", f"{address}/{_SUBNET.prefixlen}", "brd", "+", "dev", DEVICE
        )
        await ip("-n", namespace, "link", "set", DEVICE, "up")
        # As on a LAN with a router: what has no better route leaves here, multicast included.
        await ip("-n", namespace, "route", "add", "default", "dev", DEVICE)
        return self.by_name[name]

    async def add_interfaces(
        self, host: Host, *, plugged: Iterable[str] = (), commands: Iterable[str] = ()
    ) -> None:
        """Give a host more devices.

        Args:
            host: Where.
            plugged: Names of devices that are plugged into the wire too, each as a port of its own, `HOST:DEVICE`.
            commands: Lines for `ip -batch`: further devices, addresses, routes.

        """
        for device in plugged:
            await self._order(
                do="plug", host=f"{host.name}:{device}", namespace=host.namespace, device=device
            )
            self._ports.append(f"{host.name}:{device}")
        await ip_batch(host.namespace, commands)

    async def silence(self, port: str, *, silent: bool = True) -> None:
        """Let nothing through that comes from or goes to a port, `HOST` or `HOST:DEVICE`, which sees its carrier all the same.

        So a path dies behind a switch.
        """
        dead = Conditions(loss=1.0 if silent else 0.0)
        others = [other for other in self._ports if other != port]
        await self._order_conditions(dead, [port], others)
        await self._order_conditions(dead, others, [port])

    async def lonely_host(self, name: str) -> Host:
        """Make a host with no network but loopback; its sessions are left to find that out."""
        namespace = f"{_PREFIX}-{os.getpid()}-{name}"
        await ip("netns", "add", namespace)
        self.by_name[name] = Host(
            name,
            namespace,
            "127.0.0.1",
            Machine(namespace=f"/run/netns/{namespace}", group=self._group, interface=None),
        )
        await ip("-n", namespace, "link", "set", "lo", "up")
        return self.by_name[name]

    async def make_ipv6_only(self, host: Host, *lines: str) -> None:
        """Take a host's IPv4 address away; a link-local IPv6 address stays, and these lines of `ip -batch` may add others."""
        await ip("-n", host.namespace, "-4", "address", "flush", "dev", DEVICE)
        await ip_batch(host.namespace, lines)

    async def change_address(self, host: Host, address: str) -> None:
        """Give a host another address in the lab's subnet, as a new DHCP lease does. `host.address` stays the first."""
        await ip("-n", host.namespace, "address", "flush", "dev", DEVICE, "scope", "global")
        await ip(
            "-n",
            host.namespace,
            "address",
            "add",
            f"{address}/{_SUBNET.prefixlen}",
            "brd",
            "+",
            "dev",
            DEVICE,
        )
        await ip("-n", host.namespace, "route", "replace", "default", "dev", DEVICE)

    # --- the wire ---

    async def set_conditions(
        self,
        conditions: Conditions,
        *,
        source: Iterable[Host] | None = None,
        target: Iterable[Host] | None = None,
        multicast_loss: float = 0.0,
    ) -> None:
        """Change what the wire does to frames.

        Args:
            conditions: Of each direction; outages count from now.
            source: Of frames from these hosts; None: all.
            target: To these hosts; None: all.
            multicast_loss: Share of IP multicast frames lost besides, 0 to 1.

        """
        await self._order_conditions(
            conditions, self._names(source), self._names(target), multicast_loss=multicast_loss
        )

    async def _order_conditions(
        self, conditions: Conditions, source: list[str], target: list[str], *, multicast_loss: float = 0.0
    ) -> None:
        asked = {"from": source, "to": target, "conditions": msgspec.to_builtins(conditions)}
        await self._order(do="conditions", multicast_loss=multicast_loss, **asked)

    async def reseed(self) -> None:
        """Begin the seed's draws again, so that what comes now replays whatever came before."""
        await self._order(do="reseed")

    async def partition(self, *groups: Iterable[Host | str]) -> None:
        """Let only hosts, or ports `HOST:DEVICE`, of one group reach each other; without groups, heal."""
        named = [[end if isinstance(end, str) else end.name for end in group] for group in groups]
        await self._order(do="partition", groups=named)

    async def unplug(self, host: Host) -> None:
        """Pull the host's cable: it sees no carrier, and nothing passes."""
        await self._order(do="carrier", host=host.name, up=False)

    async def plug_in(self, host: Host) -> None:
        """Put the cable back."""
        await self._order(do="carrier", host=host.name, up=True)

    async def counts(self) -> "Counts":
        """Return what the wire did so far."""
        answer = await self._order(do="counts")
        counts = answer["counts"]
        return Counts(
            counts.get("frames", 0),
            counts.get("delivered", 0),
            counts.get("dropped", 0),
            counts.get("duplicated", 0),
            tuple(answer["lateness_s"]),
        )

    def _names(self, hosts: Iterable[Host] | None) -> list[str]:
        return list(self.by_name) if hosts is None else [host.name for host in hosts]

    async def _order(self, **order: Any) -> dict[str, Any]:
        wire = self._wire
        assert wire is not None
        assert wire.stdin is not None
        assert wire.stdout is not None
        # Answers come in the order of the orders, and one reader at a time may wait for them.
        async with self._ordering, asyncio.timeout(_ANSWER_TIMEOUT_S):
            wire.stdin.write(json.dumps(order).encode() + b"\n")
            await wire.stdin.drain()
            line = await wire.stdout.readline()
        assert line, f"the wire has ended; its order was {order}"
        answer: dict[str, Any] = json.loads(line)
        assert answer["ok"], answer
        return answer


@dataclass(frozen=True, slots=True)
class Counts:
    """What a wire did."""

    frames: int
    """Frames times the ports that each was meant for."""

    delivered: int
    dropped: int
    duplicated: int
    lateness_s: tuple[float, ...]
    """How much later than decided the last frames were written, sorted: what the wire itself adds."""


async def run(*command: str) -> str:
    """Run a program as this machine's administrator would and return its output; raise with its complaint if it fails."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": ADMINISTRATOR_PATH},
        start_new_session=True,  # Ctrl-C at the terminal is for this process, which may be removing hosts by it
    )
    stdout, stderr = await process.communicate()
    if process.returncode:
        raise OSError(f"{' '.join(command)}: {stderr.decode().strip() or process.returncode}")
    return stdout.decode()


async def ip(*arguments: str) -> str:
    """Run iproute2's `ip`."""
    return await run("ip", *arguments)


async def ip_batch(namespace: str, commands: Iterable[str]) -> None:
    """Run many of `ip`'s commands in a namespace as one process: a hundred addresses take 10 ms."""
    process = await asyncio.create_subprocess_exec(
        "ip",
        "-n",
        namespace,
        "-batch",
        "-",
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PATH": ADMINISTRATOR_PATH},
        start_new_session=True,
    )
    _, stderr = await process.communicate("".join(f"{line}\n" for line in commands).encode())
    if process.returncode:
        raise OSError(f"ip -batch: {stderr.decode().strip()}")


async def _sweep() -> None:
    """Remove what a run that was killed has left: its namespaces, and the processes in them."""
    for line in (await ip("netns", "list")).splitlines():
        namespace = line.partition(" ")[0]
        if namespace.startswith(f"{_PREFIX}-") and not _lives(namespace.split("-")[2]):
            await _remove(namespace)


def _lives(pid: str) -> bool:
    return Path(f"/proc/{pid}").exists()


async def _remove(namespace: str) -> None:
    with suppress(OSError):
        for pid in (await ip("netns", "pids", namespace)).split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), 9)
        await ip("netns", "del", namespace)
