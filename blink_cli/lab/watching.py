"""A session followed through its control socket: cheaper than a process for each question, and nothing is missed in between.

    async with Watched.following(session) as alice:
        await alice.ask(PlaceOffer(peers=(bob.did,)))
        await alice.until(lambda: alice.hears(bob.did), 10)

What it knows comes from events alone, after the snapshot that they continue: the truth that users are shown.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, Self

from blink_cli.app.control.control_client import ControlClient
from blink_cli.core.api.events import (
    CallJoined,
    CallTerminated,
    Event,
    EventsMissed,
    IncomingCall,
    LinkChanged,
    LinkState,
    ParticipantLeft,
)
from blink_cli.core.api.replies.statistics import RtpStatistics
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetRtpStatistics, GetStatus, R, Request
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.sessions import Session

LOOK_S: Final = 0.05
"""Statistics are looked at so often: no event tells of them."""


class Watched:
    """One session, its links as its events tell them, and when each event came (`time.monotonic`)."""

    def __init__(self, session: Session, client: ControlClient) -> None:
        self.session = session
        self.did = session.did
        self.name = session.profile
        self.events: list[tuple[float, Event]] = []
        self.call: str | None = None
        self.ringing: list[str] = []
        self.links: dict[str, LinkState] = {}
        self._client = client
        self._changed = asyncio.Event()
        self._following: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def following(cls, session: Session) -> AsyncIterator[Self]:
        """Attach, take the snapshot, follow until the end of the context."""
        door = await session.machine.door(session.profile)
        async with await ControlClient.connect(door) as client:
            watched = cls(session, client)
            ready = asyncio.Event()
            watched._following = asyncio.get_running_loop().create_task(
                watched._follow(ready), name=f"follow {session.profile}"
            )
            try:
                async with asyncio.timeout(10):
                    await ready.wait()
                yield watched
            finally:
                watched._following.cancel()
                with suppress(asyncio.CancelledError):
                    await watched._following

    async def ask(self, request: Request[R], *, timeout_s: float = 20.0) -> R:
        """Ask; what the session refuses is raised as it is."""
        async with asyncio.timeout(timeout_s):
            return await self._client.ask(request)

    async def status(self) -> Status:
        """The snapshot now."""
        return await self.ask(GetStatus())

    async def statistics(self) -> RtpStatistics:
        """The figures of the call now."""
        return await self.ask(GetRtpStatistics())

    def connected(self, did: str) -> bool:
        """Whether the link to a peer stands."""
        return self.links.get(did) is LinkState.CONNECTED

    def since(self, from_s: float, kind: type[Event] | Any) -> list[tuple[float, Any]]:
        """The events of a kind that came after a time."""
        return [(at_s, event) for at_s, event in self.events if at_s >= from_s and isinstance(event, kind)]

    async def until(self, holds: Callable[[], bool], timeout_s: float, what: str = "the condition") -> float:
        """Wait until something holds that events decide, and return when."""
        deadline_s = time.monotonic() + timeout_s
        while not holds():
            self._changed.clear()
            left_s = deadline_s - time.monotonic()
            try:
                async with asyncio.timeout(max(left_s, 0)):
                    await self._changed.wait()
            except TimeoutError:
                recent = [
                    f"{at_s - deadline_s + timeout_s:+.2f} {event}" for at_s, event in self.events[-12:]
                ]
                raise CommandError(
                    self.session.report(f"did not see {what} in {timeout_s:g} s; links {self.links}")
                    + "\n  last events:\n    "
                    + "\n    ".join(recent)
                ) from None
        return time.monotonic()

    async def until_connected(self, did: str, timeout_s: float) -> float:
        """Wait until the link to a peer stands, and return when it came to; 0 when it always did."""
        await self.until(lambda: self.connected(did), timeout_s, f"a link to {did[-6:]}")
        return max((at_s for at_s, event in self.since(0, LinkChanged) if event.did == did), default=0.0)

    async def until_linked(self, did: str, state: LinkState, from_s: float, timeout_s: float) -> float:
        """Wait until a link was in a state since a time, be it still or not, and return when it came into it first."""

        def moments() -> list[float]:
            changes = self.since(from_s, LinkChanged)
            return [at_s for at_s, event in changes if event.did == did and event.link is state]

        await self.until(lambda: bool(moments()), timeout_s, f"{did[-6:]} {state}")
        return moments()[0]

    async def until_more_comes_of(self, did: str, packets: int, timeout_s: float) -> float:
        """Wait until so many more packets of a peer have come than now, over this link or the next one; return when."""
        before = await self._packets_of(did)
        deadline_s = time.monotonic() + timeout_s
        while before <= (now := await self._packets_of(did)) < before + packets:
            if time.monotonic() > deadline_s:
                raise CommandError(
                    self.session.report(f"heard {now - before} packets of {did[-6:]} in {timeout_s:g} s")
                )
            await asyncio.sleep(LOOK_S)
        return time.monotonic()

    async def _packets_of(self, did: str) -> int:
        statistics = await self.statistics()
        inbound = next((peer.inbound for peer in statistics.peers if peer.did == did), None)
        return 0 if inbound is None else inbound.packets_received

    async def _follow(self, ready: asyncio.Event) -> None:
        async for event in self._client.events():
            now_s = time.monotonic()
            if isinstance(event, Status):
                self.call = event.call.id if event.call else None
                self.links = {p.did: p.link for p in event.call.participants} if event.call else {}
                self.ringing = [pending.id for pending in event.pending_calls if not pending.rejected]
                ready.set()
            else:
                self.events.append((now_s, event))
                self._learn(event)
            self._changed.set()

    def _learn(self, event: Event) -> None:
        match event:
            case CallJoined(call_id=call):
                self.call, self.links = call, {}
            case CallTerminated(call_id=call) if call == self.call:
                self.call, self.links = None, {}
            case LinkChanged(call_id=call, did=did, link=link) if call == self.call:
                self.links[did] = link
            case ParticipantLeft(did=did):
                self.links[did] = LinkState.ABSENT
            case IncomingCall(call_id=call):
                self.ringing.append(call)
            case EventsMissed(count=count):
                raise AssertionError(f"{self.name}: {count} events were missed, so nothing can be concluded")
            case _:
                pass


async def whole(company: Iterable[Watched], timeout_s: float) -> float:
    """Wait until everyone is connected to everyone, as each of them sees it; return when the last link came to stand."""
    members = list(company)
    times = await asyncio.gather(
        *(
            one.until_connected(other.did, timeout_s)
            for one in members
            for other in members
            if one is not other
        )
    )
    return max(times)


def is_whole(company: Iterable[Watched]) -> bool:
    """Whether everyone is connected to everyone now."""
    members = list(company)
    return all(one.connected(other.did) for one in members for other in members if one is not other)
