"""Runs a case in virtual time. The same case gives the same sound and figures, to the bit, on one machine and one libopus.

What is not simulated is signalling: who joins has its links after `LINK_UP_S`, as on a quiet network, whatever the lines are like. The real engine
tells how long that takes.
"""

import heapq
import itertools
import math
import random
from collections.abc import Callable
from typing import Final

import numpy as np

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.core.media.video.video_format import VideoSources
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.case import Action, Case, LineChange
from blink_cli.lab.scenario.device_phases import LINK_UP_S, device_phases
from blink_cli.lab.scenario.microphone import heard_by_microphones
from blink_cli.lab.scenario.observation import (
    KeptRecording,
    Observation,
    PairObservation,
    Span,
    killed_while_recording,
)
from blink_cli.lab.scenario.placed_sound import laid
from blink_cli.lab.virtual.line import VirtualLine
from blink_cli.lab.virtual.recording import VirtualRecording
from blink_cli.lab.virtual.session import VirtualSession
from blink_cli.lab.virtual.session_pictures import PictureLink, SessionPictures, check_camera

LOSS_NOTICED_S: Final = 3.0
"""After so long a peer that is gone without a word is given up (docs/call.md)."""

RESTART_S: Final = 1.0
"""A session that is started again is in its call after so long, and its links stand `LINK_UP_S` later."""

TAIL_S: Final = 1.0
"""Behind the end: what is under way is heard too."""

WANTED_EVERY_S: Final = 0.1
"""Of virtual time."""

Pair = tuple[str, str]


def run_virtual(case: Case, *, wanted: Callable[[], None] = lambda: None) -> Observation:
    """Run it. Takes a processor for some seconds; reads sound files, and writes a recording into a temporary folder if somebody makes one.

    Args:
        case: What is run.
        wanted: Called many times a second; what it raises ends the run.

    Raises:
        UsageError: A sound file cannot be read, a camera is a real one, or pictures would be recorded.
        DeviceError: There is no libopus, or the file of a camera cannot be read.

    """
    return _Engine(case).run(wanted)


class _Engine:
    def __init__(self, case: Case) -> None:
        self._case = case
        self._planned = heard_by_microphones(case)
        self._people = {person.name: person for person in case.people}
        self._sessions: dict[str, VirtualSession] = {}
        """Those that run."""

        self._all: dict[str, list[VirtualSession]] = {name: [] for name in self._people}
        self._in_call: list[str] = []
        self._pairs = {pair: PairObservation(*pair, heard=np.zeros(0, np.float32)) for pair in case.pairs}
        self._lines = {pair: VirtualLine(case.seed, seen) for pair, seen in self._pairs.items()}
        self._up_since: dict[Pair, float] = {}
        self._muted_since: dict[str, float] = {}
        self._silenced: dict[str, list[Span]] = {name: [] for name in self._people}
        self._queue: list[tuple[float, int, object]] = []
        self._order = itertools.count()
        self._asks: dict[VirtualSession, float] = {}
        self._answers: dict[VirtualSession, float] = {}
        """When a session asks, or is asked, before its next tick."""

        self._looks: dict[VirtualSession, float] = {}
        """When a session has something to do for pictures."""

        self._shows = any(case.shows(name) for name in self._people)
        self._showing_since: dict[str, float] = {}
        self._cameras: dict[str, list[Span]] = {name: [] for name in self._people}
        self._notes: list[str] = []
        self._recordings: dict[str, list[KeptRecording]] = {name: [] for name in self._people}

    def run(self, wanted: Callable[[], None]) -> Observation:
        case = self._case
        for name in self._people:
            for camera in case.cameras_of(name):
                check_camera(name, camera)
        end_s = case.duration_s + TAIL_S
        for change in case.lines:
            self._at(change.at_s, change)
        for action in case.actions:
            self._at(action.at_s, action)
        now_s = asked_at = 0.0
        while self._queue and self._queue[0][0] < end_s:
            at_s, _, what = heapq.heappop(self._queue)
            now_s = max(now_s, at_s)
            if now_s - asked_at >= WANTED_EVERY_S:
                asked_at = now_s
                wanted()
            self._do(what, now_s, at_s)
            if self._shows:
                self._look_in_time(what, now_s)
        return self._observation(end_s)

    def _at(self, at_s: float, what: object) -> None:
        heapq.heappush(self._queue, (at_s, next(self._order), what))

    def _do(self, what: object, now_s: float, at_s: float) -> None:
        match what:
            case LineChange(speaker=speaker, listener=listener, conditions=conditions):
                self._lines[speaker, listener].change(conditions, now_s)
            case Action():
                self._act(what, now_s)
            case ("up", str() as one, str() as other):
                self._link_up(one, other, now_s)
            case ("lost", str() as gone):
                if gone not in self._in_call:
                    self._hang_up(gone, now_s)
            case ("in call", str() as name):
                self._enter(name, now_s, now_s - RESTART_S)
            case (str() as turn, VirtualSession() as session):
                if self._runs(session):
                    self._take_turn(turn, session, now_s, at_s)

    def _take_turn(self, turn: str, session: VirtualSession, now_s: float, at_s: float) -> None:
        match turn:
            # One from before a stop, or of an earlier microphone, is of no use any more.
            case "capture" if at_s == session.next_capture_at:
                session.capture(now_s)
                self._at(session.next_capture_at, (turn, session))
            case "tick" if at_s == session.next_tick_at:
                session.tick(now_s, at_s)
                self._at(session.next_tick_at, (turn, session))
                self._ask_in_time(session)
            case "ask" if at_s == self._asks.pop(session, None):
                session.ask(now_s)
                self._ask_in_time(session)
                for asked in self._sessions.values():
                    self._answer_in_time(asked)
            case "look" if at_s == self._looks.get(session):
                del self._looks[session]
                session.look(now_s)
            case "answer" if at_s == self._answers.pop(session, None):
                session.answer(now_s)
                self._answer_in_time(session)

    def _ask_in_time(self, session: VirtualSession) -> None:
        """A session's tick sees what came; what is missing is asked for between two of them."""
        at_s = session.asks_at
        if at_s < min(session.next_tick_at, self._asks.get(session, math.inf)):
            self._asks[session] = at_s
            self._at(at_s, ("ask", session))

    def _answer_in_time(self, session: VirtualSession) -> None:
        if not session.is_linked or not self._runs(session):
            return
        at_s = session.is_asked_at
        if at_s < min(session.next_tick_at, self._answers.get(session, math.inf)):
            self._answers[session] = at_s
            self._at(at_s, ("answer", session))

    def _look_in_time(self, done: object, now_s: float) -> None:
        """What was done just now may let something come, leave or be shown sooner: by who did it, and by those to whom it sent something."""
        match done:
            case (str(), VirtualSession() as session):
                if session.pictures is not None and self._runs(session):
                    self._look_at(session, session.pictures.next_at(now_s), now_s)
                for name, other in self._sessions.items():
                    if other is not session and other.is_linked and self._runs(other):
                        line = self._lines[session.person.name, name]
                        self._look_at(other, min(line.pictures_due_at, line.report_due_at), now_s)
            case _:
                for session in self._sessions.values():
                    if session.pictures is not None and self._runs(session):
                        self._look_at(session, session.pictures.next_at(now_s), now_s)

    def _look_at(self, session: VirtualSession, at_s: float, now_s: float) -> None:
        at_s = max(at_s, now_s)
        known_s = self._looks.get(session, -math.inf)
        # One from before a stop was not seen to.
        if at_s < math.inf and (known_s < now_s or at_s < known_s):
            self._looks[session] = at_s
            self._at(at_s, ("look", session))

    def _runs(self, session: VirtualSession) -> bool:
        return session.stopped_at is None and self._sessions.get(session.person.name) is session

    # steps

    def _act(self, action: Action, now_s: float) -> None:
        name = action.who
        session = self._sessions.get(name)
        match action.do:
            case "join" if session is None:
                self._enter(name, now_s, now_s)
            case "set-input" if session is not None and session.is_linked:
                session.set_microphone(self._planned_from(name, now_s), now_s)
                if session.stopped_at is None:
                    self._at(session.next_capture_at, ("capture", session))
            case "restart" if session is None:
                self._at(now_s + RESTART_S, ("in call", name))
            case "leave" if session is not None:
                self._stop_recording(session, now_s)
                self._go(name, now_s)
                self._hang_up(name, now_s)
            case "kill" if session is not None:
                self._lose_recording(session)
                self._go(name, now_s)
                self._at(now_s + LOSS_NOTICED_S, ("lost", name))
            case "mute" if name not in self._muted_since:
                self._muted_since[name] = now_s
                self._obey_mute(name, now_s)
            case "unmute" if name in self._muted_since:
                self._silenced[name].append((self._muted_since.pop(name), now_s))
                self._obey_mute(name, now_s)
            case "stop" if session is not None and session.stopped_at is None:
                session.stop(now_s)
            case "continue" if session is not None and session.stopped_at is not None:
                session.go_on(now_s)
                self._start_devices(session)
            case "record" | "stop-recording" if session is not None:
                self._obey_recorder(session, now_s, records=action.do == "record")
            case "camera-on" | "camera-off" | "set-camera" if session is not None:
                self._obey_camera(session, action, now_s)
            case "speak":
                pass  # what its microphone hears is known beforehand
            case _:
                self._notes.append(f"At {now_s:g} s {name} could not {action.do}.")

    def _obey_mute(self, name: str, now_s: float) -> None:
        session = self._sessions.get(name)
        if session is None:
            return
        muted = session.pipeline.muted = name in self._muted_since
        for other in self._sessions.values():
            if other.recording is not None:
                other.recording.set_muted(name, muted=muted, now_s=now_s)

    # cameras

    def _obey_camera(self, session: VirtualSession, action: Action, now_s: float) -> None:
        pictures, name = session.pictures, action.who
        if pictures is None:
            return  # nobody ever shows anything
        match action.do:
            case "camera-on":
                pictures.turn_on(now_s)
                self._showing_since.setdefault(name, now_s)
            case "camera-off":
                pictures.turn_off()
                self._camera_ended(name, now_s)
            case _:
                pictures.use(action.camera, now_s)

    def _end_cameras(self, end_s: float) -> None:
        for session in self._sessions.values():
            if session.pictures is not None:
                session.pictures.turn_off()
        for name in list(self._showing_since):
            self._camera_ended(name, end_s)

    def _camera_ended(self, name: str, now_s: float) -> None:
        since_s = self._showing_since.pop(name, None)
        if since_s is not None:
            self._cameras[name].append((since_s, now_s))

    # recordings

    def _obey_recorder(self, session: VirtualSession, now_s: float, *, records: bool) -> None:
        if records and session.recording is None:
            if self._showing_since:
                raise UsageError(
                    "A recording begins while somebody shows pictures, and recordings in virtual time have none.",
                    hint="Run it with `--engine real`, or let it begin before the first `camera-on`: it is of voices then, as in a session.",
                )
            own = session.person
            there = [own.name, *(peer for peer, voice in session.voices.items() if voice.link is not None)]
            session.recording = VirtualRecording(
                self._case, own, {name: name in self._muted_since for name in there}, now_s
            )
        elif not records:
            self._stop_recording(session, now_s)

    def _stop_recording(self, session: VirtualSession, now_s: float) -> None:
        recording, session.recording = session.recording, None
        if recording is not None:
            self._recordings[session.person.name] += recording.finish(now_s)

    def _lose_recording(self, session: VirtualSession) -> None:
        recording, session.recording = session.recording, None
        if recording is not None:
            recording.lose()
            self._notes.append(killed_while_recording(session.person.name))

    # who is in the call

    def _planned_from(self, name: str, from_s: float) -> Samples:
        return self._planned[name][round(from_s * SAMPLE_RATE_HZ) :]

    def _enter(self, name: str, now_s: float, from_s: float) -> None:
        """Let somebody join whose microphone is to hear what is planned from a second on."""
        lives = len(self._all[name])
        rng = random.Random(f"{self._case.seed}/{name}/{lives}")
        session = VirtualSession(
            self._people[name],
            self._planned_from(name, from_s),
            device_phases(self._case.seed, name),
            rng,
            first_timestamp=rng.randrange(1 << 32),
            pictures=self._pictures(name, lives) if self._shows else None,
        )
        self._sessions[name] = session
        self._all[name].append(session)
        self._obey_mute(name, now_s)
        for other in self._in_call:
            self._at(now_s + LINK_UP_S, ("up", name, other))
        self._in_call.append(name)

    def _pictures(self, name: str, lives: int) -> SessionPictures:
        rng = random.Random(f"{self._case.seed}/{name}/{lives}/pictures")
        return SessionPictures(name, self._people[name].camera, rng)

    def _go(self, name: str, now_s: float) -> None:
        pictures = self._sessions.pop(name).pictures
        if pictures is not None:
            pictures.turn_off()
            self._camera_ended(name, now_s)
        self._in_call.remove(name)
        for pair in list(self._up_since):
            if name in pair:
                self._pairs[pair].connected.append((self._up_since.pop(pair), now_s))

    def _hang_up(self, name: str, now_s: float) -> None:
        for other, session in self._sessions.items():
            if other != name:
                session.link_down(name, now_s)
        for pair, line in self._lines.items():
            if name in pair:
                line.lose_all()

    def _link_up(self, one: str, other: str, now_s: float) -> None:
        if one not in self._in_call or other not in self._in_call or (one, other) in self._up_since:
            return
        for own, peer in ((one, other), (other, one)):
            session = self._sessions[own]
            line, back = self._lines[own, peer], self._lines[peer, own]
            back.lose_all()
            begins = not session.is_linked
            session.link_up(peer, line, back, self._pairs[peer, own], now_s)
            self._up_since[peer, own] = now_s
            if begins:
                self._start_devices(session)
        if self._shows:
            self._pictures_up(one, other, now_s)

    def _pictures_up(self, one: str, other: str, now_s: float) -> None:
        rng = random.Random(f"{self._case.seed}/{one}/{other}/{now_s}/sources")
        ssrcs = {name: rng.randrange(1, 1 << 32) for name in (one, other)}
        link = PictureLink(
            {name: VideoSources(ssrc, ssrc ^ 1) for name, ssrc in ssrcs.items()},
            self._lines[one, other].delay_s + self._lines[other, one].delay_s,
        )
        for own, peer in ((one, other), (other, one)):
            pictures = self._sessions[peer].pictures
            assert pictures is not None, "somebody shows something"
            self._sessions[own].pictures_up(peer, link, pictures.source.taken, now_s)

    def _start_devices(self, session: VirtualSession) -> None:
        if session.is_linked:
            self._at(session.next_capture_at, ("capture", session))
            self._at(session.next_tick_at, ("tick", session))

    # the end

    def _observation(self, end_s: float) -> Observation:
        case = self._case
        total = round(end_s * SAMPLE_RATE_HZ)
        for session in self._sessions.values():
            self._stop_recording(session, end_s)
        for line in self._lines.values():
            line.let_out()
        for pair, since_s in self._up_since.items():
            self._pairs[pair].connected.append((since_s, case.duration_s))
        for name, since_s in self._muted_since.items():
            self._silenced[name].append((since_s, case.duration_s))
        self._end_cameras(case.duration_s)
        for (speaker, listener), seen in self._pairs.items():
            seen.heard = np.zeros(total, np.float32)
            for session in self._all[listener]:
                voice = session.voices.get(speaker)
                if voice is not None:
                    seen.heard += session.heard(voice.overheard.blocks, voice.first_tick, total)
        for listener, sessions in self._all.items():
            for decision in (one for session in sessions for one in session.decisions()):
                for (speaker, ear), seen in self._pairs.items():
                    if ear == listener and decision.peer in (speaker, None):
                        seen.decisions.append(decision)
        speakers = {
            name: sum(
                (session.heard(session.mix, 0, total) for session in sessions if session.is_linked),
                np.zeros(total, np.float32),
            )
            for name, sessions in self._all.items()
        }
        return Observation(
            engine="virtual",
            microphones={
                name: laid([piece for session in sessions for piece in session.said], total)
                for name, sessions in self._all.items()
            },
            silenced=self._silenced,
            cameras=self._cameras,
            speakers=speakers,
            pairs=list(self._pairs.values()),
            mixed=False,
            recordings=[kept for recordings in self._recordings.values() for kept in recordings],
            notes=self._notes,
        )
