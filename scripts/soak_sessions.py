"""Let sessions live through a random while, and look again and again whether all is as it must be.

    a spell     random commands on random sessions, crashes, freezes, weather, partitions, all from one seed
    a review    the weather clears; whoever shares a call must be connected within 8 s; then all meet in one call, and each
                must hear each; memory, threads and descriptors of every process are held against those of the first review

What a session refuses with a sentence is no failure; one that does not answer, ends by itself or complains is.
"""

import argparse
import asyncio
import itertools
import random
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial

from blink_cli.core.api.events import LinkChanged
from blink_cli.core.api.replies.statistics import Inbound
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import (
    AcceptCall,
    GetPeers,
    LeaveCall,
    PlaceOffer,
    RejectCall,
    SetDeafened,
    SetDevice,
    SetGain,
    SetMuted,
)
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.lab.leftovers import descriptors, resident_bytes, threads
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.requirements import why_no_network_namespaces
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.watching import Watched, whole

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi")
TONES_HZ = (300, 430, 570, 730, 890, 1070, 1270, 1490)

SPELL_S = 20.0
WHOLE_WITHIN_S = 8.0
"""After the weather clears: the rules' longest pause between two attempts, and a set-up."""

SLOW_S = 5.0
"""What took longer is told in detail."""

MEET_WITHIN_S = 10.0
ANSWER_WITHIN_S = 15.0
TALK_S = 2.0
LISTENINGS = 3
"""A machine that others use too may stall for seconds, and is not what is judged; how often it took more than one is told."""

LEAST_LEVEL_DBOV = -50
MAX_CONCEALED = 0.2
"""Of what is heard in fair weather; not a figure of quality, which a machine with twelve sessions cannot give."""

MAX_MORE_BYTES = 40_000_000
MAX_MORE_THREADS = 3
MAX_MORE_DESCRIPTORS = 8


@dataclass(frozen=True, slots=True)
class Holdings:
    """What one process has."""

    resident_bytes: int
    threads: int
    descriptors: int

    @classmethod
    def of(cls, pid: int) -> "Holdings":
        """Look."""
        return cls(resident_bytes(pid), len(threads(pid)), len(descriptors(pid)))


@dataclass(slots=True)
class Inhabitant:
    """One identity, and its present life."""

    name: str
    tone_hz: int
    machine: Machine
    host: Host | None
    session: Session | None = None
    watch: Watched | None = None
    first: Holdings | None = None
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def alive(self) -> "tuple[Session, Watched]":
        """The present life."""
        assert self.session is not None
        assert self.watch is not None
        return self.session, self.watch

    async def begin(self) -> None:
        """Start, or start again."""
        self.session = await self.machine.serve(
            self.name, "--input", f"tone:{self.tone_hz}", "--output", "null"
        )
        self.watch = await self.stack.enter_async_context(Watched.following(self.session))
        self.first = None

    async def cease(self, number: signal.Signals) -> None:
        """End by a signal."""
        session, _ = self.alive
        session.signal(number)
        await self.stack.aclose()
        await session.ended()


class Soak:
    """One run."""

    def __init__(self, seed: int, inhabitants: list[Inhabitant], lab: Laboratory | None) -> None:
        self._random = random.Random(seed)
        self._all = inhabitants
        self._lab = lab
        self._addresses = itertools.count(100)
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.reviews = 0
        self.listened_again = 0
        self.slowest_whole_s = 0.0
        self.slowest_meeting_s = 0.0

    async def run(self, until_s: float) -> None:
        """Spells and reviews, until it is time.

        Raises:
            CommandError, AssertionError: Something broke.

        """
        await self._review()
        while time.monotonic() < until_s:
            await self._spell(min(SPELL_S, max(until_s - time.monotonic(), 1.0)))
            await self._review()
            print(f"  review {self.reviews}: {self.figures}", file=sys.stderr, flush=True)

    @property
    def figures(self) -> str:
        """Where the processes stand."""
        now = [Holdings.of(one.alive[0].pid) for one in self._all]
        return (
            f"{max(h.resident_bytes for h in now) / 1e6:.0f} MB, {max(h.threads for h in now)} threads,"
            f" {max(h.descriptors for h in now)} descriptors at most;"
            f" whole after {self.slowest_whole_s:.2f} s, met in {self.slowest_meeting_s:.2f} s at worst"
        )

    # a spell

    async def _spell(self, duration_s: float) -> None:
        ends_s = time.monotonic() + duration_s
        while time.monotonic() < ends_s:
            one = self._random.choice(self._all)
            deed = self._random.choices(*zip(*self._deeds(), strict=True))[0]
            self.done[deed.__name__.lstrip("_")] += 1
            try:
                await deed(one)
            except BlinkError as refusal:
                self.refused[refusal.code] += 1
            await asyncio.sleep(self._random.expovariate(1 / 0.3))

    def _deeds(self) -> list[tuple[Callable[[Inhabitant], Awaitable[None]], int]]:
        common: list[tuple[Callable[[Inhabitant], Awaitable[None]], int]] = [
            (self._offer, 6),
            (self._accept, 14),
            (self._reject, 2),
            (self._leave, 3),
            (self._show, 6),
            (self._gain, 3),
            (self._device, 3),
            (self._look, 4),
            (self._freeze, 1),
            (self._crash, 1),
            (self._restart, 1),
        ]
        if self._lab is None:
            return common
        return [*common, (self._weather, 4), (self._part, 2), (self._unplug, 2), (self._move, 1)]

    async def _offer(self, one: Inhabitant) -> None:
        others = [other for other in self._all if other is not one]
        chosen = self._random.sample(others, self._random.randint(1, len(others)))
        await self._ask(one, PlaceOffer(peers=tuple(other.alive[1].did for other in chosen)))

    async def _accept(self, one: Inhabitant) -> None:
        await self._ask(one, AcceptCall())

    async def _reject(self, one: Inhabitant) -> None:
        await self._ask(one, RejectCall())

    async def _leave(self, one: Inhabitant) -> None:
        await self._ask(one, LeaveCall())

    async def _show(self, one: Inhabitant) -> None:
        on = self._random.random() < 0.5
        await self._ask(one, SetMuted(muted=on) if self._random.random() < 0.5 else SetDeafened(deafened=on))

    async def _gain(self, one: Inhabitant) -> None:
        other = self._random.choice(self._all)
        await self._ask(one, SetGain(peer=other.alive[1].did, gain_db=self._random.uniform(-20, 6)))

    async def _device(self, one: Inhabitant) -> None:
        device = self._random.choice((f"tone:{one.tone_hz}", "silence", "no such thing"))
        await self._ask(one, SetDevice(direction="input", device=device))

    async def _look(self, one: Inhabitant) -> None:
        await self._ask(one, GetPeers())
        await one.alive[1].statistics()

    async def _freeze(self, one: Inhabitant) -> None:
        one.alive[0].signal(signal.SIGSTOP)
        await asyncio.sleep(self._random.uniform(0.5, 4.0))
        one.alive[0].signal(signal.SIGCONT)

    async def _crash(self, one: Inhabitant) -> None:
        await one.cease(signal.SIGKILL)
        await asyncio.sleep(self._random.uniform(0.0, 3.0))
        await one.begin()

    async def _restart(self, one: Inhabitant) -> None:
        self._check_words(one)
        await one.cease(signal.SIGTERM)
        code = one.alive[0].process.returncode if one.alive[0].process else None
        assert code == 0, one.alive[0].report("did not end well")
        await one.begin()

    async def _weather(self, one: Inhabitant) -> None:
        del one
        assert self._lab is not None
        draw = self._random
        await self._lab.set_conditions(
            Conditions(
                loss=draw.choice((0.0, 0.0, 0.05, 0.25)),
                burst_packets=draw.choice((1.0, 4.0)),
                delay_ms=draw.choice((0.0, 20.0, 120.0)),
                jitter_ms=draw.choice((0.0, 5.0, 30.0)),
                duplication=draw.choice((0.0, 0.02)),
            )
        )

    async def _part(self, one: Inhabitant) -> None:
        assert self._lab is not None
        hosts = [other.host for other in self._all if other.host is not None]
        self._random.shuffle(hosts)
        cut = self._random.randint(1, len(hosts) - 1)
        await self._lab.partition(hosts[:cut], hosts[cut:])
        await asyncio.sleep(self._random.uniform(0.5, 6.0))
        await self._lab.partition()
        del one

    async def _unplug(self, one: Inhabitant) -> None:
        assert self._lab is not None
        assert one.host is not None
        await self._lab.unplug(one.host)
        await asyncio.sleep(self._random.uniform(0.5, 5.0))
        await self._lab.plug_in(one.host)

    async def _move(self, one: Inhabitant) -> None:
        assert self._lab is not None
        assert one.host is not None
        await self._lab.change_address(one.host, f"10.66.0.{100 + next(self._addresses) % 150}")

    async def _ask(self, one: Inhabitant, request: object) -> None:
        session, watch = one.alive
        try:
            await watch.ask(request, timeout_s=ANSWER_WITHIN_S)  # type: ignore[arg-type]
        except TimeoutError:
            raise CommandError(session.report(f"did not answer {request}")) from None

    # a review

    async def _review(self) -> None:
        if self._lab is not None:
            await self._lab.set_conditions(Conditions())
            await self._lab.partition()
        cleared_s = time.monotonic()
        await self._calls_become_whole(cleared_s)
        for one in self._all:
            for request in (LeaveCall(), SetMuted(muted=False), SetDeafened(deafened=False)):
                try:
                    await self._ask(one, request)
                except BlinkError:
                    continue  # in no call
            await self._ask(one, SetDevice(direction="input", device=f"tone:{one.tone_hz}"))
        await self._meet()
        await self._everyone_hears_everyone()
        await self._state_is_shown()
        for one in self._all:
            self._check_words(one)
            self._check_holdings(one)
        self.reviews += 1

    async def _calls_become_whole(self, cleared_s: float) -> None:
        calls: dict[str, list[Watched]] = {}
        for one in self._all:
            status = await one.alive[1].status()
            if status.call is not None:
                calls.setdefault(status.call.id, []).append(one.alive[1])
        for company in calls.values():
            if len(company) > 1:
                took_s = await whole(company, WHOLE_WITHIN_S) - cleared_s
                self.slowest_whole_s = max(self.slowest_whole_s, took_s)
                if took_s > SLOW_S:
                    _tell_links(company, cleared_s)

    async def _meet(self) -> None:
        caller, *others = (one.alive[1] for one in self._all)
        begun_s = time.monotonic()
        await caller.ask(PlaceOffer(peers=tuple(other.did for other in others)))
        await caller.until(lambda: caller.call is not None, ANSWER_WITHIN_S)
        call = caller.call
        await together(
            *(
                other.until(partial(_rings, other, call), MEET_WITHIN_S, "the call ringing")
                for other in others
            )
        )
        await together(*(other.ask(AcceptCall(call=call)) for other in others))
        when_s = await whole((caller, *others), MEET_WITHIN_S)
        self.slowest_meeting_s = max(self.slowest_meeting_s, when_s - begun_s)

    async def _everyone_hears_everyone(self) -> None:
        await asyncio.sleep(1.0)
        for _ in range(LISTENINGS):
            unheard = await self._unheard()
            if not unheard:
                return
            self.listened_again += 1
        raise AssertionError("\n".join(unheard))

    async def _unheard(self) -> list[str]:
        """Who is not heard by whom during the next seconds, and what the figures are."""
        before = [await one.alive[1].statistics() for one in self._all]
        await asyncio.sleep(TALK_S)
        complaints = []
        for one, old in zip(self._all, before, strict=True):
            then = {peer.did: peer.inbound for peer in old.peers}
            statistics = await one.alive[1].statistics()
            now = {peer.did: peer.inbound for peer in statistics.peers}
            for other in self._all:
                did = Did(other.alive[1].did)
                was, is_now = then.get(did), now.get(did)
                if other is not one and not _hears(was, is_now):
                    complaints.append(
                        f"{one.name} does not hear {other.name}: {was} -> {is_now}; {statistics.output},"
                        f" speaker: {other.alive[0].did[-6:]}"
                    )
        return complaints

    async def _state_is_shown(self) -> None:
        statuses: list[Status] = await together(*(one.alive[1].status() for one in self._all))
        for status in statuses:
            assert status.call is not None, status
            assert status.call.state == "in_call", status.call
            assert not any(
                participant.muted or participant.deafened for participant in status.call.participants
            )
            assert len({participant.did for participant in status.call.participants}) == len(self._all)

    def _check_words(self, one: Inhabitant) -> None:
        session, _ = one.alive
        assert session.process is not None
        if session.process.returncode is not None or "Traceback" in session.stderr:
            raise CommandError(session.report("did not live well"))

    def _check_holdings(self, one: Inhabitant) -> None:
        now = Holdings.of(one.alive[0].pid)
        if one.first is None:
            one.first = now
            return
        first = one.first
        assert now.resident_bytes - first.resident_bytes < MAX_MORE_BYTES, (one.name, first, now)
        assert now.threads - first.threads <= MAX_MORE_THREADS, (one.name, first, now)
        assert now.descriptors - first.descriptors <= MAX_MORE_DESCRIPTORS, (
            one.name,
            first,
            now,
            descriptors(one.alive[0].pid),
        )


def _hears(was: Inbound | None, now: Inbound | None) -> bool:
    if was is None or now is None or now.audio_level_dbov is None:
        return False
    played = now.total_samples_received - was.total_samples_received
    return (
        now.packets_received - was.packets_received > 50 * TALK_S * 0.5
        and now.audio_level_dbov > LEAST_LEVEL_DBOV
        and now.concealed_samples - was.concealed_samples <= MAX_CONCEALED * max(played, 1)
    )


def _tell_links(company: list[Watched], cleared_s: float) -> None:
    """Print what happened to the links of a call that took long."""
    names = {watch.did: watch.name for watch in company}
    for watch in company:
        for at_s, event in watch.since(cleared_s - 12, LinkChanged):
            name = names.get(event.did, event.did[-6:])
            print(
                f"    {at_s - cleared_s:+7.2f} {watch.name}: {name} {event.link}", file=sys.stderr, flush=True
            )


async def soak(options: argparse.Namespace) -> int:
    """Run and tell; 0 when nothing broke."""
    begun_s = time.monotonic()
    why_not = "as asked" if options.loopback else why_no_network_namespaces()
    where = "hosts in network namespaces" if why_not is None else f"loopback ({why_not})"
    print(
        f"seed {options.seed}: {options.sessions} sessions on {where}, {options.minutes:g} minutes",
        flush=True,
    )
    async with AsyncExitStack() as stack:
        names = NAMES[: options.sessions]
        lab: Laboratory | None = None
        if why_not is None:
            lab = await stack.enter_async_context(Laboratory(seed=options.seed))
            hosts = await lab.hosts(*names)
            for host in hosts:
                host.machine.interface = None
            places: list[tuple[Machine, Host | None]] = [(host.machine, host) for host in hosts]
        else:
            machine = await stack.enter_async_context(Machine())
            places = [(machine, None)] * len(names)
        inhabitants = [
            Inhabitant(name, tone_hz, *place)
            for name, tone_hz, place in zip(names, TONES_HZ, places, strict=False)
        ]
        for one in inhabitants:
            stack.push_async_callback(one.stack.aclose)
        run = Soak(options.seed, inhabitants, lab)
        broken: Exception | None = None
        try:
            await together(*(one.begin() for one in inhabitants))
            await run.run(begun_s + 60 * options.minutes)
            for one in inhabitants:
                await one.cease(signal.SIGTERM)
                assert one.alive[0].process is not None
                assert one.alive[0].process.returncode == 0, one.alive[0].report("did not end well")
        except (AssertionError, BlinkError, TimeoutError) as failure:
            broken = failure
    deeds = ", ".join(f"{count} {name}" for name, count in sorted(run.done.items()))
    refusals = ", ".join(f"{count} {code}" for code, count in sorted(run.refused.items())) or "none"
    print(f"{time.monotonic() - begun_s:.0f} s, {sum(run.done.values())} deeds: {deeds}")
    print(f"refused with a sentence: {refusals}")
    print(
        f"{run.reviews} reviews: everyone heard everyone; after clearing, calls were whole in {run.slowest_whole_s:.2f} s"
    )
    if broken is not None:
        print(f"BROKEN with --seed {options.seed}: {broken!r}\n{broken}")
        return 1
    print("nothing broke")
    return 0


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, required=True, metavar="N")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), metavar="S")
    parser.add_argument("--sessions", type=int, default=4, choices=range(3, len(NAMES) + 1))
    parser.add_argument("--loopback", action="store_true", help="stay on loopback, in fair weather")
    return asyncio.run(soak(parser.parse_args()))


def _rings(watch: Watched, call: str | None) -> bool:
    return call in watch.ringing


if __name__ == "__main__":
    sys.exit(main())
