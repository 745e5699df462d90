"""Records from a microphone for some seconds, as a call would hear it, and measures what came.

device ──> ready_s, captured_at, read ──> LevelMeter, RateMeter, gaps
                                     '──> VoiceFromDevice ──> the voice, to be played back
"""

from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np

from blink_cli.audio.channel_reading import ChannelReading
from blink_cli.audio.device_test.levels import ChannelLevels, LevelMeter
from blink_cli.audio.device_test.rate_meter import MeasuredRate, RateMeter
from blink_cli.audio.device_test.server_switches import switched_off
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace, InputDevice
from blink_cli.audio.loudness.meter import LoudnessMeter
from blink_cli.audio.resampling import VoiceFromDevice
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.clock import Clock

BLOCK_S: Final = 0.01
SHOWN_EVERY_S: Final = 0.05
SETTLING_S: Final = 0.5
"""While a stream starts, its time is not yet the device's; the rate is measured behind it."""

STARTING_S: Final = 3.0
"""How long a device may take to deliver its first sample: PulseAudio's idle null sink takes two."""

STALLED_AFTER_S: Final = 2.0
"""How long it may deliver nothing afterwards."""

OUT_OF_PLACE_S: Final = 0.001
"""So much later than expected sound is missing before it (`InputDevice.captured_at` promises less)."""

LONGEST_WAIT_S: Final = 0.05


class LevelNow(msgspec.Struct, frozen=True):
    """For a bar: how loud it is at this moment of a recording."""

    elapsed_s: float
    level_dbov: float
    peak_dbfs: float
    """The largest so far."""


class InputRecording(msgspec.Struct, frozen=True):
    """What a microphone delivered."""

    device: DeviceParameters
    place: DevicePlace | None
    """Where the sound server has it."""

    seconds: float
    """Of sound."""

    first_sound_s: float
    """From the start of the device to its first sample."""

    channels: tuple[ChannelLevels, ...]
    mix: ChannelReading | None
    """What becomes of the channels; None of one."""

    voice_levels: ChannelLevels
    """Of what a call would hear."""

    loudness_lufs: float | None
    """Of what a call would hear, as a whole (BS.1770); None of silence."""

    switched_off: str | None
    """What to do about a source that the sound server keeps silent; None if it does not."""

    levels_dbov: tuple[float, ...]
    """The loudest channel over time, every 50 ms."""

    rate: MeasuredRate | None
    gaps: int
    missing_s: float
    lost_s: float
    """Captured and overwritten before it was read: this machine came late."""

    latency_s: float
    """From the microphone to the program, by what the system says."""

    voice: Samples
    """What a call would hear: 48 kHz, one channel, shape `(n,)`."""


def record(
    device: InputDevice,
    seconds: float,
    clock: Clock,
    on_level: Callable[[LevelNow], None],
    go_on: Callable[[], None] = lambda: None,
) -> InputRecording:
    """Record so many seconds. Starts and stops the device; blocks.

    Args:
        device: Not started.
        seconds: How long, from the first sample.
        clock: Time.
        on_level: Called about twenty times a second, on this thread.
        go_on: Called at least as often, also while nothing comes; what it raises ends the recording.

    Raises:
        DeviceError: It does not start, ends by itself, or delivers nothing.

    """
    started_s = clock.now_s()
    device.start(started_s)
    try:
        return _Recorder(device, clock, on_level, go_on).record(seconds, started_s)
    finally:
        device.stop()


class _Recorder:
    def __init__(
        self,
        device: InputDevice,
        clock: Clock,
        on_level: Callable[[LevelNow], None],
        go_on: Callable[[], None],
    ) -> None:
        parameters = device.parameters
        self._device = device
        self._clock = clock
        self._on_level = on_level
        self._go_on = go_on
        self._rate_hz = parameters.sample_rate_hz
        self._step = max(1, round(self._rate_hz * BLOCK_S))
        self._meter = LevelMeter(self._rate_hz, parameters.channels)
        self._rate = RateMeter()
        self._converter = VoiceFromDevice(self._rate_hz, parameters.channels, parameters.channel)
        self._voice: list[Samples] = []
        self._first_at: float | None = None
        self._until_s = 0.0
        self._taken = 0
        self._missing_s = 0.0
        self._gaps = 0
        self._shown_s = 0.0

    def record(self, seconds: float, started_s: float) -> InputRecording:
        heard_s = started_s
        while self._first_at is None or self._until_s < self._first_at + seconds:
            self._go_on()
            now_s = self._clock.now_s()
            ready_s = self._device.ready_s(self._step, now_s)
            if ready_s <= now_s:
                captured_at = self._device.captured_at()
                frames = self._device.read(self._step)
                if len(frames):
                    heard_s = now_s
                    self._take(frames, captured_at)
                    continue
                ready_s = now_s + 0.001
            self._check(now_s, heard_s)
            self._clock.wait_until(min(ready_s, now_s + LONGEST_WAIT_S))
        return self._result(started_s)

    def _check(self, now_s: float, heard_s: float) -> None:
        name = self._device.parameters.name
        failure = self._device.reading(now_s).failure
        if failure is not None:
            raise DeviceError(failure, hint="`blink list-devices` lists what there is now.")
        patience_s = STARTING_S if self._first_at is None else STALLED_AFTER_S
        if now_s - heard_s > patience_s:
            what = "delivers nothing" if self._first_at is None else "has stopped to deliver sound"
            raise DeviceError(
                f"{name} {what}: no sample for {now_s - heard_s:.0f} s.",
                hint="Plug it in again, restart the sound server, or choose another: `blink list-devices`.",
            )

    def _take(self, frames: Samples, captured_at: float) -> None:
        if self._first_at is None:
            self._first_at = self._until_s = captured_at
        missing_s = captured_at - self._until_s
        if missing_s > OUT_OF_PLACE_S:
            self._gaps += 1
            self._missing_s += missing_s
        else:
            missing_s = 0.0
        passed = self._taken + self._missing_s * self._rate_hz
        if captured_at - self._first_at >= SETTLING_S:
            self._rate.add(captured_at, passed)
        self._taken += len(frames)
        self._until_s = captured_at + len(frames) / self._rate_hz
        self._meter.add(frames)
        self._voice.extend(self._converter.convert(frames))
        elapsed_s = self._until_s - self._first_at
        if elapsed_s - self._shown_s >= SHOWN_EVERY_S:
            self._shown_s = elapsed_s
            level_dbov, peak_dbfs = self._meter.latest()
            self._on_level(LevelNow(elapsed_s, level_dbov, peak_dbfs))

    def _result(self, started_s: float) -> InputRecording:
        assert self._first_at is not None, "it ends when it has heard enough"
        device = self._device
        reading = device.reading(self._clock.now_s())
        voice = np.concatenate(self._voice) if self._voice else np.zeros(0, dtype=np.float32)
        heard = LevelMeter(SAMPLE_RATE_HZ, 1)
        heard.add(voice[:, np.newaxis])
        loudness = LoudnessMeter(SAMPLE_RATE_HZ)
        loudness.add(voice)
        mix = reading.channels
        if mix is None and self._converter.mix.channels > 1:
            mix = self._converter.mix.reading()
        return InputRecording(
            device=device.parameters,
            place=reading.place,
            seconds=self._meter.seconds,
            first_sound_s=max(0.0, self._first_at - started_s),
            channels=self._meter.channels(),
            mix=mix,
            voice_levels=heard.channels()[0],
            loudness_lufs=loudness.integrated_lufs,
            switched_off=None if reading.place is None else switched_off(reading.place.name),
            levels_dbov=self._meter.history_dbov(),
            rate=self._rate.rate(),
            gaps=self._gaps,
            missing_s=self._missing_s,
            lost_s=reading.lost_frames / self._rate_hz,
            latency_s=reading.latency_s,
            voice=voice,
        )
