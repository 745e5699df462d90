"""Calls between sessions behind translators (NATs) of each kind, over a line with delay and loss: signals by a NATS server, media by STUN and TURN.

alice -- NAT --.                      .-- NAT -- bob
'-- 40 ms, 2 % lost --'
server (nats-server, coturn) --'            between any two of the three, each way; so the round trip is 80 ms

ringing      from `offer` in alice's session until it rings in bob's
link         from bob's having accepted until both sides' link stands
sound        from bob's having accepted until the first audible sample of alice's tone in bob's file
moved        with `--move`: from bob's or alice's coming to another network, by turns, until both sides' link stands again
"""

import argparse
import asyncio
import functools
import itertools
import json
import os
import secrets
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benches.setup import AUDIBLE, first_sound, plays_for_a_second
from blink_cli.app.profile.profile import find_profile
from blink_cli.broker.broker_folder import make_broker_folder
from blink_cli.core.api.ice_server import ConfiguredServer
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.listening import Listener
from blink_cli.lab.nats_server import NatsServer
from blink_cli.lab.network.internet import Internet
from blink_cli.lab.network.nat import NAT_KINDS
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.session_calls import together
from blink_cli.lab.session_events import Events, moment
from blink_cli.lab.sessions import Session
from blink_cli.lab.turn_server import Certificate, TurnServer

ANSWERS_AFTER_S = 1.0
"""So long it rings: nobody is faster, and both ask their servers meanwhile. A machine is (`--answers-after 0`)."""

CONNECT_S = 12.0
"""A call that has no link by then has failed."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is done to each pair of kinds."""

    conditions: Conditions
    calls: int
    seed: int
    turn: str
    """How the relay is reached: `udp`, `tcp` or `tls`."""

    answers_after_s: float
    moves: bool
    """Whether somebody goes to another network in each call."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of one call that connected."""

    ringing_ms: float
    link_ms: float
    sound_ms: float
    moved_ms: float | None
    path: str


async def one_call(
    alice: Session,
    bob: Session,
    heard: Path,
    answers_after_s: float,
    move: Callable[[], Awaitable[object]] | None,
) -> Measured:
    """Make a call and hang up; in between, let somebody go to another network."""
    await bob.ask("set-output", f"wav:{heard}")
    async with await alice.events() as hers, await bob.events() as his:
        call = (await alice.ask("offer", bob.did))["call"]
        offered = moment(await hers.next("call_joined", call_id=call))
        rings = moment(await his.next("incoming_call", call_id=call, timeout_s=CONNECT_S))
        await asyncio.sleep(answers_after_s)
        await bob.blink("accept", call)
        accepted = moment(await his.next("call_joined", call_id=call))
        linked = await together(
            *(told.next("link_changed", link="connected", timeout_s=CONNECT_S) for told in (hers, his))
        )
        stands = max(map(moment, linked))
        listener = await _listener(bob, heard)
        (peer,) = (await alice.ask("rtp-stats"))["peers"]
        moved_s = None if move is None else await _until_linked_again(move, hers, his)
        await alice.blink("leave")
        await his.next("call_terminated", call_id=call)
        await bob.ask("set-output", "null")
    sound = first_sound(listener, rings)
    return Measured(
        ringing_ms=1000 * (rings - offered).total_seconds(),
        link_ms=1000 * (stands - accepted).total_seconds(),
        sound_ms=1000 * (sound - accepted).total_seconds(),
        moved_ms=None if moved_s is None else 1000 * moved_s,
        path=peer["path"]["type"],
    )


async def _listener(bob: Session, heard: Path) -> Listener:
    """What bob has heard when there is something to be heard; a slow call stands when his output has played silence for long."""
    until_s = time.monotonic() + CONNECT_S
    while time.monotonic() < until_s:
        status = await bob.until("status", plays_for_a_second, what="sound from alice")
        listener = Listener.of(status, heard)
        if np.abs(listener.heard).max(initial=0.0) > AUDIBLE:
            return listener
    raise CommandError(f"nothing was heard of alice in {CONNECT_S:g} s")


async def _until_linked_again(move: Callable[[], Awaitable[object]], hers: Events, his: Events) -> float:
    before = datetime.now(UTC)
    await move()
    linked = await together(
        *(told.next("link_changed", link="connected", timeout_s=CONNECT_S) for told in (hers, his))
    )
    return (max(map(moment, linked)) - before).total_seconds()


async def calls_between(kinds: tuple[str, str], trial: Trial) -> tuple[list[Measured], list[str]]:
    """Make so many calls between hosts behind translators of two kinds. Returns those that connected, and why the others did not."""
    with tempfile.TemporaryDirectory(prefix="blink-nat-") as folder:
        async with Internet(seed=trial.seed) as internet:
            server, *hosts = await internet.hosts("server", "alice", "bob")
            for host, kind in zip(hosts, kinds, strict=True):
                await internet.put_behind_nat(host, NAT_KINDS[kind])
            await internet.set_conditions(trial.conditions)
            with (
                NatsServer(Path(folder), host=server) as nats,
                TurnServer(
                    secret=secrets.token_hex(8),
                    host=server,
                    certificate=_trusted(Path(folder), server.address),
                ) as coturn,
            ):
                relay = coturn.server("turns") if trial.turn == "tls" else coturn.server(transport=trial.turn)
                stun = coturn.server("stun")
                alice, bob = await together(*(_session(host, nats, stun, relay) for host in hosts))
                for one, other in ((alice, bob), (bob, alice)):
                    await one.ask("contacts", "add", other.profile, other.did)
                await alice.until("peers", _sees_somebody, what="bob")
                await together(*(one.ask("ice-servers") for one in (alice, bob)))
                connected, failures = [], []
                for number in range(trial.calls):
                    mover, behaviour = hosts[number % 2], NAT_KINDS[kinds[number % 2]]
                    move = (
                        functools.partial(internet.move_behind_nat, mover, behaviour) if trial.moves else None
                    )
                    heard = Path(folder, f"heard-{number}.wav")
                    try:
                        connected.append(await one_call(alice, bob, heard, trial.answers_after_s, move))
                    except CommandError as failure:
                        failures.append(str(failure))
                        await together(*(one.blink("leave", expect=None) for one in (alice, bob)))
                return connected, failures


def _trusted(folder: Path, address: str) -> Certificate:
    """A certificate for the server, which every session takes for one of the system's."""
    made = make_broker_folder(folder / "certificate", [address], port=443).path
    os.environ["SSL_CERT_FILE"] = str(made / "certificate.pem")
    return Certificate(made / "certificate.pem", made / "key.pem")


async def _session(host: Any, nats: NatsServer, stun: ConfiguredServer, turn: ConfiguredServer) -> Session:
    settings = find_profile(host.name, host.machine.data_directory(host.name)).settings_path
    settings.parent.mkdir(parents=True)
    settings.write_text(
        f'[[ice_servers]]\nurl = "{stun.url}"\n'
        f'[[ice_servers]]\nurl = "{turn.url}"\nusername = "{turn.username}"\nsecret = "{turn.secret}"\n'
    )
    session: Session = await host.machine.serve(
        host.name, "--signal", nats.url, "--no-multicast", "--input", "tone:440", "--output", "null"
    )
    return session


def _sees_somebody(peers: Any) -> bool:
    return any(peer["alive"] for peer in peers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, or with `--json` one document."""
    parser = argparse.ArgumentParser(prog="scripts/bench nat", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=20, help="of each pair of kinds (default 20)")
    parser.add_argument("--pair", nargs=2, choices=NAT_KINDS, help="these two kinds alone, alice's first")
    parser.add_argument("--delay-ms", type=float, default=40.0, help="each way between any two (default 40)")
    parser.add_argument("--loss", type=float, default=0.02, help="0 to 1 (default 0.02)")
    parser.add_argument(
        "--turn", choices=("udp", "tcp", "tls"), default="udp", help="how the relay is reached"
    )
    parser.add_argument("--answers-after", type=float, metavar="S", default=ANSWERS_AFTER_S)
    parser.add_argument("--move", action="store_true", help="in each call somebody goes to another network")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    pairs = [tuple(options.pair)] if options.pair else itertools.combinations_with_replacement(NAT_KINDS, 2)
    trial = Trial(
        Conditions(delay_ms=options.delay_ms, loss=options.loss),
        calls=options.calls,
        seed=options.seed,
        turn=options.turn,
        answers_after_s=options.answers_after,
        moves=options.move,
    )
    if not options.json:
        print(
            f"{'alice, bob':32}{'connected':>10}{'ringing':>14}{'link':>14}{'sound':>14}{'moved':>14}  path"
        )
    document = []
    for kinds in pairs:
        connected, failures = asyncio.run(calls_between(kinds, trial))
        document.append({"kinds": kinds, "calls": [asdict(call) for call in connected], "failures": failures})
        if not options.json:
            print(_row(kinds, connected, options.calls), flush=True)
            for failure in failures:
                print(f"  {failure}")
    if options.json:
        print(json.dumps({"schema": 1, "bench": "nat", "seed": options.seed, "pairs": document}))
    return ExitCode.DONE


def _row(kinds: tuple[str, ...], connected: Sequence[Measured], calls: int) -> str:
    moved_ms = [call.moved_ms for call in connected if call.moved_ms is not None]
    columns = "".join(
        f"{statistics.median(values):8.0f} ≤{max(values):5.0f}" if values else f"{'':14}"
        for values in (
            *zip(*((c.ringing_ms, c.link_ms, c.sound_ms) for c in connected), strict=True),
            moved_ms,
        )
    )
    paths = Counter(call.path for call in connected)
    told = ", ".join(f"{path} {count}" for path, count in paths.most_common())
    return f"{', '.join(kinds):32}{f'{len(connected)}/{calls}':>10}{columns}  {told}"


if __name__ == "__main__":
    sys.exit(main())
