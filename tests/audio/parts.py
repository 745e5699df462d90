"""Real parts, slightly bent: an encoder that leaves samples as they are, a stream that plays packets at once, devices in the hand."""

from collections import deque

import msgspec
import numpy as np
from typing_extensions import override

from blink_cli.audio.devices.captured_frames import CapturedFrames
from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.virtual_input import Sound, VirtualInput
from blink_cli.audio.devices.virtual_output import VirtualOutput
from blink_cli.audio.playout.statistics import PlayoutStatistics
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.core.errors import DeviceError
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.playout_decision import PlayoutDecision
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket

NOTHING_PLAYED = PlayoutStatistics(**dict.fromkeys(PlayoutStatistics.__struct_fields__, 0))


class PlainEncoder:
    """Payloads are the samples themselves."""

    short_copy = b""

    def __init__(self, frame_samples: int = 960, channels: int = 1) -> None:
        self.frame_samples = frame_samples
        self.channels = channels

    def encode(self, samples: Samples) -> bytes:
        assert samples.shape == ((self.frame_samples,) if self.channels == 1 else (self.frame_samples, 2))
        assert samples.dtype == np.float32
        return samples.tobytes()


def sound_of(frame: EncodedFrame) -> Samples:
    return np.frombuffer(frame.payload, dtype=np.float32)


def packet(payload: Samples) -> RtpPacket:
    return RtpPacket(
        ssrc=1,
        sequence_number=0,
        timestamp=0,
        payload_type=96,
        marker=False,
        payload=payload.tobytes(),
        arrival_s=0.0,
    )


class PlainStream:
    """Plays what it was given, in order, as soon as it is asked."""

    def __init__(self) -> None:
        self.blocks: deque[Samples] = deque()
        self.asked_s: list[float] = []

    def put(self, packet: RtpPacket) -> None:
        self.blocks.extend(np.frombuffer(packet.payload, dtype=np.float32).reshape(-1, 480))

    def get(self, now_s: float) -> Samples:
        self.asked_s.append(now_s)
        return self.blocks.popleft() if self.blocks else SILENT_BLOCK

    def statistics(self) -> PlayoutStatistics:
        return msgspec.structs.replace(NOTHING_PLAYED, total_samples_received=480 * len(self.asked_s))

    def loss_report(self) -> LossReport:
        return LossReport(0.0, 0.0, 0)

    def rest(self) -> None:
        pass

    def note(self, decisions: list[PlayoutDecision] | None) -> None:
        pass


class ConstantStream(PlainStream):
    """Plays one value for ever."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._block = np.full(480, value, dtype=np.float32)

    @override
    def get(self, now_s: float) -> Samples:
        super().get(now_s)
        return self._block


class RampSound:
    """Sample k is `base + k * step`: every sample says which one it is."""

    def __init__(self, base: float = 0.0, step: float = 1e-6) -> None:
        self._base, self._step = base, step
        self._next = 0

    def rewind(self) -> None:
        self._next = 0

    def next(self, count: int) -> Samples:
        at = np.arange(self._next, self._next + count)
        self._next += count
        return (self._base + at * self._step).astype(np.float32)

    def skip(self, count: int) -> None:
        self._next += count

    def close(self) -> None:
        pass

    def channels(self) -> None:
        return None


class Ear:
    """A virtual speaker's listener that remembers everything."""

    heard_before = 0
    dropped_samples = 0
    failure = None

    def __init__(self) -> None:
        self._heard: list[Samples] = []

    @property
    def heard(self) -> Samples:
        return np.concatenate(self._heard) if self._heard else np.zeros(0, dtype=np.float32)

    def begin(self) -> None:
        pass

    def hear(self, samples: Samples) -> None:
        self._heard.append(samples.copy())

    def hear_nothing(self, count: int) -> None:
        self._heard.append(np.zeros(count, dtype=np.float32))

    def end(self) -> None:
        pass


class StallingInput(VirtualInput):
    """A microphone that can stand still."""

    stalled = False
    period_s = 0.0
    _from_s = _until_s = -np.inf
    _keep = 1.0

    @property
    def drift_ppm(self) -> float:
        """How much its clock runs fast."""
        return self._clock.drift_ppm

    def stand_still(self, from_s: float, for_s: float, keep: float) -> None:
        """Deliver nothing for so long; afterwards the last `keep` of what was held back is there, the rest is lost."""
        self._from_s, self._until_s, self._keep = from_s, from_s + for_s, keep

    @override
    def ready_s(self, frames: int, now_s: float) -> float:
        if self.stalled or self._from_s <= now_s < self._until_s:
            return now_s + 0.01
        if now_s >= self._until_s and self._keep < 1.0:
            lost = int((self._until_s - self._from_s) * (1.0 - self._keep) * 48_000)
            self._keep = 1.0
            self._sound.skip(lost)
            self._clock.frames += lost
            self._clock.lost_frames += lost
        return super().ready_s(frames, now_s)


class SystemInput:
    """A microphone of a sound system, in virtual time: callbacks that come as a schedule says, behind the real ring and clock.

    Frame k of `sound` is captured at `start + k / rate * (1 - ppm / 10^6)`. `stand_still` keeps callbacks away, and says which part of what
    was captured meanwhile comes afterwards, all at once.
    """

    def __init__(
        self,
        sound: Sound,
        *,
        rate_hz: int = 48_000,
        channels: int = 1,
        callback_frames: int = 240,
        together: int = 1,
        drift_ppm: float = 0.0,
        latency_s: float | None = None,
        latency_noise_s: float = 0.0,
        tells_latency: bool = True,
    ) -> None:
        self._tells_latency = tells_latency
        self.parameters = DeviceParameters("microphone", rate_hz, channels, virtual=False)
        self._sound = sound
        self._callback_frames, self._together = callback_frames, together
        self._frame_s = (1.0 - drift_ppm * 1e-6) / rate_hz
        self.drift_ppm = drift_ppm
        self.period_s = callback_frames * together / rate_hz
        self._latency_s, self._latency_noise_s = latency_s, latency_noise_s
        self._noise = np.random.default_rng(7)
        self._start_s: float | None = None
        self._frame = self._burst_from = 0
        self._until_s = self._from_s = -np.inf
        self._keep = 1.0
        self._callback_s = 0.0
        self._frames = self._new()

    def _new(self) -> CapturedFrames:
        parameters = self.parameters
        return CapturedFrames(parameters.sample_rate_hz, parameters.channels, lambda: self._callback_s)

    def start(self, now_s: float) -> None:
        self._sound.rewind()
        self._start_s, self._frame, self._burst_from = now_s, 0, 0
        self._frames = self._new()

    def stand_still(self, from_s: float, for_s: float, keep: float) -> None:
        """Let no callback come for so long; afterwards the last `keep` of what was held back comes at once, the rest is lost."""
        self._from_s, self._until_s, self._keep = from_s, from_s + for_s, keep

    def set_latency(self, latency_s: float) -> None:
        """Let it take so long from the microphone to the callback from now on."""
        self._latency_s = latency_s

    def ready_s(self, frames: int, now_s: float) -> float:
        self._call_back(now_s)
        return self._frames.ready_s(frames, now_s)

    def captured_at(self) -> float:
        return self._frames.captured_at()

    def read(self, frames: int) -> Samples:
        return self._frames.read(frames)

    def stop(self) -> None:
        self._start_s = None

    def position_s(self, now_s: float) -> float | None:
        return None if self._start_s is None else now_s - self._start_s

    def reading(self, now_s: float) -> DeviceReading:
        frames = self._frames
        return DeviceReading(
            running=self._start_s is not None,
            frames=frames.frames,
            lost_frames=frames.lost_frames,
            queued_frames=frames.queued,
            latency_s=frames.latency_s,
            failure=None,
        )

    def _captured_s(self, frame: int) -> float:
        assert self._start_s is not None, "it runs"
        return self._start_s + frame * self._frame_s

    def _call_back(self, now_s: float) -> None:
        held_s = self._latency_s or 0.0
        burst = self._callback_frames * self._together
        while self._start_s is not None:
            end = self._frame + self._callback_frames
            together = -(-(end - self._burst_from) // burst) * burst
            due_s = self._captured_s(self._burst_from + together) + held_s
            if self._from_s <= due_s < self._until_s:
                due_s = self._until_s
                lost = int((self._until_s - self._from_s) * (1.0 - self._keep) / self._frame_s)
                if due_s <= now_s and lost:
                    self._keep = 1.0
                    self._sound.skip(lost)
                    self._frame += lost
                    self._burst_from = self._frame
                    continue
            if due_s > now_s:
                return
            self._callback_s = due_s + 1e-5 * (end % burst) / burst
            latency_s = self._latency_s
            if latency_s is not None and not self._tells_latency:
                latency_s = None
            if latency_s is not None:
                latency_s = self._callback_s - self._captured_s(self._frame)
                latency_s += self._noise.uniform(-1, 1) * self._latency_noise_s
            block = self._sound.next(self._callback_frames)[:, np.newaxis]
            self._frames.captured(np.repeat(block, self.parameters.channels, axis=1), latency_s)
            self._frame = end


class LeakyInput(VirtualInput):
    """A microphone that loses samples when the test says so, while the thread waits."""

    def lose(self, frames: int) -> None:
        self._sound.skip(frames)
        self._clock.frames += frames
        self._clock.lost_frames += frames


class StallingOutput(VirtualOutput):
    """A speaker that can stand still."""

    stalled = False
    _from_s = _until_s = -np.inf
    _makes_up = True

    def stand_still(self, from_s: float, for_s: float, *, makes_up: bool) -> None:
        """Want nothing for so long; afterwards what was missed at once, or nothing of it."""
        self._from_s, self._until_s, self._makes_up = from_s, from_s + for_s, makes_up

    @override
    def ready_s(self, now_s: float) -> float:
        if self.stalled or self._from_s <= now_s < self._until_s:
            return now_s + 0.01
        if now_s >= self._until_s and not self._makes_up:
            assert self._clock.start_s is not None
            self._clock.start_s += self._until_s - self._from_s
            self._makes_up = True
        return super().ready_s(now_s)


class BrokenDevice:
    """Either kind; it does not start."""

    parameters = DeviceParameters("broken", 48_000, 1, virtual=False)
    stopped = False

    def start(self, now_s: float) -> None:
        raise DeviceError("The device broken is held by another program.")

    def ready_s(self, *_: float) -> float:
        raise AssertionError("it never started")

    def captured_at(self) -> float:
        raise AssertionError("it never started")

    def read(self, frames: int) -> Samples:
        raise AssertionError("it never started")

    def heard_at(self) -> float:
        raise AssertionError("it never started")

    def queued_frames(self, now_s: float) -> int:
        raise AssertionError("it never started")

    def write(self, frames: Samples) -> int:
        raise AssertionError("it never started")

    def stop(self) -> None:
        self.stopped = True

    def position_s(self, now_s: float) -> float | None:
        return None

    def reading(self, now_s: float) -> DeviceReading:
        return DeviceReading(
            running=False, frames=0, lost_frames=0, queued_frames=0, latency_s=0.0, failure=None
        )
