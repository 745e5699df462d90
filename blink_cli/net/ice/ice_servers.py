"""Which of the configured STUN and TURN servers a new link uses: the first of each kind that is known to work.

    in the background, for each server     probe --> verdict --> wait: a minute when alive, longer and longer when not
    at a new link                          plan() --> at most one STUN and one TURN server, from the verdicts: no waiting
    doubt(), a changed interface           every server is probed now; who does not confirm comes last meanwhile

aioice asks the first server of each kind only, and waits for it: so whoever is given to it must be alive. Without a
configured server nothing here runs, opens a socket or sends a byte.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import msgspec

from blink_cli.core.api.ice_server import ConfiguredServer, IceServerKind
from blink_cli.net.host.interface_watch import LOOK_EVERY_S, InterfaceWatch
from blink_cli.net.host.interfaces import list_addresses
from blink_cli.net.ice.probe_verdict import PROBE_TIMEOUT_S, ProbeAnswer, ProbeFailure
from blink_cli.net.link_settings import GATHERING_TIMEOUT_S, IceServer
from blink_cli.runtime.tasks import TaskOwner

MAX_GATHERING_S: Final = 2.0
"""No link waits longer for its candidates, however slow its server is known to be."""

SLOWNESS_ALLOWED: Final = 1.5
SLOWNESS_MARGIN_S: Final = 0.05
"""A server gets so many times the time that it needed for its probe, and this much more."""

REPETITION_S: Final = 1.0
"""Long enough for one lost request, which aioice repeats after 0.5 s."""

CONFIRMED_S: Final = 15.0
"""For so long after it answered a doubt, a server is trusted to be alive and only the line to be lossy."""


CHANNEL_DATA_BYTES: Final = 4
"""Before each packet between a client and its relay (RFC 8656, section 12.4)."""


class ProbePace(msgspec.Struct, frozen=True):
    """How often servers are asked. All times in seconds."""

    alive_every_s: float = 60.0
    """An allocation that is made and given back is a few hundred bytes."""

    dead_every_s: tuple[float, ...] = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
    """After one failure, after two, …; the last one from then on."""

    refused_every_s: float = 300.0
    """Wrong credentials do not become right by asking, and some servers lock out who asks too often."""

    interfaces_every_s: float = LOOK_EVERY_S
    """How often the machine's addresses are looked at."""

    doubt_gap_s: float = 1.0
    """Doubts count once in so long."""

    timeout_s: float = PROBE_TIMEOUT_S


class ServerVerdict(msgspec.Struct, frozen=True):
    """What is known of one server."""

    server: ConfiguredServer
    alive: bool | None
    """None before its first probe has ended."""

    in_use: bool
    """Whether a link that is made now uses it."""

    rtt_ms: float | None
    """At its last successful probe."""

    address: tuple[str, int] | None
    """What it gave then: our outside address (STUN) or a relay's (TURN)."""

    error: str | None
    """Why it is not alive, as the end of a sentence."""


class GatheringPlan(msgspec.Struct, frozen=True):
    """What a new link asks for candidates, and how long it waits for them."""

    servers: tuple[IceServer, ...]
    patience_s: float


@dataclass(slots=True)
class _Entry:
    server: ConfiguredServer
    due: asyncio.Event = field(default_factory=asyncio.Event)
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    answer: ProbeAnswer | None = None
    """The last one, kept when the server dies: its figures are still worth reading."""

    failure: ProbeFailure | None = None
    failures: int = 0
    """In a row."""

    doubted: bool = False
    confirmed_s: float = float("-inf")
    """Monotonic time at which it last answered although it was doubted."""

    def patience_s(self, now_s: float) -> float:
        """How long a link waits for what this server gives."""
        needed_s = 0.0 if self.answer is None else SLOWNESS_ALLOWED * self.answer.setup_s + SLOWNESS_MARGIN_S
        if now_s - self.confirmed_s < CONFIRMED_S:
            needed_s += REPETITION_S
        return min(max(needed_s, GATHERING_TIMEOUT_S), MAX_GATHERING_S)

    @property
    def alive(self) -> bool | None:
        if self.failure is not None:
            return False
        return None if self.answer is None else True

    @property
    def rank(self) -> int:
        """Sorts servers into those to use first; 3 is not used."""
        if self.alive is None:
            return 2
        if not self.alive:
            return 3
        return 1 if self.doubted else 0


Listener = Callable[[ConfiguredServer, str | None], None]
"""Told a server and why it cannot be used, or None when it can again. Called on the event loop."""


class IceServers:
    """Probes the configured servers for as long as its context lasts. Belongs to one event loop."""

    def __init__(
        self,
        servers: Sequence[ConfiguredServer] = (),
        *,
        on_change: Listener = lambda _server, _reason: None,
        pace: ProbePace | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Know nothing of the servers yet.

        Args:
            servers: In the order of preference.
            on_change: Told once when a server fails, once for each other reason that it gives, and once when it works again.
            pace: How often they are asked.
            wall_clock: Seconds since 1970, for time-limited credentials.

        """
        self._entries = [_Entry(server) for server in servers]
        self._on_change = on_change
        self._pace = pace or ProbePace()
        self._wall_clock = wall_clock
        self._doubted_s = float("-inf")
        self._addresses: frozenset[str] | None = None
        """This machine's, when it was last looked at."""

        self._tasks = TaskOwner("ice servers")

    async def __aenter__(self) -> Self:
        for entry in self._entries:
            self._tasks.start(self._follow(entry), name=f"probe {entry.server.url}")
        if self._entries:
            watch = InterfaceWatch(
                list_addresses, self._addresses_changed, every_s=self._pace.interfaces_every_s
            )
            self._tasks.start(watch.run(), name="watch interfaces")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop asking. Safe to call twice."""
        await self._tasks.aclose()
        for entry in self._entries:
            entry.settled.set()  # nobody shall wait for what does not come

    # for links

    def plan(self) -> GatheringPlan:
        """Whom a link that is made now asks: of each kind the first that works, else the first that is not known yet.

        Credentials are made for this link, so they are fresh.
        """
        chosen = self._chosen()
        now_s, now_wall_s = time.monotonic(), self._wall_clock()
        return GatheringPlan(
            servers=tuple(_for_link(entry, now_wall_s) for entry in chosen),
            patience_s=max((entry.patience_s(now_s) for entry in chosen), default=GATHERING_TIMEOUT_S),
        )

    def doubt(self) -> None:
        """A link failed, fell silent or missed a candidate: ask every server now, and prefer those that answer."""
        now_s = time.monotonic()
        if now_s - self._doubted_s < self._pace.doubt_gap_s:
            return
        self._doubted_s = now_s
        self._ask_all()

    # for users

    def verdicts(self) -> tuple[ServerVerdict, ...]:
        """What is known of each server, in the configured order."""
        chosen = self._chosen()
        return tuple(
            ServerVerdict(
                server=entry.server,
                alive=entry.alive,
                in_use=entry in chosen,
                rtt_ms=None if entry.answer is None else 1000 * entry.answer.rtt_s,
                address=None if entry.answer is None else entry.answer.address,
                error=None if entry.failure is None else str(entry.failure),
            )
            for entry in self._entries
        )

    async def settled(self) -> None:
        """Wait until each server has a verdict: twice the probe's timeout at most. Cancelling it is safe."""
        for entry in self._entries:
            await entry.settled.wait()

    # inside

    def _chosen(self) -> list[_Entry]:
        kinds: tuple[IceServerKind, ...] = ("stun", "turn")
        chosen = []
        for kind in kinds:
            # `min` takes the first of equals: the user's order.
            best = min(
                (entry for entry in self._entries if entry.server.kind == kind and entry.rank < 3),
                key=lambda entry: entry.rank,
                default=None,
            )
            if best is not None:
                chosen.append(best)
        return chosen

    def _ask_all(self) -> None:
        for entry in self._entries:
            if entry.failure is None or not entry.failure.refused:
                entry.doubted = True
                entry.due.set()

    async def _follow(self, entry: _Entry) -> None:
        from blink_cli.net.ice.ice_probe import probe  # noqa: PLC0415 - aioice: without a server nothing needs it

        while True:
            entry.due.clear()
            before = entry.failure
            try:
                entry.answer = await probe(
                    entry.server, now_wall_s=self._wall_clock(), timeout_s=self._pace.timeout_s
                )
            except ProbeFailure as failure:
                entry.failure = failure
                entry.failures += 1
                if before is None or str(before) != str(failure):
                    self._on_change(entry.server, str(failure))
            else:
                entry.failure = None
                entry.failures = 0
                if entry.doubted and not entry.due.is_set():  # else the doubt is younger than this answer
                    entry.doubted = False
                    entry.confirmed_s = time.monotonic()
                if before is not None:
                    self._on_change(entry.server, None)
            finally:
                entry.settled.set()
            try:
                # Spread, so that a restarted server is not met by everybody at once.
                async with asyncio.timeout(self._pause_s(entry) * random.uniform(0.8, 1.2)):
                    await entry.due.wait()
            except TimeoutError:
                pass

    def _pause_s(self, entry: _Entry) -> float:
        if entry.failure is None:
            return self._pace.alive_every_s
        if entry.failure.refused:
            return self._pace.refused_every_s
        return self._pace.dead_every_s[min(entry.failures, len(self._pace.dead_every_s)) - 1]

    def _addresses_changed(self, addresses: frozenset[str]) -> bool:
        before, self._addresses = self._addresses, addresses
        if before is not None:  # at the start everybody is being asked already
            self._ask_all()
        return True


def _for_link(entry: _Entry, now_wall_s: float) -> IceServer:
    server = entry.server
    username, credential = server.credentials(now_wall_s)
    # By its address, so that no link waits for a name server; but with TLS by its name, which the certificate is for.
    host = server.host if entry.answer is None or server.scheme == "turns" else entry.answer.host
    return IceServer(server.url_at(host), username, credential)
