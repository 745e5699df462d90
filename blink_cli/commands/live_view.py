"""What a live display shows: the newest snapshot, figures and peers of a session, refreshed in the background."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from blink_cli.commands.call_history import CallHistory
from blink_cli.commands.call_readings import NOTHING_READ, CallFigures, CallReadings
from blink_cli.commands.event_sentences import Narrator, happened_at
from blink_cli.core.api.events import (
    Automuted,
    AutomuteEnded,
    Event,
    ParticipantStateChanged,
    PeerAppeared,
    PeerVanished,
    RecordingStarted,
    TalkingStarted,
    TalkingStopped,
    TalkingWhileMuted,
    VideoChanged,
)
from blink_cli.core.api.replies.peers import Peer
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetLevels, GetMesh, GetPeers, GetRtpStatistics, GetStatus
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError, StateError
from blink_cli.core.ids import Did

LEVELS_S: Final = 0.15
"""Bars that are drawn six or seven times a second move; more is hardly seen, and costs as much again."""

REFRESH_S: Final = 0.5
"""Figures move no faster than a person reads them, and cost the session a millisecond for each peer; events refresh the rest at once."""

NAMES_LOOKS: Final = 6
"""Looks at who is here, until everybody has a name: a name comes with the first presence, within a second or two."""

UNTOLD: Final = (TalkingStarted, TalkingStopped, Automuted, AutomuteEnded)
"""Shown by the panel's marks; as lines they would bury everything else."""

UNTOLD_OF_ONESELF: Final = (ParticipantStateChanged, RecordingStarted, VideoChanged)
"""Shown by the panel's head, and said by the answer to the command."""


class LiveView:
    """Looks at a session again and again. Belongs to one event loop; `follow` and `refresh` run in tasks of the owner."""

    def __init__(
        self,
        session: SessionPort,
        *,
        changed: Callable[[], None],
        tell: Callable[[str, datetime | None], None],
        answered: Callable[[Event], bool] = lambda _: False,
        with_mesh: bool = False,
        levels_every_s: float = LEVELS_S,
    ) -> None:
        """Look at a session.

        Args:
            session: What is looked at.
            changed: Called when there is something new to show.
            tell: Called with an event's sentence, and with its time where it happened before this view began.
            answered: Whether an event only says again what a command's answer has said.
            with_mesh: Whether to ask too who has a link to whom.
            levels_every_s: How often `follow_levels` looks, in a call.

        """
        self.status: Status | None = None
        self.readings = NOTHING_READ
        self.peers: tuple[Peer, ...] = ()
        self._session = session
        self._changed = changed
        self._tell = tell
        self._narrator = Narrator()
        self._history = CallHistory()
        self._answered = answered
        self._with_mesh = with_mesh
        self._levels_every_s = levels_every_s
        self._here: set[Did] = set()
        """Peers that were told to be here."""
        self._hinted = False
        """Whether who is muted was told that he talks: once for each mute, since he may talk to somebody in his room."""
        self._due = asyncio.Event()

    async def follow(self) -> None:
        """Tell every event, until the session ends."""
        async with contextlib.aclosing(self._session.events()) as events:
            async for event in events:
                self._hear(event)

    async def tell_who_is_here(self) -> None:
        """Tell the peers that were found before `follow` began: their events are over.

        Who is heard, but has not said its name yet, is told with the name, or without one in the end.
        """
        with contextlib.suppress(BlinkError):  # the session has ended; whoever shows this view hears that too
            for look in range(NAMES_LOOKS, 0, -1):
                found = await self._session.ask(GetPeers())
                here = [peer for peer in found.peers if peer.alive]
                for peer in here:
                    if peer.nickname or look == 1:
                        self._hear(PeerAppeared(did=peer.did, nickname=peer.nickname))
                if all(peer.did in self._here for peer in here):
                    return
                await asyncio.sleep(REFRESH_S)

    async def refresh(self) -> None:
        """Keep the view new, until the session ends."""
        loop = asyncio.get_running_loop()
        figures_due_s = loop.time()
        try:
            while True:
                await self._look_at_status()
                if loop.time() >= figures_due_s:
                    figures_due_s = loop.time() + REFRESH_S
                    await self._look_at_figures()
                self._changed()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(figures_due_s):
                        await self._due.wait()
                self._due.clear()
        except BlinkError:
            return  # the session has ended; whoever shows this view hears that too

    async def follow_levels(self) -> None:
        """Keep the levels new while there is a call, until the session ends."""
        while True:
            await asyncio.sleep(self._levels_every_s if self.is_in_call else REFRESH_S)
            if not self.is_in_call:
                continue
            try:
                levels = await self._session.ask(GetLevels())
            except StateError:
                continue  # the call is over by now
            except BlinkError:
                return  # as in `refresh`
            told = {level.did: level for level in levels.levels}
            if told != self.readings.levels:
                self.readings = replace(self.readings, levels=told)
                self._changed()

    @property
    def is_in_call(self) -> bool:
        """Whether there is something to measure."""
        return self.status is not None and self.status.call is not None

    def look_now(self) -> None:
        """Look at once: something was just changed."""
        self._due.set()

    def _hear(self, event: Event | Status) -> None:
        if isinstance(event, Status):
            self.status = event
            self._narrator.learn(event)
        else:
            sentence = self._narrator.tell(event)
            told = isinstance(event, PeerAppeared) and event.did in self._here
            self._note_who_is_here(event)
            if sentence is not None and not told and not self._is_shown_elsewhere(event):
                self._tell(sentence, happened_at(event))
        self._due.set()

    def _note_who_is_here(self, event: Event) -> None:
        match event:
            case PeerAppeared(did=did):
                self._here.add(did)
            case PeerVanished(did=did):
                self._here.discard(did)
            case _:
                pass

    def _is_shown_elsewhere(self, event: Event) -> bool:
        if self._answered(event):
            return True
        if isinstance(event, TalkingWhileMuted):
            hinted, self._hinted = self._hinted, True
            return hinted
        if isinstance(event, UNTOLD_OF_ONESELF):
            is_own = self.status is not None and event.did == self.status.did
            self._hinted &= not is_own
            return is_own
        return isinstance(event, UNTOLD)

    async def _look_at_status(self) -> None:
        self.status = await self._session.ask(GetStatus())
        self._narrator.learn(self.status)

    async def _look_at_figures(self) -> None:
        self.peers = (await self._session.ask(GetPeers())).peers
        readings = NOTHING_READ
        if self.is_in_call:
            with contextlib.suppress(BlinkError):  # the call may be over by now
                statistics = await self._session.ask(GetRtpStatistics())
                self._history.take(statistics, asyncio.get_running_loop().time())
                mesh = await self._session.ask(GetMesh()) if self._with_mesh else None
                # What `follow_levels` found meanwhile stays.
                readings = CallReadings(
                    CallFigures(statistics, self._history.trends, mesh), self.readings.levels
                )
        if readings is NOTHING_READ:
            self._history.take(None, 0.0)
        self.readings = readings
