"""Where the sessions of a case run.

Hosts in network namespaces on a `LineWire`; or, without root, this machine's loopback, and other machines that a scenario names: there sessions
impair their own links.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import msgspec

from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.real.passed_packet import PassedPacket
from blink_cli.lab.real.remote_machine import remote_machine
from blink_cli.lab.requirements import why_no_network_namespaces
from blink_cli.lab.scenario.case import Case, LineChange, Place
from blink_cli.lab.sessions import Machine, free_group


class LineLaboratory(Laboratory):
    """Hosts whose every direction is a line."""

    wire_module = "blink_cli.lab.network.line_wire"

    async def set_line(self, change: LineChange) -> None:
        """Let what one sends another meet this from now on."""
        await self._order(
            do="line",
            **{
                "from": change.speaker,
                "to": change.listener,
                "conditions": msgspec.to_builtins(change.conditions),
            },
        )

    async def count_from(self, change: LineChange, origin_s: float) -> None:
        """Let outages and traces of that direction count from a moment of monotonic time."""
        await self._order(do="count", **{"from": change.speaker, "to": change.listener, "at_s": origin_s})

    async def packets(self) -> dict[tuple[str, str], list[PassedPacket]]:
        """Return all RTP packets so far, of each direction."""
        answer = await self._order(do="packets")
        return {
            (source, target): [PassedPacket(*packet) for packet in packets]
            for source, target, packets in answer["packets"]
        }

    async def lateness_ms(self) -> float:
        """By how much the wire itself was late, of 99 in 100 frames."""
        late_s = (await self.counts()).lateness_s
        return 1000 * late_s[int(0.99 * (len(late_s) - 1))] if late_s else 0.0


@dataclass(frozen=True, slots=True)
class Network:
    """What a case runs on."""

    machines: Mapping[str, Machine]
    """By participant."""

    wire: LineLaboratory | None
    """Between all of them; None: there is none, so that sessions must impair their own links, and count packets themselves."""

    note: str | None = None
    """What a reader of the figures must know."""


@asynccontextmanager
async def network_of(case: Case) -> AsyncIterator[Network]:
    """Make it for a case, and take it away in the end."""
    names = [person.name for person in case.people]
    if any(person.place is not None for person in case.people):
        async with _several_machines(case) as machines:
            yield Network(machines, None, _without_wire("sessions run on several machines"))
        return
    reason = why_no_network_namespaces()
    if reason is None:
        async with LineLaboratory(case.seed) as lab:
            # Short: namespaces are named after hosts, and all hosts have their own.
            hosts = await lab.hosts(*names)
            yield Network({host.name: host.machine for host in hosts}, lab)
        return
    async with Machine() as machine:
        yield Network(dict.fromkeys(names, machine), None, _without_wire(reason))


def _without_wire(reason: str) -> str:
    return f"There is no wire between the sessions ({reason}): they impair their own links, and packets are counted by their RTP logs."


@asynccontextmanager
async def _several_machines(case: Case) -> AsyncIterator[dict[str, Machine]]:
    group = free_group()
    async with AsyncExitStack() as stack:
        here = await stack.enter_async_context(Machine(group=group, interface=None))
        machines: dict[Place | None, Machine] = {None: here}
        for place in (person.place for person in case.people):
            if place is not None and place not in machines:
                machines[place] = await stack.enter_async_context(
                    remote_machine(place.host, place.program, group)
                )
        yield {person.name: machines[person.place] for person in case.people}


def first_lines(changes: Sequence[LineChange]) -> list[LineChange]:
    """Return those that hold from the beginning."""
    return [change for change in changes if change.at_s == 0.0]
