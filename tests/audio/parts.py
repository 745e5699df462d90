"""Real parts, slightly bent: an encoder that leaves samples as they are, a stream that plays packets at once, devices in the hand."""

from collections import deque

import numpy as np

from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.devices.virtual_output import VirtualOutput
from blink_cli.audio.samples import SILENT_BLOCK, Samples
from blink_cli.core.errors import DeviceError
from blink_cli.core.rtp import EncodedFrame, RtpPacket


class PlainEncoder:
    """Payloads are the samples themselves."""

    def __init__(self, frame_samples: int = 960) -> None:
        self.frame_samples = frame_samples

    def encode(self, samples: Samples) -> bytes:
        assert samples.shape == (self.frame_samples,)
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

    def statistics(self) -> int:
        return len(self.asked_s)


class ConstantStream(PlainStream):
    """Plays one value for ever."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self._block = np.full(480, value, dtype=np.float32)

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

    def ready_s(self, frames: int, now_s: float) -> float:
        return now_s + 0.01 if self.stalled else super().ready_s(frames, now_s)


class LeakyInput(VirtualInput):
    """A microphone that loses samples when the test says so, while the thread waits."""

    def lose(self, frames: int) -> None:
        self._sound.skip(frames)
        self._clock.frames += frames
        self._clock.lost_frames += frames


class StallingOutput(VirtualOutput):
    """A speaker that can stand still."""

    stalled = False

    def ready_s(self, now_s: float) -> float:
        return now_s + 0.01 if self.stalled else super().ready_s(now_s)


class BrokenDevice:
    """Either kind; it does not start."""

    parameters = DeviceParameters("broken", 48_000, 1, virtual=False)
    stopped = False

    def start(self, now_s: float) -> None:
        raise DeviceError("The device broken is held by another program.")

    def ready_s(self, *_: float) -> float:
        raise AssertionError("it never started")

    def read(self, frames: int) -> Samples:
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
