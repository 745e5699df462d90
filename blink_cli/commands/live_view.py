"""What a live display shows: the newest snapshot, figures and peers of a session, refreshed in the background."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from blink_cli.commands.event_sentences import Narrator
from blink_cli.core.errors import BlinkError
from blink_cli.core.events import (
    Event,
    ParticipantStateChanged,
    RecordingStarted,
    TalkingStarted,
    TalkingStopped,
)
from blink_cli.core.replies import Peer, Peers, RtpStatistics, Status
from blink_cli.core.requests import GetPeers, GetRtpStatistics, GetStatus
from blink_cli.core.session_port import SessionPort

REFRESH_S: Final = 0.5
"""Figures move no faster than a person reads them, and cost the session a millisecond for each peer; events refresh the rest at once."""

UNTOLD: Final = (TalkingStarted, TalkingStopped)
"""Shown by the panel's marks; as lines they would bury everything else."""

UNTOLD_OF_ONESELF: Final = (ParticipantStateChanged, RecordingStarted)
"""Shown by the panel's head, and said by the answer to the command."""


class LiveView:
    """Looks at a session again and again. Belongs to one event loop; `follow` and `refresh` run in tasks of the owner."""

    def __init__(
        self, session: SessionPort, *, changed: Callable[[], None], tell: Callable[[str], None]
    ) -> None:
        """Look at a session.

        Args:
            session: What is looked at.
            changed: Called when there is something new to show.
            tell: Called with an event's sentence.

        """
        self.status: Status | None = None
        self.statistics: RtpStatistics | None = None
        self.peers: tuple[Peer, ...] = ()
        self._session = session
        self._changed = changed
        self._tell = tell
        self._narrator = Narrator()
        self._due = asyncio.Event()

    async def follow(self) -> None:
        """Tell every event, until the session ends."""
        async with contextlib.aclosing(self._session.events()) as events:
            async for event in events:
                self._hear(event)

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

    def _hear(self, event: Event | Status) -> None:
        if isinstance(event, Status):
            self.status = event
            self._narrator.learn(event)
        else:
            sentence = self._narrator.tell(event)
            if not self._is_shown_elsewhere(event):
                self._tell(sentence)
        self._due.set()

    def _is_shown_elsewhere(self, event: Event) -> bool:
        if isinstance(event, UNTOLD_OF_ONESELF):
            return self.status is not None and event.did == self.status.did
        return isinstance(event, UNTOLD)

    async def _look_at_status(self) -> None:
        status = await self._session.ask(GetStatus())
        if isinstance(status, Status):
            self.status = status
            self._narrator.learn(status)

    async def _look_at_figures(self) -> None:
        peers = await self._session.ask(GetPeers())
        if isinstance(peers, Peers):
            self.peers = peers.peers
        self.statistics = None
        if self.status is not None and self.status.call is not None:
            with contextlib.suppress(BlinkError):  # the call may be over by now
                statistics = await self._session.ask(GetRtpStatistics())
                self.statistics = statistics if isinstance(statistics, RtpStatistics) else None
