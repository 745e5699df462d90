"""One session in virtual time: its microphone, its speaker, and the ends of its links. Every part of the voice's way is the program's own.

    microphone --> SourcePipeline, AdjustableEncoder --> each LinkEnd --> line
    line --> LinkEnd --> SinkTrack, PlayoutBuffer --> Mixer --> speaker
    camera, screens: SessionPictures, over the same lines

A session that is stopped (SIGSTOP) does what devices and threads do then: up to half a second is made up for, of more the rest is lost
(`audio/devices/virtual.BACKLOG_S`).
"""

import math
import random
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import numpy as np
from typing_extensions import override

from blink_cli.app.media.mesh_media import PULSE_S
from blink_cli.audio.devices.interface import DeviceParameters
from blink_cli.audio.devices.virtual import BACKLOG_S, OUTPUT_LEAD_S, next_moment
from blink_cli.audio.fade import faded_in
from blink_cli.audio.mixer import Mixer
from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.audio.playout.concealment import DeepBudget, voice_decoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.audio.sink_mixer import PUBLISH_TICKS
from blink_cli.audio.sink_track import PlayoutStream, SinkTrack
from blink_cli.audio.source_pipeline import SourcePipeline
from blink_cli.audio.tick_notes import TickNotes
from blink_cli.audio.voice_activity.choice import detector_for
from blink_cli.core.analysis.health_meter import HealthMeter, SideReading
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.ids import Did
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.mix_tick import PlayedTrack, Speaker
from blink_cli.core.media.playout_decision import PlayoutDecision
from blink_cli.core.media.redundancy_policy import least_copy_bps
from blink_cli.core.media.rtp import EncodedFrame, ReceptionReport, RtpPacket, SenderReport
from blink_cli.core.media.side_health import WELL, SideHealth
from blink_cli.core.media.talking import TalkingChange, TalkingDetector
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.case import Person
from blink_cli.lab.scenario.device_phases import DevicePhases
from blink_cli.lab.scenario.observation import PairObservation, PictureReading, Reading
from blink_cli.lab.scenario.placed_sound import Placed
from blink_cli.lab.virtual.disturbances import Disturbances
from blink_cli.lab.virtual.line import VirtualLine
from blink_cli.lab.virtual.link_end import MEDIA, LinkEnd
from blink_cli.lab.virtual.recording import VirtualRecording
from blink_cli.lab.virtual.session_pictures import PictureLink, PictureWays, SessionPictures
from blink_cli.record.rtp_log.decision_lines import DecisionLine, DecisionLines
from blink_cli.video.picture import Plane

TICK_S: Final = TICK_SAMPLES / SAMPLE_RATE_HZ
PULSE_TICKS: Final = round(PULSE_S / TICK_S)

WAKING_S: Final = 0.0003
"""Mean of an exponential: how late a thread of an idle machine wakes, hands over and sends."""

SOCKET_PACKETS: Final = 277
"""How many packets Linux keeps in one socket for a process that is stopped: 212,992 bytes of 768 a packet (net.core.rmem_default)."""


class _Overheard(PlayoutStream):
    """A playout buffer of which every block is kept."""

    def __init__(self, stream: PlayoutBuffer) -> None:
        self._stream = stream
        self.blocks: list[Samples] = []

    @override
    def put(self, packet: RtpPacket) -> None:
        self._stream.put(packet)

    @override
    def get(self, now_s: float) -> Samples:
        block = self._stream.get(now_s)
        self.blocks.append(np.array(block))
        return block

    @override
    def statistics(self) -> PlayoutStatistics:
        return self._stream.statistics()

    @override
    def loss_report(self) -> LossReport:
        return self._stream.loss_report()

    @override
    def rest(self) -> None:
        self._stream.rest()

    @override
    def note(self, decisions: list[PlayoutDecision] | None) -> None:
        self._stream.note(decisions)


class _Voice:
    """What a session has of one peer, over all links to it."""

    def __init__(self, seen: PairObservation, first_tick: int, number: int, budget: DeepBudget) -> None:
        self.seen = seen
        self.first_tick = first_tick
        self.overheard = _Overheard(PlayoutBuffer(voice_decoder(budget), (MEDIA.opus, MEDIA.red)))
        self.track = SinkTrack(
            self.overheard, played=PlayedTrack(number, Did(seen.speaker), MEDIA.opus, MEDIA.red)
        )
        self.disturbances = Disturbances(0.0, 0)
        self.talking = TalkingDetector()
        self.link: LinkEnd | None = None
        self.line: VirtualLine | None = None
        """From the peer to here."""


def _wait_s(voice: _Voice) -> float | None:
    """How long a voice waits in its buffer; None before it came."""
    playout = voice.track.statistics.playout
    return playout.delay_ms / 1000 if playout.total_samples_received > 0 else None


class VirtualSession:
    """Between its start and its end; one that is restarted is another one. Devices begin at its first link, as in a session."""

    def __init__(
        self,
        person: Person,
        microphone: Samples,
        phases: DevicePhases,
        rng: random.Random,
        first_timestamp: int,
        *,
        pictures: SessionPictures | None,
    ) -> None:
        """Have no link yet.

        Args:
            person: Who it is.
            microphone: What is said, from its first link on: a file is heard from its beginning.
            phases: Of its devices.
            rng: Of delays of this machine.
            first_timestamp: RTP, of the first sample.
            pictures: What it shows and sees; None: nobody shows anything.

        """
        self.person = person
        self.pictures = pictures
        self.encoder = AdjustableEncoder(person.codec)
        # As `file:`: told by what speech sounds like.
        device = DeviceParameters(f"{person.voice.kind}:", SAMPLE_RATE_HZ, 1, virtual=True)
        self.pipeline = SourcePipeline(
            self.encoder, self._frame_ready, first_timestamp=first_timestamp, detector=detector_for(device)
        )
        self.voices: dict[str, _Voice] = {}
        self.mix: list[Samples] = []
        self.stopped_at: float | None = None
        self.recording: VirtualRecording | None = None
        """While it records."""

        self._microphone = microphone
        self._phases = phases
        self._rng = rng
        self._mixer = Mixer()
        self._captured = 0
        """Samples of this microphone that were taken."""

        self._microphone_at = 0.0
        """When its first one was captured."""

        self.said: list[Placed] = []
        self._speaker = Speaker(1, "virtual", SAMPLE_RATE_HZ, 1, 0.0, 0)
        self._lines = DecisionLines()
        self._decisions: list[bytes] = []
        self._health_meter = HealthMeter()
        self._health: SideHealth = WELL
        self._stood_still_s = 0.0
        """Of that, nothing was said yet to the health meter."""

        self._missing_samples = 0
        """Of the microphone, since the beginning."""

        self._unheard_samples = 0
        """That the speaker could not be given in time."""

        self._began = False
        self._ticks = 0
        self._frames: list[EncodedFrame] = []
        self._fec_loss_percent: int | None = None
        self._short_copy_bps: int | None = None

    # links

    def link_up(
        self, peer: str, line: VirtualLine, back: VirtualLine, seen: PairObservation, now_s: float
    ) -> None:
        """Hear a peer from now on, and speak to it: over `line`; what it says comes by `back`."""
        if not self._began:
            self._began = True
            self.set_microphone(self._microphone, now_s)
            self.first_tick_at = next_moment(now_s, self._phases.speaker_ms) - OUTPUT_LEAD_S
        voice = self.voices.get(peer)
        if voice is None:
            voice = self.voices[peer] = _Voice(seen, self._ticks, len(self.voices), self._mixer.deep_budget)
        voice.link = LinkEnd(
            self.person.codec,
            line,
            self._rng,
            now_s,
            checked_rtt_s=line.delay_s + back.delay_s,
            on_report=partial(self._reported, peer),
        )
        if self.recording is not None:
            self.recording.link_connected(peer, now_s)
        voice.line = back
        voice.disturbances = Disturbances(now_s, voice.track.statistics.playout.concealed_samples)

    def link_down(self, peer: str, now_s: float) -> None:
        """Neither hear nor reach it any more; what was heard of it is kept."""
        voice = self.voices.get(peer)
        if voice is not None:
            voice.link = voice.line = None
            if self.pictures is not None:
                self.pictures.link_down(peer)
            if self.recording is not None:
                self.recording.link_ended(peer, now_s)

    def pictures_up(
        self, peer: str, link: PictureLink, taken: Callable[[int], Plane | None], now_s: float
    ) -> None:
        """Have pictures go to a peer, and come, beside the voice of a link that has just come to stand; `taken` tells what its camera saw."""
        voice = self.voices[peer]
        end, back = voice.link, voice.line
        assert self.pictures is not None, "somebody shows something"
        assert end is not None, "the link stands"
        assert back is not None, "the link stands"
        self.pictures.link_up(
            peer,
            link,
            PictureWays(
                end.line,
                back,
                voice.seen,
                taken,
                voice_sent=lambda: end.voice_sent,
                voice_wait_s=lambda: _wait_s(voice),
                rtt_s=lambda: end.known_rtt_s,
            ),
            now_s,
        )

    def look(self, now_s: float) -> None:
        """Do for pictures what is due."""
        assert self.pictures is not None, "somebody shows something"
        for voice in self.voices.values():
            self._take_reports(voice, now_s)
        self.pictures.look(now_s)

    def _reported(self, peer: str, report: SenderReport | ReceptionReport) -> None:
        if self.recording is not None:
            self.recording.reported(peer, report)

    @property
    def is_linked(self) -> bool:
        """Whether its devices run: it had a link."""
        return self._began

    # the microphone

    def set_microphone(self, sound: Samples, now_s: float) -> None:
        """Hear this sound from its beginning, from the next moment of the microphone's phase on."""
        self._microphone, self._microphone_at = sound, next_moment(now_s, self._phases.microphone_ms)
        self._captured = 0
        self.said.append(Placed(self._microphone_at, sound))

    @property
    def next_capture_at(self) -> float:
        """When the next block of the microphone is whole."""
        return self._microphone_at + (self._captured + self.pipeline.missing_samples) / SAMPLE_RATE_HZ

    def capture(self, now_s: float) -> None:
        """Take the next block, and send what is ready."""
        count = self.pipeline.missing_samples
        block = self._microphone[self._captured : self._captured + count]
        if len(block) < count:
            block = np.pad(block, (0, count - len(block)))
        if not self._captured:
            block = faded_in(block)
        self._captured += count
        self.pipeline.process(block, self._microphone_at + self._captured / SAMPLE_RATE_HZ)
        self._send(now_s + self._rng.expovariate(1 / WAKING_S))

    def _frame_ready(self, frame: EncodedFrame) -> None:
        self._frames.append(frame)

    def _send(self, now_s: float) -> None:
        for frame in self._frames:
            if self.recording is not None:
                self.recording.captured(frame, now_s)
            fec_loss_percent: int | None = None
            plans = []
            for voice in self.voices.values():
                if voice.link is None:
                    continue
                voice.link.send(frame, now_s)
                plan = voice.link.plan
                plans.append(plan)
                if plan.fec and (fec_loss_percent is None or plan.fec_loss_percent > fec_loss_percent):
                    fec_loss_percent = plan.fec_loss_percent
            if fec_loss_percent != self._fec_loss_percent:
                self._fec_loss_percent = fec_loss_percent
                self.encoder.set_fec_loss(fec_loss_percent)
            short_copy_bps = least_copy_bps(plans)
            if short_copy_bps != self._short_copy_bps:
                self._short_copy_bps = short_copy_bps
                self.encoder.make_short_copies(short_copy_bps)
        self._frames.clear()

    # the speaker

    @property
    def next_tick_at(self) -> float:
        """When the speaker wants its next block."""
        return self.first_tick_at + self._ticks * TICK_S

    def tick(self, now_s: float, nominal_s: float) -> None:
        """Take what has come by now, and play the next 10 ms, whose time is `nominal_s`."""
        for voice in self.voices.values():
            self._receive(voice, now_s)
        if self.recording is not None:
            self.recording.look(now_s)
        tracks = [voice.track for voice in self.voices.values()]
        notes = TickNotes(
            tracks, self._mixer.applied_gain, self._speaker, nominal_s, late_s=now_s - nominal_s
        )
        block = self._mixer.mix(tracks, nominal_s)
        self.mix.append(np.array(block))
        self._note(notes, block, nominal_s)
        self._ticks += 1
        if self._ticks % PUBLISH_TICKS == 0:
            for voice in self.voices.values():
                voice.track.publish()
        if self._ticks % PULSE_TICKS == 0:
            self._health = self._health_meter.update(
                SideReading(1000 * self._stood_still_s, 0, self._missing_samples, self._unheard_samples),
                now_s,
            )
            self._stood_still_s = 0.0
            for voice in self.voices.values():
                self._pulse(voice, now_s)

    def _note(self, notes: TickNotes, block: Samples, nominal_s: float) -> None:
        notes.heard_at = nominal_s + OUTPUT_LEAD_S
        done = notes.tick(block, self._mixer.applied_gain, TICK_SAMPLES, TICK_SAMPLES)
        self._decisions += self._lines.take(done)

    def _receive(self, voice: _Voice, now_s: float) -> None:
        if voice.line is not None and voice.link is not None:
            for arrival_s, data in voice.line.rtp(now_s):
                packet = voice.link.received(data, arrival_s)
                if packet is None:
                    continue
                voice.track.receive(packet)
                if self.recording is not None:
                    self.recording.received(voice.seen.speaker, packet)
                if packet.retransmitted:
                    continue
                voice.disturbances.packet(packet)
                level_dbov = packet.audio_level_dbov
                if level_dbov is not None:
                    self._tell(
                        voice,
                        voice.talking.update(level_dbov, voice=packet.voice, now_s=arrival_s),
                        arrival_s,
                    )
            self._take_reports(voice, now_s)
        self._tell(voice, voice.talking.check(now_s), now_s)

    def _take_reports(self, voice: _Voice, now_s: float) -> None:
        if voice.line is not None and voice.link is not None:
            for arrival_s, data in voice.line.rtcp(now_s):
                pictures = self.pictures
                if pictures is None or not pictures.reported(voice.seen.speaker, data, arrival_s):
                    voice.link.reported(data, arrival_s)

    # between two ticks: what is missing, and what others miss

    @property
    def asks_at(self) -> float:
        """When something missing is to be asked for next; infinite while nothing is."""
        return min(
            (voice.link.ask_at for voice in self.voices.values() if voice.link is not None), default=math.inf
        )

    def ask(self, now_s: float) -> None:
        """Ask for what is missing now."""
        for voice in self.voices.values():
            self._receive(voice, now_s)
            if voice.link is not None and voice.link.ask_at <= now_s:
                voice.link.ask(now_s)

    @property
    def is_asked_at(self) -> float:
        """When the next report or request arrives; infinite while none is under way."""
        return min(
            (voice.line.report_due_at for voice in self.voices.values() if voice.line is not None),
            default=math.inf,
        )

    def answer(self, now_s: float) -> None:
        """Take the reports and requests that have come by now."""
        for voice in self.voices.values():
            self._take_reports(voice, now_s)

    def _tell(self, voice: _Voice, change: TalkingChange | None, at_s: float) -> None:
        if change is not None:
            voice.seen.talking.append((at_s, change is TalkingChange.STARTED))

    def _pulse(self, voice: _Voice, now_s: float) -> None:
        if voice.link is None:
            return
        figures = voice.track.statistics
        voice.link.report_losses(msgspec.structs.replace(figures.loss, health=self._health), now_s)
        voice.link.report(now_s)
        playout = figures.playout
        found = voice.disturbances.look(
            now_s, playout.concealed_samples, self._health, voice.link.other_health
        )
        if found is not None:
            voice.seen.disturbances.append((now_s, found))
        voice.seen.readings.append(
            Reading(
                now_s,
                playout.total_samples_received,
                playout.concealed_samples,
                playout.packets_received,
                playout.packets_discarded,
                playout.packets_recovered,
                voice.link.jitter_s,
                voice.link.rtt_s,
                PictureReading() if self.pictures is None else self.pictures.reading(voice.seen.speaker),
            )
        )

    # stopped and continued

    def stop(self, now_s: float) -> None:
        """Stand still."""
        self.stopped_at = now_s

    def go_on(self, now_s: float) -> None:
        """Do what waited: all of it if that is little, the last of it otherwise."""
        assert self.stopped_at is not None, "it was stopped"
        self._stood_still_s = now_s - self.stopped_at
        self.stopped_at = None
        if not self._began:
            return
        for voice in self.voices.values():
            if voice.line is not None:
                voice.line.keep_waiting(now_s, SOCKET_PACKETS)
        behind = int((now_s - self.next_capture_at) / TICK_S)
        if behind * TICK_S > BACKLOG_S:
            self._captured += behind * TICK_SAMPLES
            self._missing_samples += behind * TICK_SAMPLES
            self.pipeline.skip(behind, self._microphone_at + self._captured / SAMPLE_RATE_HZ)
            self._send(now_s)
        missed = int((now_s - self.next_tick_at) / TICK_S)
        if missed * TICK_S > BACKLOG_S:
            # A speaker is silent meanwhile, and the streams are not asked.
            silence = np.zeros(TICK_SAMPLES, np.float32)
            self.mix += [silence] * missed
            for voice in self.voices.values():
                voice.overheard.blocks += [silence] * missed
            for tick in range(missed):
                at_s = self.next_tick_at + tick * TICK_S
                notes = TickNotes(
                    (), self._mixer.applied_gain, self._speaker, at_s, late_s=now_s - at_s, is_silence=True
                )
                self._note(notes, silence, at_s)
            self._unheard_samples += missed * TICK_SAMPLES
            self._ticks += missed

    # the end

    def decisions(self) -> list[DecisionLine]:
        """Return the decision log of all voices. Once, at the end."""
        lines = [*self._decisions, *self._lines.finish()]
        return [msgspec.json.decode(line, type=DecisionLine) for line in lines]

    def heard(self, blocks: list[Samples], first_tick: int, total: int) -> Samples:
        """Return blocks of the speaker in their place from the scenario's second 0 on."""
        sound = np.zeros(total, np.float32)
        if not blocks:
            return sound
        whole = np.concatenate(blocks)
        first = round((self.first_tick_at + OUTPUT_LEAD_S + first_tick * TICK_S) * SAMPLE_RATE_HZ)
        count = max(0, min(len(whole), total - first))
        sound[first : first + count] = whole[:count]
        return sound
