"""How many participants, each its own process on this machine, still lose nothing to lateness.

Everybody speaks and everybody hears everybody. A packet of a loopback call cannot get lost, so whatever a playout buffer had to make up came
too late: because the sender's or the receiver's threads did not run in time. The figures are those of the sessions themselves, read at the
beginning and at the end through their control sockets; meanwhile nothing else of this bench runs.

    concealed   made up, of what was played, and the worst of all streams
    late ticks  10 ms of playout that ran later than the next ones were due
    core        of one core, per participant and for all

With `--against REV` another revision makes the same calls in turns with this one, by the bench that it has itself: what else the machine does disturbs both.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benches.checkouts import checked_out, interpreter
from benches.machine_noise import stolen_percent, stolen_s
from blink_cli.app.control.control_client import ControlClient
from blink_cli.app.control.door_choice import control_door
from blink_cli.core.api.events import LinkState
from blink_cli.core.api.replies.calls import Participants
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.api.requests import AcceptCall, GetParticipants, GetRtpStatistics, PlaceOffer
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.voices import voice, write_mono

DEFAULT_PARTICIPANTS: Final = (2, 3, 4, 6, 8, 10, 12, 16)
CONNECT_S: Final = 30.0
LOOK_EVERY_S: Final = 0.2
SETTLE_S: Final = 3.0
NEVER_ENOUGH_PERCENT: Final = 101.0
STARTED_AT_ONCE: Final = 2
"""Sessions; more only wait for each other's processor time."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counters of one session at one moment."""

    played_samples: dict[str, int]
    concealed_samples: dict[str, int]
    discarded: int
    late_ticks: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class MeshRow:
    """One number of participants."""

    participants: int
    concealed_percent: float
    worst_concealed_percent: float
    packets_late: int
    late_ticks: int
    core_percent_per_participant: float
    core_percent: float
    stolen_percent: float

    @property
    def loses_nothing(self) -> bool:
        """Whether every sample that was played had been sent."""
        return self.worst_concealed_percent == 0.0


async def figures(client: ControlClient, pid: int) -> Figures:
    """Ask one session."""
    reply = await client.ask(GetRtpStatistics())
    assert isinstance(reply, RtpStatistics), "the promise of the request"
    inbound = {peer.did: peer.inbound for peer in reply.peers if peer.inbound is not None}
    return Figures(
        {did: stream.total_samples_received for did, stream in inbound.items()},
        {did: stream.concealed_samples for did, stream in inbound.items()},
        sum(stream.packets_discarded for stream in inbound.values()),
        reply.late_ticks,
        cpu_s(pid),
    )


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def measured(participants: int, seconds: float, machine: Machine) -> MeshRow:
    """Make one call and watch it."""
    speech = write_mono(machine.directory / f"speech-{participants}.wav", voice(0, 10.0))
    turns = asyncio.Semaphore(STARTED_AT_ONCE)

    async def serve(number: int) -> Session:
        async with turns:
            return await machine.serve(
                f"p{participants}-{number}", "--input", f"file:{speech}?loop=1", "--output", "null"
            )

    sessions = await together(*(serve(number) for number in range(participants)))
    async with AsyncExitStack() as stack:
        clients = []
        for session in sessions:
            stack.push_async_callback(session.quit)
            clients.append(await ControlClient.connect(control_door(_runtime(machine, session))))
            stack.push_async_callback(clients[-1].aclose)
        await _call(clients, sessions)
        await asyncio.sleep(SETTLE_S)
        stolen, began_s = stolen_s(), time.monotonic()
        before = [
            await figures(client, session.pid) for client, session in zip(clients, sessions, strict=True)
        ]
        await asyncio.sleep(seconds)
        after = [
            await figures(client, session.pid) for client, session in zip(clients, sessions, strict=True)
        ]
        elapsed_s = time.monotonic() - began_s
        return row_of(before, after, elapsed_s, stolen_percent(stolen, elapsed_s))


def _runtime(machine: Machine, session: Session) -> Path:
    return machine.data_directory(session.profile) / "run" / session.profile


async def _call(clients: Sequence[ControlClient], sessions: Sequence[Session]) -> None:
    first, *others = clients
    dids = tuple(session.did for session in sessions[1:])
    await together(
        first.ask(PlaceOffer(peers=dids, wait_s=CONNECT_S)),
        *(other.ask(AcceptCall(wait_s=CONNECT_S)) for other in others),
    )
    for _ in range(round(CONNECT_S / LOOK_EVERY_S)):
        if min([await _links(client) for client in clients]) == len(sessions) - 1:
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise TimeoutError(f"{len(sessions)} participants did not all connect within {CONNECT_S:g} s")


async def _links(client: ControlClient) -> int:
    reply = await client.ask(GetParticipants())
    assert isinstance(reply, Participants), "the promise of the request"
    return sum(participant.link == LinkState.CONNECTED for participant in reply.participants)


def row_of(before: Sequence[Figures], after: Sequence[Figures], elapsed_s: float, stolen: float) -> MeshRow:
    """What happened between two readings of all sessions."""
    shares = []
    played_all = concealed_all = 0
    for first, last in zip(before, after, strict=True):
        for did, played in last.played_samples.items():
            played_now = played - first.played_samples.get(did, 0)
            concealed = last.concealed_samples[did] - first.concealed_samples.get(did, 0)
            shares.append(100 * concealed / max(played_now, 1))
            played_all += played_now
            concealed_all += concealed
    cpu = 100 * sum(last.cpu_s - first.cpu_s for first, last in zip(before, after, strict=True)) / elapsed_s
    return MeshRow(
        participants=len(before),
        concealed_percent=100 * concealed_all / max(played_all, 1),
        worst_concealed_percent=max(shares),
        packets_late=sum(last.discarded - first.discarded for first, last in zip(before, after, strict=True)),
        late_ticks=sum(last.late_ticks - first.late_ticks for first, last in zip(before, after, strict=True)),
        core_percent_per_participant=cpu / len(before),
        core_percent=cpu,
        stolen_percent=stolen,
    )


async def run(numbers: Sequence[int], seconds: float, enough_percent: float) -> list[MeshRow]:
    """One call after the other, until one conceals more than `enough_percent`."""
    rows: list[MeshRow] = []
    async with Machine() as machine:
        for number in numbers:
            rows.append(await measured(number, seconds, machine))
            print(f"{number} participants: {rows[-1].concealed_percent:.3f} % concealed", file=sys.stderr)
            if rows[-1].concealed_percent > enough_percent:
                break
    return rows


def run_against(
    revision: str, numbers: Sequence[int], seconds: float, rounds: int
) -> dict[int, dict[str, list[MeshRow]]]:
    """Each number of participants in each version, in turns; the rows by number and version."""
    told: dict[int, dict[str, list[MeshRow]]] = {}
    with tempfile.TemporaryDirectory(prefix="blink-mesh-") as folder:
        work = Path(folder)
        python = interpreter(work / "python")
        checkouts = [checked_out("now", None, work, python), checked_out(revision, revision, work, python)]
        for number in numbers:
            told[number] = {one.name: [] for one in checkouts}
            for round_number in range(rounds):
                for one in checkouts if round_number % 2 == 0 else reversed(checkouts):
                    words = ("--participants", str(number), "--seconds", f"{seconds:g}")
                    until = ("--until", f"{NEVER_ENOUGH_PERCENT:g}")
                    document = json.loads(one.bench_output("mesh", "--json", *words, *until))
                    row = MeshRow(**document["rows"][0])
                    told[number][one.name].append(row)
                    print(f"{number}, {one.name}: {row.concealed_percent:.3f} % concealed", file=sys.stderr)
    return told


def table_against(told: dict[int, dict[str, list[MeshRow]]]) -> Iterator[str]:
    """Medians with least and most."""
    yield "| participants | | concealed % | late packets | late ticks | % of a core each | stolen % |"
    yield "|---|---|---|---|---|---|---|"
    figures = (
        "concealed_percent",
        "packets_late",
        "late_ticks",
        "core_percent_per_participant",
        "stolen_percent",
    )
    for number, by_name in told.items():
        for name, rows in by_name.items():
            cells = []
            for figure in figures:
                values = sorted(getattr(row, figure) for row in rows)
                cells.append(f"{statistics.median(values):.4g} ({values[0]:.4g} to {values[-1]:.4g})")
            yield f"| {number} | {name} | {' | '.join(cells)} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, or one JSON document."""
    parser = argparse.ArgumentParser(prog="bench mesh", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--participants", default=",".join(map(str, DEFAULT_PARTICIPANTS)), metavar="N,N")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="how long each call is watched (default 10)"
    )
    parser.add_argument(
        "--until", type=float, default=5.0, metavar="PERCENT", help="stop when more is concealed (default 5)"
    )
    parser.add_argument("--against", metavar="REV", help="beside this revision, in turns")
    parser.add_argument("--rounds", type=int, default=1, help="with --against: how often each (default 1)")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    options = parser.parse_args(arguments)
    numbers = [int(number) for number in options.participants.split(",")]
    if options.against:
        told = run_against(options.against, numbers, options.seconds, options.rounds)
        if options.json:
            calls = {
                number: {name: [asdict(row) for row in rows] for name, rows in by_name.items()}
                for number, by_name in told.items()
            }
            print(json.dumps({"schema": 1, "bench": "mesh", "against": options.against, "calls": calls}))
        else:
            print("\n".join(table_against(told)))
        return ExitCode.DONE
    rows = asyncio.run(run(numbers, options.seconds, options.until))
    most = max((row.participants for row in rows if row.loses_nothing), default=None)
    if options.json:
        document = {
            "schema": 1,
            "bench": "mesh",
            "seconds": options.seconds,
            "most": most,
            "rows": [asdict(row) for row in rows],
        }
        print(json.dumps(document))
        return ExitCode.DONE
    print(
        f"{'participants':>12}{'concealed %':>13}{'worst %':>9}{'late packets':>14}{'late ticks':>12}{'core % each':>13}{'all':>6}{'stolen %':>10}"
    )
    for row in rows:
        print(
            f"{row.participants:12}{row.concealed_percent:13.3f}{row.worst_concealed_percent:9.3f}{row.packets_late:14}{row.late_ticks:12}"
            f"{row.core_percent_per_participant:13.1f}{row.core_percent:6.0f}{row.stolen_percent:10.1f}"
        )
    print(f"\nmost participants that lost nothing: {most or 'none of these'}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
