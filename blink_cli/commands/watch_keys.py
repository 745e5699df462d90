"""What the keys of `watch` do: each is a request, as a command makes it, and its answer a line of what happened.

key ──> WatchKeys.press ──> what is shown (selected, the lower part, help, the label of a mark)
                      └──> request ──> the session ──> told, and looked at at once
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from blink_cli.api.typed_path import absolute
from blink_cli.commands.live_view import LiveView
from blink_cli.commands.mark_words import mark_sentence
from blink_cli.commands.names_shown import duration_text, volume_words
from blink_cli.commands.watch_screen import Part, Watching
from blink_cli.core.api.replies.calls import Participant
from blink_cli.core.api.requests import (
    AcceptCall,
    Mark,
    RejectCall,
    SetDeafened,
    SetGain,
    SetMuted,
    SetPeerMuted,
    StartRecording,
    StopRecording,
)
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.audio_format import HIGHEST_GAIN_DB, LOWEST_GAIN_DB
from blink_cli.core.errors import BlinkError
from blink_cli.core.identity.shown_name import shown_name
from blink_cli.core.ids import Did
from blink_cli.core.text.path_text import shown
from blink_cli.runtime.tasks import TaskOwner

GAIN_STEP_DB: Final = 1.0
MOST_LABEL_LETTERS: Final = 200
MOST_UNDER_WAY: Final = 16
"""A key that is held down asks no more than that at once."""


@dataclass(slots=True)
class _Wanted:
    """What was asked for, and is not in a snapshot yet: a key is pressed faster than a session is looked at."""

    gains: dict[Did, float] = field(default_factory=dict)
    under_way: int = 0


class WatchKeys:
    """Belongs to one `watch`."""

    def __init__(
        self,
        session: SessionPort,
        view: LiveView,
        tasks: TaskOwner,
        *,
        tell: Callable[[str], None],
        changed: Callable[[], None],
        pictures: Callable[[], None] = lambda: None,
    ) -> None:
        """Take keys.

        Args:
            session: What they are for.
            view: What is known of it; told to look when something was changed.
            tasks: Owns what is asked.
            tell: Called with what became of it.
            changed: Called when something else is to be shown.
            pictures: Called to hide pictures, or to show them again.

        """
        self._pictures = pictures
        self.state = Watching()
        self._session = session
        self._view = view
        self._tasks = tasks
        self._tell = tell
        self._changed = changed
        self._wanted = _Wanted()

    def press(self, key: str) -> bool:
        """Take a key; returns whether it was one of these."""
        if self.state.label is not None:
            self._write(key, self.state.label)
            return True
        if self.state.helps:
            self.state.helps = False  # whatever key it was
            return True
        action = self._actions().get(key)
        if action is None:
            return False
        action()
        return True

    def _actions(self) -> dict[str, Callable[[], None]]:
        return {
            "?": self._help,
            "up": lambda: self._select(-1),
            "k": lambda: self._select(-1),
            "down": lambda: self._select(1),
            "j": lambda: self._select(1),
            "tab": self._other_part,
            "m": self._mute,
            "d": self._deafen,
            "+": lambda: self._gain(GAIN_STEP_DB),
            "=": lambda: self._gain(GAIN_STEP_DB),
            "-": lambda: self._gain(-GAIN_STEP_DB),
            "0": lambda: self._gain(-math.inf),
            "s": self._silence,
            "r": self._record,
            "n": self._begin_label,
            "v": self._pictures,
            "a": lambda: self._answer(AcceptCall, "accepted"),
            "x": lambda: self._answer(RejectCall, "rejected"),
        }

    # what is shown

    def _help(self) -> None:
        self.state.helps = True

    def _select(self, rows: int) -> None:
        people = self._people()
        if not people:
            return
        self.state.selected = self.state.selected_of(people)
        place = next((at for at, one in enumerate(people) if one.did == self.state.selected), 0)
        self.state.selected = people[min(max(place + rows, 0), len(people) - 1)].did

    def _other_part(self) -> None:
        parts = list(Part)
        now = parts.index(self.state.first or parts[0])
        self.state.first = parts[(now + 1) % len(parts)]

    def _begin_label(self) -> None:
        if self._view.is_in_call:
            self.state.label = ""
        else:
            self._tell("there is no call, so there is no moment to mark")

    def _write(self, key: str, label: str) -> None:
        match key:
            case "enter":
                self.state.label = None
                self._ask(self._mark(label))
            case "escape":
                self.state.label = None
            case "backspace":
                self.state.label = label[:-1]
            case _ if len(key) == 1 or key not in _KEY_NAMES:
                typed = "".join(letter for letter in key if letter.isprintable())
                self.state.label = (label + typed)[:MOST_LABEL_LETTERS]
            case _:
                pass

    # what is asked

    def _mute(self) -> None:
        status = self._view.status
        if status is not None:
            self._ask(self._session.ask(SetMuted(muted=not status.muted)))

    def _deafen(self) -> None:
        status = self._view.status
        if status is not None:
            self._ask(self._session.ask(SetDeafened(deafened=not status.deafened)))

    def _gain(self, step_db: float) -> None:
        """Louder or softer by a step; as it comes, for a step without an end."""
        person = self._selected_peer()
        if person is None:
            return
        before_db = self._wanted.gains.get(person.did, person.gain_db)
        gain_db = 0.0 if math.isinf(step_db) else before_db + step_db
        gain_db = min(max(gain_db, LOWEST_GAIN_DB), HIGHEST_GAIN_DB)
        if self._ask(self._set_gain(person, gain_db)):
            self._wanted.gains[person.did] = gain_db

    def _silence(self) -> None:
        person = self._selected_peer()
        if person is not None:
            self._ask(self._session.ask(SetPeerMuted(peer=person.did, muted=not person.muted_here)))

    def _record(self) -> None:
        own = next((one for one in self._people() if one.self), None)
        if own is None:
            self._tell("there is no call, so there is nothing to record")
        elif own.recording:
            self._ask(self._stop_recording())
        else:
            self._ask(self._start_recording())

    def _answer(self, kind: type[AcceptCall] | type[RejectCall], word: str) -> None:
        status = self._view.status
        ringing = [] if status is None else [call for call in status.pending_calls if call.rings]
        if not ringing:
            self._tell("no call rings")
            return
        self._ask(self._answered(kind(call=ringing[0].id), word))

    async def _answered(self, request: AcceptCall | RejectCall, word: str) -> None:
        await self._session.ask(request)
        self._tell(word)

    async def _set_gain(self, person: Participant, gain_db: float) -> None:
        reply = await self._session.ask(SetGain(peer=person.did, gain_db=gain_db))
        name = shown_name(reply.nickname, reply.did)
        self._tell(f"{name}: {volume_words(reply.gain_db, muted_here=reply.muted_here)}")

    async def _start_recording(self) -> None:
        reply = await self._session.ask(StartRecording(folder=absolute(Path())))
        self._tell(f"recording to {shown(reply.path)}")

    async def _stop_recording(self) -> None:
        reply = await self._session.ask(StopRecording())
        for file in reply.files:
            if file.kind != "sidecar":
                self._tell(f"recorded {duration_text(file.duration_s)}: {shown(file.path)}")

    async def _mark(self, label: str) -> None:
        reply = await self._session.ask(Mark(text=label))
        if reply.recording_at_s is not None or reply.rtp_log:
            self._tell(mark_sentence(reply))  # the event alone says that it was marked, and not where

    def _ask(self, request: Awaitable[object]) -> bool:
        """Ask, and tell what goes wrong; returns whether it is asked: not while too much is under way."""
        carrying_out = self._carry_out(request)
        if self._wanted.under_way >= MOST_UNDER_WAY:
            carrying_out.close()
            return False
        self._wanted.under_way += 1
        self._tasks.start(carrying_out, name="key")
        return True

    async def _carry_out(self, request: Awaitable[object]) -> None:
        try:
            await request
        except BlinkError as error:
            self._tell(f"{error.message} {error.hint or ''}".strip())
        finally:
            self._wanted.under_way -= 1
            if not self._wanted.under_way:
                self._wanted.gains.clear()
        self._view.look_now()
        self._changed()

    def _people(self) -> tuple[Participant, ...]:
        status = self._view.status
        return () if status is None or status.call is None else status.call.participants

    def _selected_peer(self) -> Participant | None:
        people = self._people()
        selected = self.state.selected_of(people)
        person = next((one for one in people if one.did == selected), None)
        if person is None or person.self:
            self._tell("select somebody else first: Up and Down" if people else "there is nobody to hear")
            return None
        return person


_KEY_NAMES: Final = frozenset(
    {"up", "down", "left", "right", "page up", "page down", "tab", "shift tab", "c-d"}
)
