"""A call of two in virtual time in which something goes wrong, and what each side says whose fault it was.

Each side is the real thing: source track, sink mixer, playout buffer, health meter, loss reports, quality watch. Not so the sound, which is a noise that costs nothing to
encode, and the line, which is a list. One thread steps through it all, so that a hundred minutes take two.

    alice: SourceTrack ──> line (loss, outage, holding, jitter) ──> bob: SinkTrack ──> SinkMixer     and the same way back
                                                   '── LossReport with SideHealth ──>
"""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import msgspec
import numpy as np
from typing_extensions import override

from blink_cli.app.media.media_readings import PeerReading, SourceReading
from blink_cli.app.media.quality_watch import QualityWatch
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.devices.virtual_output import Nobody, VirtualOutput
from blink_cli.audio.playout.block import Block
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.samples import Samples
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_track import SourceTrack
from blink_cli.audio.voice_thread import Step
from blink_cli.core.analysis.culprit import DAMAGE_MS, Culprit
from blink_cli.core.analysis.health_meter import HealthMeter, SideReading
from blink_cli.core.api.events import AudioDisturbed, Event, StreamDirection
from blink_cli.core.ids import CallId, Did
from blink_cli.core.media import red
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.core.media.copy_brake import MOST_COPIES
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.loss_reporter import LossReporter
from blink_cli.core.media.media_tap import FramePlayed, PlayoutOutcome
from blink_cli.core.media.reception_statistics import ReceptionStatistics
from blink_cli.core.media.redundancy_policy import RedundancyPolicy
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket
from blink_cli.core.media.side_health import SideHealth

FRAME: Final = 960
OPUS, RED = 111, 63
_PAYLOAD: Final = bytes([9 << 3]) + bytes(20)
"""Looks like one SILK frame of 20 ms without FEC."""

IN_TIME_S: Final = 3.0
_WAY_S: Final = 0.02
_PULSE_S: Final = 0.1

Fault = Literal[
    "capture",
    "freeze",
    "slow",
    "loss",
    "outage",
    "held",
    "jitter",
    "speaker",
]
"""What goes wrong: a microphone stands still; a process is stopped; a machine is too slow; packets are lost, all of them for a while, held up and
come at once, or come at all times; a speaker stands still."""

FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)


class _Noise:
    """Implements `Sound`."""

    def __init__(self, seed: int) -> None:
        self._noise = (0.05 * np.random.default_rng(seed).standard_normal(9_600)).astype(np.float32)
        self._at = 0

    def rewind(self) -> None:
        self._at = 0

    def next(self, count: int) -> Samples:
        at = self._at % 4_800
        self._at += count
        return self._noise[at : at + count]

    def skip(self, count: int) -> None:
        self._at += count

    def close(self) -> None:
        pass

    def channels(self) -> None:
        return None


class _Encoder:
    frame_samples = FRAME
    channels = 1
    short_copy = b""

    def encode(self, samples: Samples) -> bytes:
        del samples
        return _PAYLOAD


class _Decoder:
    """Implements `FrameDecoder`."""

    def __init__(self) -> None:
        self._block = (0.05 * np.random.default_rng(5).standard_normal(FRAME)).astype(np.float32)

    def decode(self, payload: bytes) -> Block:
        del payload
        return self._block.copy()

    def decode_fec(self, next_payload: bytes, samples: int) -> Block:
        del next_payload
        return self._block[:samples].copy()

    def conceal(self, samples: int) -> Block:
        return self._block[:samples].copy()

    def dred_samples(self, payload: bytes) -> int:
        del payload
        return 0

    def told_by_dred(self, payload: bytes, before_samples: int, samples: int) -> Block | None:
        del payload, before_samples, samples
        return None

    def reset(self) -> None:
        pass


@dataclass
class Machine:
    """One side's time: when its threads wake."""

    random: np.random.Generator
    frozen: tuple[float, float] = (0.0, 0.0)
    slow: tuple[float, float] = (0.0, 0.0)
    slow_by_s: float = 0.0

    def wakes_at(self, wanted_s: float) -> float:
        """When a thread that wants to wake at a time does."""
        woken_s = wanted_s + float(self.random.exponential(0.0003))
        if self.slow[0] <= wanted_s < self.slow[1]:
            woken_s += float(self.random.exponential(self.slow_by_s))
        if self.frozen[0] <= woken_s < self.frozen[1]:
            woken_s = self.frozen[1] + float(self.random.exponential(0.0003))
        return woken_s


class _ThreadClock:
    """A `Clock` whose time moves when its thread waits."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, when_s: float) -> None:
        self._now_s = max(self._now_s, self._machine.wakes_at(max(self._now_s, when_s)))


class _Microphone(VirtualInput):
    still: tuple[float, float] = (0.0, 0.0)
    keeps = True
    """Whether what was held up comes afterwards."""

    @override
    def ready_s(self, frames: int, now_s: float) -> float:
        from_s, until_s = self.still
        if from_s <= now_s < until_s:
            return now_s + 0.01
        if now_s >= until_s and not self.keeps and until_s:
            self.keeps = True
            lost = int((until_s - from_s) * 48_000)
            self._sound.skip(lost)
            self._clock.frames += lost
            self._clock.lost_frames += lost
        return super().ready_s(frames, now_s)


class _Speaker(VirtualOutput):
    still: tuple[float, float] = (0.0, 0.0)
    makes_up = True

    @override
    def ready_s(self, now_s: float) -> float:
        from_s, until_s = self.still
        if from_s <= now_s < until_s:
            return now_s + 0.01
        if now_s >= until_s and not self.makes_up:
            assert self._clock.start_s is not None, "it runs"
            self._clock.start_s += until_s - from_s
            self.makes_up = True
        return super().ready_s(now_s)


@dataclass
class Line:
    """One direction."""

    random: np.random.Generator
    jitter_s: float = 0.001
    bad: tuple[float, float] = (0.0, 0.0)
    kind: Fault | None = None
    strength: float = 0.0
    last_s: float = 0.0

    def arrival(self, sent_s: float) -> float | None:
        """When it comes; None: never."""
        way_s = _WAY_S + float(self.random.exponential(self.jitter_s))
        if self.bad[0] <= sent_s < self.bad[1]:
            match self.kind:
                case "loss" if self.random.random() < self.strength:
                    return None
                case "outage":
                    return None
                case "held":
                    way_s += self.bad[1] - sent_s
                case "jitter":
                    way_s += float(self.random.exponential(self.strength))
                case _:
                    pass
        return sent_s + way_s


@dataclass(order=True)
class _Event:
    at_s: float
    number: int
    act: Callable[[float], None] = field(compare=False)


class Side:
    """One session."""

    def __init__(self, did: Did, other: Did, seed: int, world: "World") -> None:
        self.did = did
        self._other = other
        self._world = world
        self.random = np.random.default_rng(seed)
        self.machine = Machine(self.random)
        self.line = Line(np.random.default_rng(seed + 1))
        self.told: list[tuple[float, AudioDisturbed]] = []
        self.microphone = _Microphone("noise", _Noise(seed))
        self.speaker = _Speaker("nobody", Nobody())
        self._capture_clock, self._playout_clock = _ThreadClock(self.machine), _ThreadClock(self.machine)
        self.mixer = SinkMixer(self.speaker, clock=self._playout_clock)
        self.source: SourceTrack[_Encoder] = SourceTrack(
            self.microphone, _Encoder(), self._captured, first_timestamp=seed, clock=self._capture_clock
        )
        self.stream = PlayoutBuffer(_Decoder(), (OPUS, RED), observer=self._played)
        self.track = SinkTrack(self.stream)
        self.mixer.add(self.track)
        self._statistics = ReceptionStatistics()
        self.watch = QualityWatch(did, self._event, lambda *_: self._statistics)
        self.watch.media_began(CallId("c0ffee00c0ffee00"))
        self.watch.link_connected(other, OPUS, RED)
        self._health = HealthMeter()
        self._own = SideHealth()
        self._theirs = SideHealth()
        self._reporter = LossReporter()
        self._policy = RedundancyPolicy(CodecSettings(fec="off"))
        self._sequence = 0
        self._history: list[tuple[int, bytes]] = []
        self._next_look_s = 1.0
        self._pulse_due_s = _PULSE_S
        self._now_s = 0.0

    def start(self) -> None:
        """Run the devices."""
        self.speaker.start(0.0)
        self.microphone.start(0.0)
        self.mixer._adopt(self.speaker, 0.0)
        self.source._adopt(self.microphone, 0.0)
        self._world.at(self.machine.wakes_at(_PULSE_S), self._pulse)

    @property
    def threads(self) -> tuple[tuple[_ThreadClock, Step], ...]:
        """What steps by itself."""
        return (self._capture_clock, self.source._step), (self._playout_clock, self.mixer._step)

    def _event(self, event: Event) -> None:
        if isinstance(event, AudioDisturbed):
            self.told.append((self._now_s, event))

    def _played(self, ssrc: int, timestamp: int, outcome: PlayoutOutcome) -> None:
        self.watch.played(FramePlayed(self._other, ssrc, timestamp, outcome))

    def _captured(self, frame: EncodedFrame) -> None:
        now_s = self._capture_clock.now_s()
        plan = self._policy.plan(now_s)
        copies = self._history[-plan.red_levels :] if plan.red_levels else []
        payload = red.pack(frame.payload, frame.timestamp, copies, OPUS) if copies else frame.payload
        self._history = [*self._history[1 - MOST_COPIES :], (frame.timestamp, frame.payload)]
        self._sequence += 1
        arrival_s = self.line.arrival(now_s)
        if arrival_s is None:
            return
        packet = RtpPacket(
            ssrc=7,
            sequence_number=self._sequence & 0xFFFF,
            timestamp=frame.timestamp,
            payload_type=RED if copies else OPUS,
            marker=frame.talk_spurt_start,
            payload=payload,
            arrival_s=arrival_s,
            audio_level_dbov=-30,
            voice=True,
        )
        other = self._world.other(self)
        self._world.at(other.machine.wakes_at(arrival_s), lambda _: other.receive(packet))

    def receive(self, packet: RtpPacket) -> None:
        """Take a packet, on the event loop."""
        if self._statistics.received(
            packet.sequence_number, packet.timestamp, packet.arrival_s, len(packet.payload)
        ):
            self.track.receive(packet)
            self.watch.packet_received(self._other, packet)

    def hear_report(self, report: LossReport, now_s: float) -> None:
        """Take the other side's word."""
        self._theirs = report.health
        self._policy.on_loss_report(report, now_s)

    def _pulse(self, now_s: float) -> None:
        self._now_s = now_s
        late_s = now_s - self._pulse_due_s
        source, mixer = self.source.statistics(now_s), self.mixer.statistics(now_s)
        reading = SideReading(
            loop_late_ms=1000 * late_s,
            late_steps=source.lateness.over_10_ms + mixer.lateness.over_10_ms,
            missing_samples=source.missing_samples,
            unheard_samples=mixer.unheard_samples + mixer.reading.lost_frames,
        )
        self._own = self._health.update(reading, now_s)
        figures = self.track.statistics
        report = msgspec.structs.replace(figures.loss, health=self._own)
        if self._reporter.due(report, now_s):
            arrival_s = self.line.arrival(now_s)
            other = self._world.other(self)
            if arrival_s is not None:
                self._world.at(
                    other.machine.wakes_at(arrival_s), lambda at_s: other.hear_report(report, at_s)
                )
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + 1.0
            self._look(now_s)
        self._pulse_due_s = now_s + _PULSE_S
        self._world.at(self.machine.wakes_at(self._pulse_due_s), self._pulse)

    def _look(self, now_s: float) -> None:
        playout = self.track.statistics.playout
        reading = PeerReading(
            peer=self._other,
            packets_sent=self._sequence,
            concealed_samples=playout.concealed_samples,
            silent_concealed_samples=playout.silent_concealed_samples,
            total_samples=playout.total_samples_received,
            delay_ms=playout.delay_ms if playout.total_samples_received else None,
            remote=None,
            rtt_s=None,
            own_health=self._own,
            health=self._theirs,
        )
        self.watch.look((reading,), SourceReading(0, 0), now_s)


class World:
    """Both sides, and what is under way."""

    def __init__(self, seed: int) -> None:
        self._events: list[_Event] = []
        self._numbers = itertools.count()
        alice, bob = Did("did:key:z6MkAlice"), Did("did:key:z6MkBob")
        self.alice, self.bob = Side(alice, bob, 2 * seed, self), Side(bob, alice, 2 * seed + 1, self)
        self.alice.start()
        self.bob.start()

    def other(self, side: Side) -> Side:
        """Who is not this one."""
        return self.bob if side is self.alice else self.alice

    def at(self, at_s: float, act: Callable[[float], None]) -> None:
        """Have something done."""
        heapq.heappush(self._events, _Event(at_s, next(self._numbers), act))

    def run(self, until_s: float) -> None:
        """Let time pass."""
        threads = (*self.alice.threads, *self.bob.threads)
        while True:
            clock, step = min(threads, key=lambda one: one[0].now_s())
            now_s = clock.now_s()
            if self._events and self._events[0].at_s <= now_s:
                event = heapq.heappop(self._events)
                event.act(event.at_s)
                continue
            if now_s >= until_s:
                return
            sleeps_until_s = step()
            if sleeps_until_s is not None:
                clock.wait_until(sleeps_until_s)


class Trial(msgspec.Struct, frozen=True):
    """What was done, and what was said of it at the side that hears it."""

    seed: int
    fault: Fault
    began_s: float
    lasted_s: float
    strength: float
    expected: Culprit
    told: tuple[tuple[float, Culprit], ...]
    """Seconds after the fault began."""

    damage_ms: float

    @property
    def is_audible(self) -> bool:
        """Whether there is anything to blame anybody for: three frames made up, or a speaker that stood still."""
        return self.fault == "speaker" or self.damage_ms >= DAMAGE_MS

    @property
    def is_right(self) -> bool:
        """Whether the first word is right, comes in time and no other one follows. A fault that lets nothing pass is known of when it is over."""
        if not self.told or {culprit for _, culprit in self.told} != {self.expected}:
            return False
        passes = self.fault in ("loss", "jitter", "slow")
        return self.told[0][0] <= IN_TIME_S + (0.0 if passes else self.lasted_s)


def run_trial(seed: int, fault: Fault) -> Trial:
    """Let one thing go wrong with alice, her machine, the way to bob, or bob's machine or speaker, and return what bob says of alice's voice."""
    random = np.random.default_rng(seed)
    world = World(seed)
    alice, bob = world.alice, world.bob
    for side in (alice, bob):
        side.line.jitter_s = float(random.uniform(0.0005, 0.004))
    began_s = 6.0 + float(random.uniform(0, 1))
    lasted_s = float(random.uniform(0.25, 1.5))
    strength = 0.0
    if fault in ("loss", "jitter", "slow"):
        lasted_s = 4.0
    span = (began_s, began_s + lasted_s)
    at_receiver = bool(random.random() < 0.5)
    match fault:
        case "capture":
            alice.microphone.still, alice.microphone.keeps = span, at_receiver
            expected = Culprit.SENDER_CAPTURE
        case "freeze":
            (bob if at_receiver else alice).machine.frozen = span
            expected = Culprit.RECEIVER_MACHINE if at_receiver else Culprit.SENDER_MACHINE
        case "slow":
            strength = float(random.uniform(0.04, 0.1))
            machine = (bob if at_receiver else alice).machine
            machine.slow, machine.slow_by_s = span, strength
            expected = Culprit.RECEIVER_MACHINE if at_receiver else Culprit.SENDER_MACHINE
        case "speaker":
            bob.speaker.still, bob.speaker.makes_up = span, at_receiver
            expected = Culprit.RECEIVER_DEVICE
        case _:
            strength = float(random.uniform(0.15, 0.5) if fault == "loss" else random.uniform(0.06, 0.15))
            alice.line.bad, alice.line.kind, alice.line.strength = span, fault, strength
            expected = Culprit.NETWORK_IN
    world.run(began_s)
    before = bob.stream.statistics().concealed_samples
    world.run(span[1] + 5.0)
    damage = bob.stream.statistics().concealed_samples - before
    told = tuple(
        (round(at_s - began_s, 2), Culprit(event.culprit))
        for at_s, event in bob.told
        if event.direction is StreamDirection.INBOUND
    )
    return Trial(seed, fault, began_s, lasted_s, strength, expected, told, damage / 48)


def clean_call(number: int, minutes: int) -> list[tuple[float, str, str]]:
    """Let two talk with nothing wrong, and return who was blamed all the same: when, whom, why."""
    world = World(1_000_000 + number)
    sides = (world.alice, world.bob)
    for side in sides:
        side.line.jitter_s = 0.0005 * (1 + number % 8)
    world.run(60.0 * minutes)
    return [(at_s, str(event.culprit), event.reason) for side in sides for at_s, event in side.told]
