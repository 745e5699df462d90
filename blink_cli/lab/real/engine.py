"""Runs a case with real sessions, in real time.

    start all sessions ──> offer, accept ──> first link, second 0 ──> steps and lines at their moments ──> end ──> sound files

Sound is placed by the clocks of the devices; packets are told by the wire; only concealment, jitter and who talks are the program's own word.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from blink_cli.core.api.events import CallJoined
from blink_cli.core.api.requests import PlaceOffer
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.lab.machine_stalls import StallWitness
from blink_cli.lab.program_run import CommandError
from blink_cli.lab.real.logged_packets import SessionLog, passed_between
from blink_cli.lab.real.network import Network, first_lines, network_of
from blink_cli.lab.real.participant import JOIN_S, Participant
from blink_cli.lab.real.passed_packet import PassedPacket
from blink_cli.lab.real.session_clock import ComparedClock
from blink_cli.lab.scenario.case import Action, Case, LineChange
from blink_cli.lab.scenario.device_phases import device_phases, first_sound_at
from blink_cli.lab.scenario.microphone import heard_by_microphones
from blink_cli.lab.scenario.observation import Observation, PairObservation
from blink_cli.lab.scenario.placed_sound import laid
from blink_cli.lab.session_calls import together
from blink_cli.lab.watching import whole

TAIL_S: Final = 1.0
READ_EVERY_S: Final = 0.5
WIRE_LATE_MS: Final = 3.0
"""What a wire of an idle machine never is."""

WANTED_EVERY_S: Final = 0.2

FIRST_SOUND_S: Final = 5.0
"""How long the first links are waited for until the scenario's time runs without them."""

LOOK_EVERY_S: Final = 0.02

WHOLE_S: Final = 20.0
"""How long it is waited for that everybody has everybody's audio; a network may be too bad for it."""


def run_real(case: Case, *, wanted: Callable[[], None] = lambda: None) -> Observation:
    """Run it. Takes as long as the case, and some seconds.

    Args:
        case: What is run.
        wanted: Called five times a second; what it raises ends the run, and is raised once all sessions have ended.

    Raises:
        BlinkError: It cannot be run here, or a session did not do what it was told.

    """
    try:
        return asyncio.run(_while_wanted(_Run(case).run(), wanted))
    except CommandError as error:
        raise BlinkError(f"A session did not do what it was told: {error}.") from error


async def _while_wanted(run: Coroutine[Any, Any, Observation], wanted: Callable[[], None]) -> Observation:
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(run, name="case")
            while not running.done():
                await asyncio.wait((running,), timeout=WANTED_EVERY_S)
                wanted()
    except BaseExceptionGroup as failed:
        raise _first(failed) from None
    return running.result()


def _first(failed: BaseException) -> BaseException:
    """What failed first of what ran beside each other; a step of a scenario is two groups deep."""
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    return failed


class _Run:
    def __init__(self, case: Case) -> None:
        self._case = case
        self._planned = heard_by_microphones(case)
        self._participants: dict[str, Participant] = {}
        self._origin_s = 0.0
        """Second 0 of the scenario, monotonic."""

        self._joined_at = 0.0
        self._whole_at: float | None = None
        self._notes: list[str] = []
        self._lines: dict[tuple[str, str], LineChange] = {}
        """As they were said last, by speaker and listener, where sessions impair their own links."""

    async def run(self) -> Observation:
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="blink-lab-")))
            network = await stack.enter_async_context(network_of(self._case))
            self._participants = {
                person.name: Participant(
                    person,
                    network.machines[person.name],
                    self._planned[person.name],
                    device_phases(self._case.seed, person.name),
                    folder,
                    counts_packets=network.wire is None,
                )
                for person in self._case.people
            }
            stack.push_async_callback(self._end_all)
            stalls = stack.enter_context(StallWitness())
            await self._begin(network)
            await self._play(network)
            self._note_machine(stalls, 0.0 if network.wire is None else await network.wire.lateness_ms())
            await self._end_all()
            return await self._observation(network)

    def _note_machine(self, stalls: StallWitness, late_ms: float) -> None:
        seen = stalls.seen(self._origin_s, time.monotonic())
        if late_ms > WIRE_LATE_MS:
            self._notes.append(f"The wire itself was {late_ms:.0f} ms late with one frame in a hundred.")
        if seen.stalled:
            self._notes.append(
                f"The machine stood still, so that figures are worse than the program: {seen}."
            )

    async def _change(self, network: Network, change: LineChange) -> None:
        """Let a line be so from now on: on the wire, or on the listener's own way in."""
        if network.wire is not None:
            await network.wire.set_line(change)
            return
        self._lines[change.speaker, change.listener] = change
        listener, speaker = self._participants[change.listener], self._participants[change.speaker]
        if listener.runs:
            await listener.impair(speaker.did, change.conditions, self._case.seed)

    # the beginning

    async def _begin(self, network: Network) -> None:
        firsts = {action.who: action.at_s for action in reversed(self._case.actions) if action.do == "join"}
        for name, participant in self._participants.items():
            participant.joins_at_s = firsts[name]
        await together(*(one.start(one.joins_at_s) for one in self._participants.values()))
        for change in first_lines(self._case.lines):
            await self._change(network, change)
        there = [one for one in self._participants.values() if one.joins_at_s == 0.0]
        if len(there) < 2:
            raise BlinkError(
                "Nobody is there at the beginning to make a call with.", hint="Let two join at second 0."
            )
        caller, *others = there
        everybody = [one.did for one in self._participants.values() if one is not caller]
        assert caller.watched is not None, "it was started"
        await together(
            caller.watched.ask(PlaceOffer(peers=tuple(everybody), wait_s=JOIN_S), timeout_s=JOIN_S + 5),
            *(one.join() for one in others),
        )
        self._origin_s = self._joined_at = max(self._joined_moment(one) for one in there)
        if network.wire is None:
            for change in first_lines(self._case.lines):
                await self._change(network, change)  # outages and traces count from here
        await self._place_origin(there)
        if network.wire is not None:
            for change in first_lines(self._case.lines):
                await network.wire.count_from(change, self._origin_s)

    async def _place_origin(self, there: Sequence[Participant]) -> None:
        """Let second 0 be where the microphones say what they say in virtual time; when the last one had joined, if they begin too late."""
        deadline_s = self._joined_at + FIRST_SOUND_S
        while not all(one.has_begun for one in there) and time.monotonic() < deadline_s:
            for one in there:
                await one.note_first_sound()
            await asyncio.sleep(LOOK_EVERY_S)
        began = {one.name: one.said(0.0) for one in there}
        moments = [
            pieces[0].start_s - first_sound_at(self._case.seed, name)
            for name, pieces in began.items()
            if pieces
        ]
        if moments:
            self._origin_s = statistics.fmean(moments)

    def _joined_moment(self, one: Participant) -> float:
        assert one.watched is not None, "it was started"
        joined = one.watched.since(0.0, CallJoined)
        return joined[-1][0] if joined else time.monotonic()

    # the middle

    async def _play(self, network: Network) -> None:
        async with asyncio.TaskGroup() as group:
            names = {one.did: name for name, one in self._participants.items()}
            readings = [
                group.create_task(self._read(one, names), name=f"read figures of {one.name}")
                for one in self._participants.values()
            ]
            watching = group.create_task(self._watch_whole(), name="watch until it is whole")
            for change in self._case.lines:
                if change.at_s > 0.0:
                    group.create_task(self._change_later(network, change), name="change a line")
            steps: dict[str, list[Action]] = {}
            for action in self._case.actions:
                if not (action.do == "join" and action.at_s == 0.0) and action.do != "speak":
                    steps.setdefault(action.who, []).append(action)
            for actions in steps.values():
                group.create_task(self._act_all(network, actions), name="steps")
            await self._until(self._case.duration_s + TAIL_S)
            for reading in readings:
                reading.cancel()
            watching.cancel()
        for one in self._participants.values():
            if one.runs:
                await one.go_on()
                await one.note_devices()

    async def _change_later(self, network: Network, change: LineChange) -> None:
        await self._until(change.at_s)
        await self._change(network, change)

    async def _until(self, at_s: float) -> None:
        await asyncio.sleep(max(self._origin_s + at_s - time.monotonic(), 0.0))

    def _now(self) -> float:
        return time.monotonic() - self._origin_s

    async def _read(self, one: Participant, names: dict[Did, str]) -> None:
        """Each has a task of its own: one that stands still answers when it goes on, and does not keep the others waiting."""
        while True:
            await asyncio.sleep(READ_EVERY_S)
            if one.runs and not one.stands_still:
                await one.read_figures(names, time.monotonic())

    async def _watch_whole(self) -> None:
        there = [one.watched for one in self._participants.values() if one.joins_at_s == 0.0 and one.watched]
        try:
            self._whole_at = await whole(there, WHOLE_S)
        except CommandError:
            self._notes.append(f"Not everybody had everybody's audio in {WHOLE_S:g} s.")

    async def _act_all(self, network: Network, actions: Sequence[Action]) -> None:
        for action in actions:
            await self._until(action.at_s)
            await self._act(network, self._participants[action.who], action)

    async def _act(self, network: Network, one: Participant, action: Action) -> None:
        plain: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
            "join": one.join,
            "leave": one.leave,
            "record": one.record,
            "stop-recording": one.stop_recording,
            "stop": one.stand_still,
            "continue": one.go_on,
            "kill": one.kill,
        }
        match action.do:
            case deed if deed in plain:
                await plain[deed]()
                if deed in ("leave", "kill"):
                    one.camera_ended(self._now())
            case "mute" | "unmute":
                await one.mute(self._now(), muted=action.do == "mute")
            case "camera-on" | "camera-off":
                await one.show(self._now(), on=action.do == "camera-on")
            case "set-camera":
                await one.use_camera(action.camera)
            case "set-input":
                await one.change_input(action.at_s)
            case "restart":
                await one.start(self._now())
                for change in list(self._lines.values()):
                    if change.listener == one.name:
                        await self._change(network, change)  # a new session has forgotten it
                await one.join()
            case _:
                pass  # what is said stands in the file of its microphone

    # the end

    async def _end_all(self) -> None:
        await asyncio.gather(*(one.end() for one in self._participants.values()))

    async def _passed(self, network: Network) -> dict[tuple[str, str], list[PassedPacket]]:
        if network.wire is not None:
            return await network.wire.packets()
        logs = {
            name: SessionLog(one.did, one.rtp_logs, one.clock) for name, one in self._participants.items()
        }
        passed = await asyncio.to_thread(passed_between, logs)
        # They do not end at the same moment: who goes on for a little is not heard by who is gone, and nothing was lost.
        end_s = self._origin_s + self._case.duration_s
        return {ends: [one for one in packets if one.at_s <= end_s] for ends, packets in passed.items()}

    async def _observation(self, network: Network) -> Observation:
        case, origin_s = self._case, self._origin_s
        total = round((case.duration_s + TAIL_S) * SAMPLE_RATE_HZ)
        people = self._participants
        speakers = {name: laid(one.heard(origin_s), total) for name, one in people.items()}
        passed = await self._passed(network)
        names = {one.did: name for name, one in people.items()}
        decisions = {name: one.decisions(names, origin_s) for name, one in people.items()}
        pairs = []
        for speaker, listener in case.pairs:
            own = people[listener]
            packets = passed.get((speaker, listener), [])
            pairs.append(
                PairObservation(
                    speaker,
                    listener,
                    heard=speakers[listener],
                    connected=own.link_spans(people[speaker].did, origin_s, case.duration_s),
                    sent_at=[packet.at_s - origin_s for packet in packets],
                    arrived=[packet.copies > (1 if packet.changed else 0) for packet in packets],
                    sent_bytes=[packet.payload_bytes for packet in packets],
                    packets_duplicated=sum(1 for packet in packets if packet.copies > 1),
                    packets_corrupted=sum(1 for packet in packets if packet.changed)
                    + own.corrupted_of(people[speaker].did),
                    readings=own.readings_of(speaker, origin_s),
                    talking=own.talking_of(people[speaker].did, origin_s),
                    decisions=[line for line in decisions[listener] if line.peer in (speaker, None)],
                    disturbances=own.disturbances_of(people[speaker].did, origin_s),
                )
            )
        if network.note is not None:
            self._notes.append(network.note)
        for name, one in people.items():
            self._notes += one.notes
            if isinstance(one.clock, ComparedClock):
                self._notes.append(
                    f"The clock of {name}'s machine is known to {one.clock.error_ms:.1f} ms, and so are the delays from and to it."
                )
        return Observation(
            engine="real",
            microphones={name: laid(one.said(origin_s), total) for name, one in people.items()},
            silenced={name: one.muted_spans(case.duration_s) for name, one in people.items()},
            cameras={name: one.shown_spans(case.duration_s) for name, one in people.items()},
            speakers=speakers,
            pairs=pairs,
            mixed=len(people) > 2,
            whole_after_s=None if self._whole_at is None else max(self._whole_at - self._joined_at, 0.0),
            recordings=[kept for one in people.values() for kept in one.recordings],
            notes=self._notes,
        )
