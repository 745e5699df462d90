"""What floods cost a session that is in a call, kind by kind: audio, processor, memory, answers, and when a contact's call rings.

scripts/bench floods [--json] [--rates 5000 50000] [--seconds S] [--only WORD ...]
"""

import argparse
import asyncio
import json
import secrets
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

from blink_cli.app.profile.key_file import load_identity
from blink_cli.app.profile.profile import find_profile
from blink_cli.core.api.events import IncomingCall
from blink_cli.core.api.replies.statistics import Inbound
from blink_cli.core.api.requests import AcceptCall, LeaveCall, PlaceOffer, ReloadContacts
from blink_cli.core.identity.identity import Identity
from blink_cli.core.ids import Did
from blink_cli.lab.flood import (
    datagrams_of_other_versions,
    flood,
    garbage,
    greetings_of_nobody,
    knocks_for,
    media_kinds,
    on_copied_topics,
    overheard,
    presences_of,
    presences_to_a_contact,
    sessions_of_nobody,
    strangers_say,
    udp_ports,
    valid_headers,
    words_of_other_versions,
)
from blink_cli.lab.leftovers import processor_s, resident_bytes
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine
from blink_cli.lab.watching import Watched, whole

SEED = 7
MDNS_PORT = 5353
MDNS = f"224.0.0.251:{MDNS_PORT}"
RINGS_WITHIN_S = 4.0


@dataclass(frozen=True, slots=True)
class Row:
    """One flood."""

    kind: str
    at: str
    rate: int
    concealed: float
    """Share of what was played."""

    cores: float
    grown_mb: float
    replies: float
    """For each datagram of the flood."""

    rings_after_s: float | None
    """A contact's call, offered in the middle of it; None: not within `RINGS_WITHIN_S`."""


@dataclass(frozen=True, slots=True)
class _Flood:
    kind: str
    at: str
    datagrams: list[bytes]
    destinations: list[str]


class _Company:
    """Bob, who is flooded while he talks to alice, and carol, his contact, who calls meanwhile."""

    def __init__(self, machine: Machine, alice: Watched, bob: Watched, carol: Watched) -> None:
        self._machine = machine
        self._alice, self._bob, self._carol = alice, bob, carol
        self._pid = bob.session.pid
        self._signals = [machine.group, *self._own(set(udp_ports(self._pid)))]
        self._before = set(udp_ports(self._pid))

    async def meet(self) -> None:
        """Make the call."""
        await together(
            self._alice.ask(PlaceOffer(peers=(self._bob.did,))),
            self._bob.ask(AcceptCall(wait_s=10.0), timeout_s=20),
        )
        await whole((self._alice, self._bob), 10)

    async def part(self) -> None:
        """End it: the kernel's filter of its ports goes with them."""
        await self._alice.ask(LeaveCall())
        await self._bob.until(lambda: self._bob.call is None, 10.0, "the end of the call")

    async def floods(self, wanted: Callable[[str], bool]) -> list[_Flood]:
        """Every kind, with where it goes; media ports are those of the call that stands."""
        bob = Did(self._bob.did)
        alice_key = find_profile("alice", self._machine.data_directory("alice")).key_path
        signals: dict[str, Callable[[], list[bytes]]] = {
            "garbage": lambda: garbage(SEED),
            "valid headers": lambda: valid_headers(SEED),
            "greetings of nobody": lambda: greetings_of_nobody(SEED),
            "words of other versions": lambda: words_of_other_versions(SEED),
            "datagrams of another version": lambda: datagrams_of_other_versions(SEED),
            "knocks that open": lambda: knocks_for(bob, SEED),
            "a stranger who signs well": lambda: presences_of(Identity(secrets.token_bytes(32)), bob, 4_000),
            "many strangers who sign well": lambda: strangers_say(bob, 2_000),
            "an invited peer who signs well": lambda: presences_of(
                load_identity(alice_key, None), bob, 4_000
            ),
            "an invited peer on the pair's channel": lambda: presences_to_a_contact(
                load_identity(alice_key, None), bob, 4_000
            ),
        }
        found = [
            _Flood(kind, "signals", made(), self._signals) for kind, made in signals.items() if wanted(kind)
        ]
        if wanted("replays"):
            found.append(
                _Flood("replays", "signals", await overheard(self._machine.group, 2.0), self._signals)
            )
        if wanted("copied topics"):
            heard = await overheard(self._machine.group, 2.0)
            found.append(_Flood("copied topics", "signals", on_copied_topics(heard, SEED), self._signals))
        if wanted("sessions of nobody"):
            found.append(_Flood("sessions of nobody", "DNS-SD", sessions_of_nobody(SEED), [MDNS]))
        media = self._own(set(udp_ports(self._pid)) - self._before)
        found += [
            _Flood(kind, "audio", made, media) for kind, made in media_kinds(SEED).items() if wanted(kind)
        ]
        return found

    async def suffer(self, one: _Flood, rate: int, seconds: float) -> Row:
        """One flood."""
        begun, begun_s, used_s = await self._inbound(), time.monotonic(), processor_s(self._pid)
        memory = resident_bytes(self._pid)
        async with asyncio.TaskGroup() as tasks:
            raging = tasks.create_task(flood(one.datagrams, one.destinations, rate=rate, seconds=seconds))
            await asyncio.sleep(seconds / 2)
            rings_after_s = await self._ring()
        ended = await self._inbound()
        cores = (processor_s(self._pid) - used_s) / (time.monotonic() - begun_s)
        await self._carol.ask(LeaveCall())
        played = max(1, ended.total_samples_received - begun.total_samples_received)
        told = raging.result()
        return Row(
            kind=one.kind,
            at=one.at,
            rate=rate,
            concealed=(ended.concealed_samples - begun.concealed_samples) / played,
            cores=cores,
            grown_mb=(resident_bytes(self._pid) - memory) / 1e6,
            replies=told.replies / max(1, told.sent),
            rings_after_s=rings_after_s,
        )

    async def _ring(self) -> float | None:
        offered_s = time.monotonic()
        await self._carol.ask(PlaceOffer(peers=(self._bob.did,)))
        carol = self._carol.did

        def rings() -> list[float]:
            came = self._bob.since(offered_s - 0.1, IncomingCall)
            return [at_s for at_s, event in came if event.caller == carol]

        try:
            await self._bob.until(lambda: bool(rings()), RINGS_WITHIN_S, "a contact's call")
        except CommandError:
            return None
        return max(0.0, rings()[0] - offered_s)

    async def _inbound(self) -> Inbound:
        (peer,) = (await self._bob.statistics()).peers
        assert peer.inbound is not None, "a call that is connected has figures"
        return peer.inbound

    @staticmethod
    def _own(ports: set[int]) -> list[str]:
        return [f"127.0.0.1:{port}" for port in sorted(ports) if port != MDNS_PORT]


async def measure(options: argparse.Namespace) -> list[Row]:
    """Every flood, one after the other, each in a call of its own."""

    def wanted(kind: str) -> bool:
        return not options.only or any(word in kind for word in options.only)

    rows: list[Row] = []
    async with Machine() as machine, AsyncExitStack() as stack:
        sessions = await together(
            machine.serve("alice", "--input", "tone:440", "--output", "null"),
            machine.serve("bob", "--input", "tone:660", "--output", "null"),
            machine.serve("carol", "--input", "silence", "--output", "null"),
        )
        watched = [await stack.enter_async_context(Watched.following(one)) for one in sessions]
        await sessions[1].blink("contacts", "add", "friend", sessions[2].did)
        await watched[1].ask(ReloadContacts())
        company = _Company(machine, *watched)
        await company.meet()
        kinds = [one.kind for one in await company.floods(wanted)]
        for rate in options.rates:
            for kind in kinds:
                await company.part()
                await company.meet()
                (one,) = await company.floods(lambda other, kind=kind: other == kind)  # type: ignore[misc]
                rows.append(await company.suffer(one, rate, options.seconds))
                if not options.json:
                    print(told(rows[-1]), flush=True)
    return rows


HEADINGS = f"{'flood':42} {'at':8} {'a second':>8} {'concealed':>9} {'of a core':>9} {'MB':>6} {'replies':>8} {'rings after':>11}"


def told(row: Row) -> str:
    """A line of the table."""
    rings = "not" if row.rings_after_s is None else f"{row.rings_after_s:.2f} s"
    return (
        f"{row.kind:42} {row.at:8} {row.rate:8} {row.concealed:9.1%} {row.cores:9.0%} {row.grown_mb:6.1f}"
        f" {row.replies:8.2%} {rings:>11}"
    )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench floods", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rates", type=int, nargs="*", default=[5_000, 50_000], metavar="N")
    parser.add_argument("--seconds", type=float, default=4.0, metavar="S")
    parser.add_argument(
        "--only", nargs="*", metavar="WORD", help="kinds that have one of these in their names"
    )
    options = parser.parse_args()
    if not options.json:
        print(HEADINGS)
    rows = asyncio.run(measure(options))
    if options.json:
        document: dict[str, Any] = {"schema": 1, "floods": [asdict(row) for row in rows]}
        print(json.dumps(document, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
