"""One participant of a real call: its session, over all its starts, and where the sound of its devices lies."""

import asyncio
import shlex
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from blink_cli.core.analysis.culprit import Disturbance
from blink_cli.core.api.device_name import FileDevice, WavDevice
from blink_cli.core.api.events import (
    AudioDisturbed,
    LinkChanged,
    LinkState,
    TalkingStarted,
    TalkingStopped,
)
from blink_cli.core.api.replies.devices import Clocks
from blink_cli.core.api.replies.statistics import Inbound, PeerStatistics
from blink_cli.core.api.replies.video import VideoStatistics
from blink_cli.core.api.requests import (
    AcceptCall,
    GetImpairment,
    LeaveCall,
    SetCamera,
    SetCodec,
    SetDevice,
    SetImpairment,
    SetMuted,
    SetVideo,
    StartRecording,
    StartRtpLog,
    StopRecording,
)
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import Did
from blink_cli.core.impairment.conditions import Conditions
from blink_cli.core.impairment.delay_trace import trace_text
from blink_cli.core.impairment.words import Impairment, impairment_text
from blink_cli.files.reading import open_reading
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.real.session_clock import ComparedClock, SameClock, SessionClock
from blink_cli.lab.real.timeline import input_start_s, output_start_s, read_heard
from blink_cli.lab.scenario.case import Person
from blink_cli.lab.scenario.device_phases import DevicePhases
from blink_cli.lab.scenario.observation import (
    KeptRecording,
    PictureReading,
    Reading,
    Span,
    killed_while_recording,
)
from blink_cli.lab.scenario.placed_sound import Placed
from blink_cli.lab.sessions import Machine, Session
from blink_cli.lab.voices import write_exact_mono
from blink_cli.lab.watching import Watched
from blink_cli.record.rtp_log.decision_lines import SUFFIX, DecisionLine

RECORDED_S: Final = 30.0
"""How long the files of a recording may take in the end."""

JOIN_S: Final = 15.0
"""How long an offer is waited for, and a first link."""


class Participant:
    """Belongs to one event loop."""

    def __init__(
        self,
        person: Person,
        machine: Machine,
        planned: Samples,
        phases: DevicePhases,
        folder: Path,
        *,
        counts_packets: bool,
    ) -> None:
        """Start nothing yet.

        Args:
            person: Who it is.
            machine: Where its session runs.
            planned: What its microphone is to hear, from the scenario's second 0 on.
            phases: Of its devices.
            folder: For its files.
            counts_packets: Whether its session is asked for what it spoilt, since no wire counts.

        """
        self.person = person
        self.name = person.name
        self.watched: Watched | None = None
        self.did = Did("")
        self.joins_at_s = 0.0
        self.stands_still = False
        """It was stopped, and answers nothing until it goes on."""

        self.silenced: list[Span] = []
        self._muted_at: float | None = None
        self._showing_since: float | None = None
        self._shown: list[Span] = []
        self._machine = machine
        self._planned = planned
        self._phases = phases
        self._folder = folder
        self._counts_packets = counts_packets
        self._session: Session | None = None
        self._stack = AsyncExitStack()
        self._starts = 0
        self._files = 0
        self._microphone: Samples = np.zeros(0, np.float32)
        self._said: list[Placed] = []
        """By its own clock, as all below."""

        self._heard: list[tuple[Path, float]] = []
        """Files of the loudspeaker, and when each began."""

        self._events: list[tuple[float, object]] = []
        self._readings: dict[str, list[Reading]] = {}
        self.recordings: list[KeptRecording] = []
        self.notes: list[str] = []
        self._records = False
        self._recordings_begun = 0
        self.clock: SessionClock = SameClock() if person.place is None else ComparedClock()
        self._traces = 0
        self._corrupted: dict[Did, int] = {}
        self._corrupted_before: dict[Did, int] = {}
        """By lines that have changed since."""

    # the session

    async def start(self, from_s: float) -> None:
        """Start a session whose microphone hears what is planned from that second on, once somebody is there to hear."""
        self._starts += 1
        self._files = 0
        self._microphone = self._planned[round(from_s * SAMPLE_RATE_HZ) :]
        session = await self._machine.serve(
            self.name,
            "--input",
            await self._microphone_device(),
            "--output",
            str(WavDevice(self._machine.there(self._speaker), phase_ms=self._phases.speaker_ms)),
            "--camera",
            self.person.camera,
            *self.person.serve_options,
        )
        self._session, self.did = session, Did(session.did)
        self.watched = await self._stack.enter_async_context(Watched.following(session))
        codec = self.person.codec
        await self.watched.ask(
            SetCodec(
                changes=CodecOptions(
                    bitrate=codec.bitrate_bps,
                    frame_ms=codec.frame_ms,
                    bandwidth=codec.bandwidth,
                    application=codec.application,
                    fec=codec.fec,
                    dtx=codec.dtx,
                    cbr=codec.cbr,
                    redundancy=codec.redundancy,
                    redundancy_budget=codec.redundancy_budget_kbps,
                    complexity=codec.complexity,
                )
            )
        )
        folder = self._log_folder(self._starts)
        await self._machine.make_folder(folder)
        await self.watched.ask(StartRtpLog(path=f"{self._machine.there(folder)}/", decisions=True))

    @property
    def runs(self) -> bool:
        """Whether there is a session."""
        return self.watched is not None

    async def join(self) -> None:
        """Join the call, as soon as its offer has come."""
        await self._watch.ask(AcceptCall(wait_s=JOIN_S), timeout_s=JOIN_S + 5)

    async def leave(self) -> None:
        """Leave the call; the session goes on."""
        await self.note_devices()
        await self.stop_recording()
        await self._watch.ask(LeaveCall())

    async def mute(self, now_s: float, *, muted: bool) -> None:
        """Mute or unmute, and remember when it was so."""
        await self._watch.ask(SetMuted(muted=muted))
        if muted and self._muted_at is None:
            self._muted_at = now_s
        elif not muted and self._muted_at is not None:
            self.silenced.append((self._muted_at, now_s))
            self._muted_at = None

    async def show(self, now_s: float, *, on: bool) -> None:
        """Turn the camera on or off, at that second of the scenario."""
        await self._watch.ask(SetVideo(on=on))
        if on and self._showing_since is None:
            self._showing_since = now_s
        elif not on:
            self.camera_ended(now_s)

    async def use_camera(self, camera: str) -> None:
        """Take another camera, at once if one is on."""
        await self._watch.ask(SetCamera(camera=camera))

    def camera_ended(self, now_s: float) -> None:
        """Its camera is off from now on; nothing changes if it was."""
        since_s, self._showing_since = self._showing_since, None
        if since_s is not None:
            self._shown.append((since_s, now_s))

    def shown_spans(self, end_s: float) -> list[Span]:
        """When its camera was on."""
        return [*self._shown, *([(self._showing_since, end_s)] if self._showing_since is not None else [])]

    async def change_input(self, from_s: float) -> None:
        """Take another microphone, which hears what is planned from that second on."""
        await self.note_devices()
        self._files += 1
        self._microphone = self._planned[round(from_s * SAMPLE_RATE_HZ) :]
        await self._watch.ask(SetDevice(direction="input", device=await self._microphone_device()))

    async def _microphone_device(self) -> str:
        """Return the name of the device that hears it."""
        # Exact: an encoder that hears other least bits sends frames of other sizes.
        path = write_exact_mono(self._path("mic"), self._microphone)
        await self._machine.send(path)
        return str(FileDevice(self._machine.there(path), phase_ms=self._phases.microphone_ms))

    async def record(self) -> None:
        """Record the call from now on: an MP4, and a WAV file of each voice."""
        folder = self._recording_folder
        await self._watch.ask(StartRecording(folder=self._machine.there(folder), formats=("mp4", "wav")))
        self._records = True

    async def stop_recording(self) -> None:
        """End the recording, and take its files; a recording that ended by itself, with its call, is noted."""
        if not self._records:
            return
        self._records = False
        try:
            ended = await self._watch.ask(StopRecording(), timeout_s=RECORDED_S)
        except BlinkError as error:
            self.notes.append(f"{self.name} has no recording: {error.message}")
            return
        folder = self._recording_folder
        await self._machine.fetch(folder)
        for file in ended.files:
            path = folder / Path(file.path).name
            self.recordings.append(
                KeptRecording(
                    self.name,
                    path.name,
                    file.kind,
                    tuple(one.nickname for one in file.participants),
                    file.duration_s,
                    await asyncio.to_thread(path.read_bytes),
                )
            )
        self._recordings_begun += 1

    @property
    def _recording_folder(self) -> Path:
        return self._folder / f"recording-{self.name}-{self._recordings_begun}"

    async def impair(self, did: Did, conditions: Conditions, seed: int) -> None:
        """Let what comes from somebody meet this from now on, in the session itself."""
        await self._count_corrupted()
        self._corrupted_before[did] = self._corrupted.get(did, 0)
        if conditions.trace is not None:
            self._traces += 1
            path = self._folder / f"trace-{self.name}-{self._traces}.csv"
            path.write_text(trace_text(conditions.trace), encoding="utf-8")
            await self._machine.send(path)
            trace = replace(conditions.trace, name=self._machine.there(path))
            conditions = msgspec.structs.replace(conditions, trace=trace)
        words = (
            () if conditions == Conditions() else shlex.split(impairment_text(Impairment(conditions, seed)))
        )
        await self._watch.ask(SetImpairment(peer=did, ways=("in",), words=tuple(words)))

    async def _count_corrupted(self) -> None:
        state = (await self._watch.ask(GetImpairment())).impairment
        for line in () if state is None else state.lines:
            before = self._corrupted_before.get(line.did, 0)
            self._corrupted[line.did] = before + line.rtp.corrupted

    async def stand_still(self) -> None:
        """SIGSTOP."""
        self.stands_still = True
        await self._running.send_signal(signal.SIGSTOP)

    async def go_on(self) -> None:
        """SIGCONT."""
        await self._running.send_signal(signal.SIGCONT)
        self.stands_still = False

    async def kill(self) -> None:
        """SIGKILL."""
        await self.note_devices()
        self._keep_events()
        if self._records:
            self._records = False
            self.notes.append(killed_while_recording(self.name))
        session = self._running
        await session.send_signal(signal.SIGKILL)
        await session.ended()
        await self._fetch()
        self.watched = self._session = None
        await self._stack.aclose()
        self._stack = AsyncExitStack()

    async def end(self) -> None:
        """Quit; its files are whole then."""
        if self._session is None:
            return
        if self.watched is not None:
            await self.stop_recording()
            self._keep_events()
        self.watched = None
        await self._stack.aclose()
        await self._session.terminate()
        self._session = None
        await self._fetch()

    async def _fetch(self) -> None:
        """Bring what its session wrote to this machine."""
        await self._machine.fetch(self._speaker)
        await self._machine.fetch(self._log_folder(self._starts))

    @property
    def _watch(self) -> Watched:
        assert self.watched is not None, "its session runs"
        return self.watched

    @property
    def _running(self) -> Session:
        assert self._session is not None, "its session runs"
        return self._session

    def _log_folder(self, start: int) -> Path:
        return self._folder / f"log-{self.name}-{start}"

    def _path(self, kind: str) -> Path:
        return self._folder / f"{kind}-{self.name}-{self._starts}-{self._files}.wav"

    @property
    def _speaker(self) -> Path:
        return self._folder / f"speaker-{self.name}-{self._starts}.wav"

    # what is known of it

    async def note_devices(self) -> None:
        """Remember where its devices stand: before they change, and before the session ends."""
        if self._counts_packets:
            await self._count_corrupted()
        clocks = await self._look_at_clocks()
        start_s = input_start_s(clocks)
        if start_s is not None and all(piece.sound is not self._microphone for piece in self._said):
            self._said.append(Placed(start_s, self._microphone))
        heard_s = output_start_s(clocks)
        if heard_s is not None and all(path != self._speaker for path, _ in self._heard):
            self._heard.append((self._speaker, heard_s))

    @property
    def has_begun(self) -> bool:
        """Whether it is known when its microphone began."""
        return bool(self._said)

    async def note_first_sound(self) -> None:
        """Remember when its microphone began, once it has a link."""
        if not self._said and any(
            event.link is LinkState.CONNECTED for _, event in self._watch.since(0.0, LinkChanged)
        ):
            await self.note_devices()

    async def _look_at_clocks(self) -> Clocks:
        asked_s = time.monotonic()
        clocks = (await self._watch.status()).clocks
        if isinstance(self.clock, ComparedClock):
            self.clock.learn(asked_s, clocks.monotonic_s, time.monotonic())
        return clocks

    async def read_figures(self, names: dict[Did, str], now_s: float) -> None:
        """Take the session's counters of every voice."""
        if self.watched is None or self.watched.call is None:
            return
        if isinstance(self.clock, ComparedClock):
            await self._look_at_clocks()
        for peer in (await self.watched.statistics()).peers:
            name = names.get(peer.did)
            if name is not None and peer.inbound is not None:
                self._readings.setdefault(name, []).append(_reading(peer, peer.inbound, now_s))

    def readings_of(self, name: str, origin_s: float) -> list[Reading]:
        """Return the counters of one voice, in the scenario's time."""
        readings = self._readings.get(name, [])
        for reading in readings:
            reading.at_s -= origin_s
        return readings

    def said(self, origin_s: float) -> list[Placed]:
        """Return what its microphones heard, in the scenario's time."""
        return [Placed(self.clock.here(piece.start_s) - origin_s, piece.sound) for piece in self._said]

    def heard(self, origin_s: float) -> list[Placed]:
        """Return what its loudspeaker played, in the scenario's time. After its end."""
        return [
            Placed(self.clock.here(start_s) - origin_s, read_heard(path)) for path, start_s in self._heard
        ]

    def muted_spans(self, end_s: float) -> list[Span]:
        """When it was muted."""
        return [*self.silenced, *([(self._muted_at, end_s)] if self._muted_at is not None else [])]

    def corrupted_of(self, did: Did) -> int:
        """Return how many packets of somebody its own impairment spoilt."""
        return self._corrupted.get(did, 0)

    @property
    def rtp_logs(self) -> list[Path]:
        """The logs of its sessions and calls. After its end."""
        return self._logged("*.csv")

    def _logged(self, pattern: str) -> list[Path]:
        return sorted(
            path for start in range(1, self._starts + 1) for path in self._log_folder(start).glob(pattern)
        )

    def _keep_events(self) -> None:
        self._events += self._watch.events

    def link_spans(self, did: str, origin_s: float, end_s: float) -> list[Span]:
        """When its link to somebody stood, as it was told. After its end."""
        spans: list[Span] = []
        since: float | None = None
        for at_s, event in self._events:
            if isinstance(event, LinkChanged) and event.did == did:
                up = event.link is LinkState.CONNECTED
                if up and since is None:
                    since = at_s - origin_s
                elif not up and since is not None:
                    spans.append((since, at_s - origin_s))
                    since = None
        if since is not None:
            spans.append((since, end_s))
        return spans

    def decisions(self, names: dict[Did, str], origin_s: float) -> list[DecisionLine]:
        """Return what its playout did, in the scenario's time, each line with its peer's name. After its end.

        What a killed session had not written is missing: four times a second it writes.
        """
        lines: list[DecisionLine] = []
        for path in self._logged(f"*{SUFFIX}"):
            with open_reading(path) as file:
                for text in file:
                    if text.endswith(b"\n"):
                        line = msgspec.json.decode(text, type=DecisionLine)
                        peer = None if line.peer is None else Did(names[line.peer])
                        lines.append(
                            msgspec.structs.replace(
                                line, time_s=round(self.clock.here(line.time_s) - origin_s, 6), peer=peer
                            )
                        )
        return sorted(lines, key=lambda line: line.time_s)

    def disturbances_of(self, did: str, origin_s: float) -> list[tuple[float, Disturbance]]:
        """When it told who had damaged a voice. After its end."""
        return [
            (at_s - origin_s, Disturbance(event.culprit, event.reason, event.damage_ms))
            for at_s, event in self._events
            if isinstance(event, AudioDisturbed) and event.did == did
        ]

    def talking_of(self, did: str, origin_s: float) -> list[tuple[float, bool]]:
        """When it was told that somebody began or stopped talking. After its end."""
        return [
            (self.clock.here(event.at_s) - origin_s, isinstance(event, TalkingStarted))
            for _, event in self._events
            if isinstance(event, TalkingStarted | TalkingStopped)
            and event.did == did
            and event.at_s is not None
        ]


def _reading(peer: PeerStatistics, inbound: Inbound, now_s: float) -> Reading:
    return Reading(
        now_s,
        inbound.total_samples_received,
        inbound.concealed_samples,
        inbound.packets_received,
        inbound.packets_discarded,
        inbound.packets_recovered,
        inbound.jitter,
        peer.rtt_s,
        PictureReading() if peer.video is None else _picture_reading(peer.video),
    )


def _picture_reading(video: VideoStatistics) -> PictureReading:
    received = video.received
    return PictureReading(
        frames_sent=video.sent.frames_sent,
        frames_received=received.frames_received,
        frames_decoded=received.frames_decoded,
        frames_dropped=received.frames_dropped,
        freeze_count=received.freeze_count,
        total_freezes_s=received.total_freezes_duration,
        packets_received=received.packets_received,
        retransmitted_packets_received=received.retransmitted_packets_received,
        bytes_received=received.bytes_received,
        nack_count=received.nack_count,
        pli_count=received.pli_count,
        frame_width=received.frame_width,
        frame_height=received.frame_height,
    )
