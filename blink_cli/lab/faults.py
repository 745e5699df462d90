"""A call of real sessions, each on a host of its own, and what befalls it.

Every session plays a tone of its own and writes what it hears into a WAV file, so that after the call it can be said who
was heard when. A fault is begun, lasts, and is ended; `Recovery` tells how soon it was shown and how soon all was well.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from blink_cli.core.api.events import LeaveReason, LinkState, ParticipantLeft, SessionEnding
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import AcceptCall, LeaveCall, PlaceOffer, SetMuted
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.listening import Clocks, Listener
from blink_cli.lab.network.laboratory import Host, Laboratory
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.session_calls import together
from blink_cli.lab.sessions import Session
from blink_cli.lab.voices import read_mono
from blink_cli.lab.watching import Watched, whole

NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "ken", "laura")
TONES_HZ = (300, 430, 570, 730, 890, 1070, 1270, 1490, 1730, 1990, 2270, 2570)
"""No one's harmonic is near another's tone."""

HEARD_LEVEL = 0.012
"""A tone reaches 0.1 alone, and 0.03 when the limiter makes room for six others; one that is not there stays below 0.003."""

SETTLED_S = 0.3
"""Heard means heard for so long."""

MORE_PACKETS: Final = 15
"""More than what is on its way, or in a socket, when an address goes: 300 ms of voice."""

WHOLE_TIMEOUT_S = 25.0
"""How long to wait before giving up; what is asked is less, and measured."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a fault did to a call. Times in seconds; None where there was nothing of the kind."""

    fault: str
    lost_s: float | None
    """From the fault's begin until the last of those concerned was told."""

    whole_s: float
    """From the fault's end until every pair was connected; 0 when no link was lost."""

    begun_s: float
    ended_s: float
    """By the monotonic clock."""


@dataclass(slots=True)
class Member:
    """One participant."""

    host: Host
    session: Session
    watch: Watched
    tone_hz: int
    heard: Path
    began_s: float
    muted: bool = False

    @property
    def name(self) -> str:
        """Of host and profile."""
        return self.session.profile


class Company:
    """A call of `members`, whole when it is handed out."""

    def __init__(self, lab: Laboratory, stack: AsyncExitStack, folder: Path) -> None:
        self.lab = lab
        self.members: list[Member] = []
        self.call = ""
        self._stack = stack
        self._folder = folder
        self._lives = 0

    @property
    def watches(self) -> list[Watched]:
        """Everyone, as followed."""
        return [member.watch for member in self.members]

    def others(self, victim: Member) -> list[Member]:
        """Everyone but one."""
        return [member for member in self.members if member is not victim]

    async def serve(self, host: Host, tone_hz: int) -> Member:
        """Start a session on a host, on all its addresses, and follow it."""
        self._lives += 1
        heard = self._folder / f"{host.name}-{self._lives}.wav"
        session = await host.machine.serve(
            host.name, "--input", f"tone:{tone_hz}", "--output", f"wav:{heard}"
        )
        watch = await self._stack.enter_async_context(Watched.following(session))
        return Member(host, session, watch, tone_hz, heard, time.monotonic())

    async def meet(self, *, timeout_s: float = WHOLE_TIMEOUT_S) -> float:
        """Let the first one call all others; returns how long it took until everyone was connected to everyone."""
        caller, *invited = self.members
        began_s = time.monotonic()
        await together(
            caller.watch.ask(PlaceOffer(peers=tuple(member.watch.did for member in invited))),
            *(member.watch.ask(AcceptCall(wait_s=timeout_s), timeout_s=2 * timeout_s) for member in invited),
        )
        when_s = await whole(self.watches, timeout_s)
        assert caller.watch.call is not None
        self.call = caller.watch.call
        return when_s - began_s

    async def strike(
        self,
        fault: str,
        victims: Sequence[Member],
        begin: Callable[[], Awaitable[object]],
        end: Callable[[], Awaitable[object]],
        hold_s: float,
        *,
        shown_to: Sequence[tuple[Member, Member]] | None = None,
    ) -> Recovery:
        """Begin a fault, let it last, end it, and wait until the call is whole.

        Args:
            fault: Its name.
            victims: Whom it befalls.
            begin: Makes it.
            end: Unmakes it.
            hold_s: Between the two.
            shown_to: Pairs (who, of whom) that must see a lost link; none when left out.

        """
        pairs = list(shown_to or ())
        begun_s = time.monotonic()
        await begin()
        lost_s = None
        if pairs:
            times = await together(
                *(
                    who.watch.until_linked(whom.watch.did, LinkState.LOST, begun_s, hold_s)
                    for who, whom in pairs
                )
            )
            lost_s = max(times) - begun_s
        await asyncio.sleep(max(begun_s + hold_s - time.monotonic(), 0))
        ended_s = time.monotonic()
        await end()
        for victim in victims:
            if victim.session.process is not None and victim.session.process.returncode is not None:
                raise CommandError(victim.session.report(f"did not live through: {fault}"))
        when_s = await whole(self.watches, WHOLE_TIMEOUT_S)
        return Recovery(fault, lost_s, max(when_s - ended_s, 0.0), begun_s, ended_s)

    # the faults

    async def freeze(self, victim: Member, hold_s: float) -> Recovery:
        """SIGSTOP and SIGCONT."""

        async def send(number: signal.Signals) -> None:
            victim.session.signal(number)

        return await self.strike(
            "freeze",
            [victim],
            lambda: send(signal.SIGSTOP),
            lambda: send(signal.SIGCONT),
            hold_s,
            shown_to=[(other, victim) for other in self.others(victim)],
        )

    async def unplug(self, victim: Member, hold_s: float) -> Recovery:
        """The cable is pulled and put back."""
        others = self.others(victim)
        return await self.strike(
            "unplug",
            [victim],
            lambda: self.lab.unplug(victim.host),
            lambda: self.lab.plug_in(victim.host),
            hold_s,
            shown_to=[(other, victim) for other in others] + [(victim, other) for other in others],
        )

    async def partition(self, hold_s: float) -> Recovery:
        """The network falls into two halves."""
        half = len(self.members) // 2
        left, right = self.members[:half], self.members[half:]
        return await self.strike(
            "partition",
            self.members,
            lambda: self.lab.partition([m.host for m in left], [m.host for m in right]),
            self.lab.partition,
            hold_s,
            shown_to=[(a, b) for a in left for b in right] + [(b, a) for a in left for b in right],
        )

    async def change_address(self, victim: Member, address: str) -> Recovery:
        """A new DHCP lease: over at once, so all that follows is recovery, of each link whose way was by the old address.

        A link by IPv6 may never be lost. So what counts is that the victim's voice goes on everywhere.
        """
        others = self.others(victim)
        begun_s = time.monotonic()
        await self.lab.change_address(victim.host, address)
        times = await together(
            *(
                other.watch.until_more_comes_of(victim.watch.did, MORE_PACKETS, WHOLE_TIMEOUT_S)
                for other in others
            )
        )
        when_s = max(*times, await whole(self.watches, WHOLE_TIMEOUT_S))
        return Recovery("address change", None, when_s - begun_s, begun_s, begun_s)

    async def crash(self, victim: Member) -> tuple[Member, Recovery]:
        """SIGKILL; the same profile starts again, is called back into the call, and accepts.

        Returns:
            The new life in the old one's place, and the recovery, counted from when the new session was ready.

        """
        others = self.others(victim)
        begun_s = time.monotonic()
        victim.session.signal(signal.SIGKILL)
        times = await together(
            *(other.watch.until_linked(victim.watch.did, LinkState.LOST, begun_s, 10.0) for other in others)
        )
        await victim.session.ended()
        restarted = await self.serve(victim.host, victim.tone_hz)
        ended_s = time.monotonic()
        self.members[self.members.index(victim)] = restarted
        await restarted.watch.until(
            lambda: self.call in restarted.watch.ringing, 15.0, "the call ringing again"
        )
        await restarted.watch.ask(AcceptCall(call=self.call))
        when_s = await whole(self.watches, WHOLE_TIMEOUT_S)
        return restarted, Recovery(
            "crash", max(times) - begun_s, max(when_s - ended_s, 0.0), begun_s, ended_s
        )

    async def leave(self, leaver: Member) -> float:
        """One says leave; returns how long it took until all others were told."""
        others = self.others(leaver)
        from_s = time.monotonic()
        await leaver.watch.ask(LeaveCall())
        for other in others:
            await other.watch.until(
                partial(_heard_leave, other.watch, leaver.watch.did, from_s),
                15.0,
                f"that {leaver.name} left",
            )
        self.members.remove(leaver)
        return (
            max(
                at_s
                for other in others
                for at_s, event in other.watch.since(from_s, ParticipantLeft)
                if event.did == leaver.watch.did
            )
            - from_s
        )

    async def listen_after(self, recovery: Recovery) -> None:
        """Let the call go on for so long that what is heard after a fault can be judged later."""
        await asyncio.sleep(max(recovery.ended_s + recovery.whole_s + 2.0 + SETTLED_S - time.monotonic(), 0))

    # judging

    async def mute(self, member: Member) -> None:
        """Mute one for good: nobody is to hear it from now on."""
        await member.watch.ask(SetMuted(muted=True))
        member.muted = True

    async def end(self) -> list["Ears"]:
        """End every session and return what each heard. No session may have crashed or complained."""
        statuses = await together(*(member.watch.status() for member in self.members))
        await together(*(member.session.terminate() for member in self.members))
        for member in self.members:
            assert member.session.process is not None
            if member.session.process.returncode != 0 or "Traceback" in member.session.stderr:
                raise CommandError(member.session.report("did not end well"))
            assert any(isinstance(event, SessionEnding) for _, event in member.watch.events)
        return [
            Ears(member, Listener(_clocks(status), read_mono(member.heard)))
            for member, status in zip(self.members, statuses, strict=True)
        ]


def _clocks(status: Status) -> Clocks:
    clocks = status.clocks
    return Clocks(clocks.monotonic_s, clocks.input_position_s, clocks.output_position_s)


@dataclass(frozen=True, slots=True)
class Ears:
    """What one participant heard during the whole call."""

    member: Member
    listener: Listener

    def levels(self, tone_hz: int, from_s: float, duration_s: float) -> list[tuple[float, float]]:
        """Return how loud a tone was in each tenth of a second: (monotonic time, amplitude)."""
        heard = self.listener.between(from_s, duration_s)
        step = SAMPLE_RATE_HZ // 10
        seconds = np.arange(step) / SAMPLE_RATE_HZ
        carrier = np.exp(-2j * np.pi * tone_hz * seconds) * np.hanning(step)
        return [
            (
                from_s + n * 0.1,
                float(4 * abs(np.mean(heard[n * step : (n + 1) * step] * carrier))),
            )
            for n in range(len(heard) // step)
        ]

    def hears_from(self, tone_hz: int, from_s: float, *, within_s: float) -> float | None:
        """Return how long after a time a tone is heard, and goes on to be; None when it is not, in this time."""
        levels = self.levels(tone_hz, from_s, within_s + SETTLED_S)
        needed = round(SETTLED_S * 10)
        for n in range(len(levels) - needed + 1):
            if all(level >= HEARD_LEVEL for _, level in levels[n : n + needed]):
                return levels[n][0] - from_s
        return None


def unheard_after(recovery: Recovery, ears: Sequence[Ears], *, within_s: float = 2.0) -> list[str]:
    """Return who did not hear whom again within some seconds of the link's return; those who came later are not asked."""
    complaints = []
    for ear in ears:
        for speaker in (other.member for other in ears if other is not ear):
            if speaker.muted or recovery.begun_s < ear.member.began_s:
                continue
            if (
                ear.hears_from(speaker.tone_hz, recovery.ended_s, within_s=recovery.whole_s + within_s)
                is None
            ):
                complaints.append(f"{ear.member.name} does not hear {speaker.name} after {recovery}")
    return complaints


@asynccontextmanager
async def company(lab: Laboratory, size: int, folder: Path) -> AsyncIterator[Company]:
    """Start so many sessions, each on a host of its own, not yet in a call."""
    hosts = await lab.hosts(*NAMES[:size])
    for host in hosts:
        # All addresses, as a user has it: one that is fixed could not change.
        host.machine.interface = None
    async with AsyncExitStack() as stack:
        group = Company(lab, stack, folder)
        group.members = await together(
            *(group.serve(host, tone_hz) for host, tone_hz in zip(hosts, TONES_HZ, strict=False))
        )
        yield group


def _heard_leave(watch: Watched, did: str, from_s: float) -> bool:
    return any(
        event.did == did and event.reason is LeaveReason.LEFT
        for _, event in watch.since(from_s, ParticipantLeft)
    )
