"""Where the sessions of a case run: hosts in network namespaces on a `LineWire`; or, without root, this machine's loopback and perfect lines."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.network.laboratory import Laboratory
from blink_cli.lab.requirements import UnavailableError, why_no_network_namespaces
from blink_cli.lab.scenario.case import Case, LineChange
from blink_cli.lab.sessions import Machine


@dataclass(frozen=True, slots=True)
class PassedPacket:
    """One RTP packet, as the wire saw it."""

    at_s: float
    """Monotonic."""

    payload_bytes: int
    copies: int
    changed: bool


class LineLaboratory(Laboratory):
    """Hosts whose every direction is a line."""

    wire_module = "blink_cli.lab.network.line_wire"

    async def set_line(self, change: LineChange) -> None:
        """Let what one sends another meet this from now on."""
        await self._order(
            do="line",
            **{"from": change.speaker, "to": change.listener, "conditions": asdict(change.conditions)},
        )

    async def packets(self) -> dict[tuple[str, str], list[PassedPacket]]:
        """Return all RTP packets so far, of each direction."""
        answer = await self._order(do="packets")
        return {
            (source, target): [PassedPacket(*packet) for packet in packets]
            for source, target, packets in answer["packets"]
        }


class Network:
    """The machines of a case, by participant."""

    def __init__(self, machines: dict[str, Machine], lab: LineLaboratory | None) -> None:
        self.machines = machines
        self._lab = lab

    @property
    def has_witness(self) -> bool:
        """Whether the wire tells of packets."""
        return self._lab is not None

    async def change(self, change: LineChange) -> None:
        """Let a line be so from now on."""
        if self._lab is not None:
            await self._lab.set_line(change)

    async def packets(self) -> dict[tuple[str, str], list[PassedPacket]]:
        """What the wire carried; nothing where there is none."""
        return {} if self._lab is None else await self._lab.packets()

    async def lateness_ms(self) -> float | None:
        """By how much the wire itself was late, of 99 in 100 frames."""
        if self._lab is None:
            return None
        late_s = (await self._lab.counts()).lateness_s
        return 1000 * late_s[int(0.99 * (len(late_s) - 1))] if late_s else 0.0


@asynccontextmanager
async def network_of(case: Case) -> AsyncIterator[Network]:
    """Make it for a case, and take it away in the end.

    Raises:
        UnavailableError: A line is to be bad, and this user can make none.

    """
    names = [person.name for person in case.people]
    reason = why_no_network_namespaces()
    if reason is None:
        async with LineLaboratory(case.seed) as lab:
            # Short: namespaces are named after hosts, and all hosts have their own.
            hosts = await lab.hosts(*names)
            yield Network({host.name: host.machine for host in hosts}, lab)
        return
    if any(change.conditions != Conditions() for change in case.lines):
        raise UnavailableError(
            f"Bad lines between real sessions cannot be made here: {reason}.",
            hint="Run it as root, or with `--engine virtual`.",
        )
    async with Machine() as machine:
        yield Network(dict.fromkeys(names, machine), None)


def first_lines(changes: Sequence[LineChange]) -> list[LineChange]:
    """Return those that hold from the beginning."""
    return [change for change in changes if change.at_s == 0.0]
