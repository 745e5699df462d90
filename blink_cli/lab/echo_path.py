"""A session's sound in a simulated room, in virtual time: its speaker is heard by its microphone.

    far speech ──> SinkMixer ──> RoomSpeaker ──> Room ──(+)──> RoomMicrophone ──> SourceTrack ──> frames
                        '──────────> FarReference ──────────────────> CaptureChain ──'
                                                     near speech ──'

Everything between the streams and the encoder is the program's own; the steps of its two voice threads run one after the other on one thread, each when
it is due. Devices have clocks of their own and a delay that they do not tell.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.virtual import OUTPUT_LEAD_S, VirtualClock
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.echo import CANCELLER_DELAY_SAMPLES
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import ProcessingFigures
from blink_cli.audio.processing.webrtc import WebrtcEchoCanceller
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.sink_mixer import SinkMixer
from blink_cli.audio.sink_track import SinkTrack
from blink_cli.audio.source_track import SourceTrack
from blink_cli.audio.voice_thread import Step
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.playout_decision import PlayoutDecision
from blink_cli.core.media.processing_settings import EchoCancel, ProcessingSettings
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.rooms import Loudspeaker, Room

FRAME_SAMPLES: Final = 2 * TICK_SAMPLES
_QUEUED_S: Final = 0.03
"""What a sound system's output holds, and tells."""


@dataclass(frozen=True)
class Situation:
    """What happens in a room."""

    room: Room
    far: Samples
    near: Samples
    """What is said in the room; as long as it lasts."""

    drift_ppm: float = 0.0
    """How much faster the speaker's clock runs than the microphone's."""

    slip_at_s: float | None = None
    """When the way from speaker to microphone becomes `slip_s` longer, and nobody tells."""

    slip_s: float = 0.02


@dataclass(frozen=True)
class Sent:
    """What became of it."""

    heard: Samples
    """By the microphone."""

    sent: Samples
    """To the encoder; sample k is what was heard as sample k."""

    figures: ProcessingFigures
    latest_s: float
    """How long behind its last sample a frame left."""

    def removed_db(self, from_s: float, until_s: float) -> float:
        """Return how much quieter it is sent than heard, between two moments."""
        piece = slice(round(from_s * SAMPLE_RATE_HZ), round(until_s * SAMPLE_RATE_HZ))
        return _power_db(self.heard[piece]) - _power_db(self.sent[piece])


def send(situation: Situation, settings: ProcessingSettings | None = None) -> Sent:
    """Let a session live through it."""
    reference = FarReference()
    speaker = RoomSpeaker(situation.drift_ppm)
    microphone = RoomMicrophone(situation, speaker)
    mixing, capturing = _StepClock(), _StepClock()
    mixer = SinkMixer(speaker, reference=reference, clock=mixing)
    mixer.add(SinkTrack(_Spoken(situation.far)))
    frames: list[EncodedFrame] = []
    latest = [0.0]

    def take(frame: EncodedFrame) -> None:
        frames.append(frame)
        assert frame.captured_at is not None, "a source track tells it"
        ended_at = frame.captured_at + frame.duration_samples / SAMPLE_RATE_HZ
        latest[0] = max(latest[0], capturing.now_s() - ended_at)

    chain = CaptureChain(reference, settings or ProcessingSettings(echo_cancel=EchoCancel.ON))
    source: SourceTrack[_Plain] = SourceTrack(
        microphone, _Plain(), take, first_timestamp=0, chain=chain, clock=capturing
    )
    for device in (speaker, microphone):
        device.start(0.0)
    mixer._adopt(speaker, 0.0)
    source._adopt(microphone, 0.0)
    steps: tuple[tuple[_StepClock, Step], ...] = (
        (mixing, mixer._step),
        (capturing, source._step),
    )
    until_s = len(situation.near) / SAMPLE_RATE_HZ + 0.2
    while True:
        clock, step = min(steps, key=lambda one: one[0].now_s())
        if clock.now_s() >= until_s:
            break
        sleeps_until_s = step()
        if sleeps_until_s is not None:
            clock.wait_until(sleeps_until_s)
    sent = np.zeros(len(situation.near) + SAMPLE_RATE_HZ, dtype=np.float32)
    for frame in frames:
        samples = np.frombuffer(frame.payload, dtype=np.float32)
        sent[frame.timestamp : frame.timestamp + len(samples)] = samples
    count = len(situation.near)
    return Sent(microphone.heard[:count], sent[:count], chain.figures(), latest[0])


def _power_db(samples: Samples) -> float:
    return 10.0 * math.log10(float(np.mean(np.square(samples, dtype=np.float64))) + 1e-14)


class _StepClock:
    """A `Clock` whose time moves when its thread waits."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        return self._now_s

    def wait_until(self, when_s: float) -> None:
        self._now_s = max(self._now_s, when_s)


class _Plain:
    """An encoder whose payloads are the samples."""

    frame_samples = FRAME_SAMPLES
    channels = 1
    short_copy = b""

    def encode(self, samples: Samples) -> bytes:
        return samples.tobytes()


class _Spoken:
    """A `PlayoutStream` that plays what it was made with, once."""

    def __init__(self, sound: Samples) -> None:
        self._sound = sound
        self._next = 0

    def put(self, packet: RtpPacket) -> None:
        raise AssertionError(f"nothing is received in the laboratory: {packet}")

    def get(self, now_s: float) -> Samples:
        del now_s
        block = self._sound[self._next : self._next + TICK_SAMPLES]
        self._next += TICK_SAMPLES
        return block if len(block) == TICK_SAMPLES else SILENT_BLOCK

    def statistics(self) -> PlayoutStatistics:
        return PlayoutStatistics(**dict.fromkeys(PlayoutStatistics.__struct_fields__, 0))

    def loss_report(self) -> LossReport:
        return LossReport(0.0, 0.0, 0)

    def rest(self) -> None:
        pass

    def note(self, decisions: list[PlayoutDecision] | None) -> None:
        pass


@dataclass
class _RoomDevice:
    clock: VirtualClock
    name: str
    parameters: DeviceParameters = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = DeviceParameters(self.name, SAMPLE_RATE_HZ, 1, virtual=False)

    def start(self, now_s: float) -> None:
        self.clock.start(now_s)

    def stop(self) -> None:
        self.clock.stop()

    def position_s(self, now_s: float) -> float | None:
        return self.clock.position_s(now_s)

    def reading(self, now_s: float) -> DeviceReading:
        return DeviceReading(
            running=True,
            frames=self.clock.elapsed_frames(now_s),
            lost_frames=0,
            queued_frames=0,
            latency_s=0.0,
            failure=None,
        )


class RoomSpeaker(_RoomDevice):
    """Implements `OutputDevice`: what is written is heard `_QUEUED_S` later, as it says."""

    def __init__(self, drift_ppm: float) -> None:
        super().__init__(VirtualClock(drift_ppm), "loudspeaker")
        self.played: list[Samples] = []

    def ready_s(self, now_s: float) -> float:
        """Return when the next block is due."""
        del now_s
        return self.clock.time_of_s(self.clock.frames) - OUTPUT_LEAD_S

    def heard_at(self) -> float:
        """Return when the next frame is heard."""
        return self.clock.time_of_s(self.clock.frames) + _QUEUED_S

    def queued_frames(self, now_s: float) -> int:
        """Return what is told in `reading`."""
        del now_s
        return 0

    def write(self, frames: Samples) -> int:
        """Play `frames`."""
        self.played.append(frames[:, 0].copy())
        self.clock.frames += len(frames)
        return len(frames)


class RoomMicrophone(_RoomDevice):
    """Implements `InputDevice`: hears the room, what the speaker plays in it, and who talks there."""

    def __init__(self, situation: Situation, speaker: RoomSpeaker) -> None:
        super().__init__(VirtualClock(), "microphone")
        self._situation, self._speaker = situation, speaker
        self._loudspeaker = Loudspeaker(situation.room.distortion)
        self._radiated: Samples = np.zeros(0, dtype=np.float32)
        self._taken = 0
        self._noise = situation.room.noise(len(situation.near))
        self._heard: list[Samples] = []

    @property
    def heard(self) -> Samples:
        """All that it heard."""
        return np.concatenate(self._heard)

    def ready_s(self, frames: int, now_s: float) -> float:
        """Return when they are captured."""
        del now_s
        return self.clock.time_of_s(self.clock.frames + frames)

    def captured_at(self) -> float:
        """Return when the next frame begins."""
        return self.clock.time_of_s(self.clock.frames)

    def read(self, frames: int) -> Samples:
        """Return the next frames, shape `(frames, 1)`."""
        first = self.clock.frames
        heard = self._echo(first, frames)
        for sound in (self._situation.near, self._noise):
            piece = sound[first : first + frames]
            heard[: len(piece)] += piece
        self.clock.frames += frames
        self._heard.append(heard)
        return heard[:, np.newaxis]

    def _echo(self, first: int, frames: int) -> Samples:
        played, room = self._speaker.played, self._situation.room
        while self._taken < len(played):
            self._radiated = np.concatenate((self._radiated, self._loudspeaker.radiate(played[self._taken])))
            self._taken += 1
        times_s = np.array([self.clock.time_of_s(first), self.clock.time_of_s(first + frames)])
        delay_s = _QUEUED_S + room.delay_ms / 1000
        slip_at_s = self._situation.slip_at_s
        if slip_at_s is not None and times_s[0] >= slip_at_s:
            delay_s += self._situation.slip_s
        rate_hz = SAMPLE_RATE_HZ * (1.0 + self._situation.drift_ppm * 1e-6)
        begins, ends = (times_s - delay_s) * rate_hz
        at = begins + np.arange(frames) * ((ends - begins) / frames)
        return room.reflected(self._radiated, at)


def conversation(far: Samples, near: Samples, near_from_s: float) -> tuple[Samples, Samples]:
    """Return both, of one length, where the near one begins to talk later."""
    count = min(len(far), len(near))
    start = round(near_from_s * SAMPLE_RATE_HZ)
    quiet = near[:count].copy()
    quiet[:start] = 0.0
    return far[:count], quiet


def canceller_alone(far: Samples, heard: Samples) -> Samples:
    """Return what the library makes of the same sound; its delay is taken out."""
    canceller = WebrtcEchoCanceller()
    blocks = [
        canceller.process(heard[at : at + TICK_SAMPLES], far[at : at + TICK_SAMPLES])
        for at in range(0, len(far) - TICK_SAMPLES + 1, TICK_SAMPLES)
    ]
    whole = np.concatenate(blocks)[CANCELLER_DELAY_SAMPLES:]
    return np.concatenate((whole, np.zeros(len(far) - len(whole), dtype=np.float32)))
