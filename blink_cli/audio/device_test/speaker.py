"""Plays on a speaker: a tone on one channel after the other, or a recording, and measures how the device takes it.

Part (announced) ──> blocks of 10 ms at the device's rate ──> ready_s, write ──> device
                                                                  '──> RateMeter, what was lost
"""

from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np
import soxr

from blink_cli.audio.device_test.rate_meter import MeasuredRate, RateMeter
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace, OutputDevice
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.clock import Clock

BLOCK_S: Final = 0.01
TONE_AMPLITUDE: Final = 0.2
"""-14 dBFS: loud enough to be told from a room, and no shock in headphones."""

TONES_HZ: Final = (440.0, 554.37, 659.26, 880.0)
"""One for each channel, and again from the first: A, C sharp, E, A. Two at once would be heard as two."""

FADE_S: Final = 0.02
PAUSE_S: Final = 0.25
SETTLING_S: Final = 0.5
STALLED_AFTER_S: Final = 3.0
"""PulseAudio's idle null sink takes two seconds to begin."""

LONGEST_WAIT_S: Final = 0.05

_CHANNEL_NAMES: Final = {
    1: ("mono",),
    2: ("left", "right"),
    4: ("front left", "front right", "rear left", "rear right"),
}


def channel_name(channel: int, channels: int) -> str:
    """Return what a channel is called, from 1: left and right of two, by their number where their places are not known."""
    names = _CHANNEL_NAMES.get(channels)
    return f"channel {channel}" if names is None else names[channel - 1]


class Part(msgspec.Struct, frozen=True):
    """What is played in one piece."""

    channel: int | None
    """Which channel it is on, from 1; None for all."""

    sound: Samples
    """One channel at the device's rate, shape `(n,)`."""


class OutputTried(msgspec.Struct, frozen=True):
    """How a speaker took it."""

    device: DeviceParameters
    place: DevicePlace | None
    seconds: float
    """That were played."""

    rate: MeasuredRate | None
    lost_s: float
    """Due and not there: the device ran dry."""

    unheard_s: float
    """Written and not taken."""

    latency_s: float
    """From the program to the speaker, by what the system says; the largest that was seen behind the start."""


def tones(channels: Sequence[int], seconds: float, rate_hz: int) -> list[Part]:
    """Return a tone for each of these channels, from 1, each with a pause behind it."""
    return [
        Part(channel, _tone(TONES_HZ[(channel - 1) % len(TONES_HZ)], seconds, rate_hz))
        for channel in channels
    ]


def recording(voice: Samples, rate_hz: int) -> list[Part]:
    """Return 48 kHz of one channel, to be played on all channels at the device's rate."""
    if not len(voice):
        return []
    if rate_hz != SAMPLE_RATE_HZ:
        voice = soxr.resample(voice, SAMPLE_RATE_HZ, rate_hz)
    return [Part(None, np.asarray(voice, dtype=np.float32))]


def play(
    device: OutputDevice,
    parts: Sequence[Part],
    clock: Clock,
    on_part: Callable[[Part], None],
    go_on: Callable[[], None] = lambda: None,
) -> OutputTried:
    """Play all parts, one after the other, and wait until they are heard. Starts and stops the device; blocks.

    Args:
        device: Not started.
        parts: What.
        clock: Time.
        on_part: Called before each part, on this thread.
        go_on: Called often; what it raises ends the playing.

    Raises:
        DeviceError: It does not start, ends by itself, or takes nothing.

    """
    device.start(clock.now_s())
    try:
        return _Player(device, clock, go_on).play(parts, on_part)
    finally:
        device.stop()


class _Player:
    def __init__(self, device: OutputDevice, clock: Clock, go_on: Callable[[], None]) -> None:
        self._device = device
        self._clock = clock
        self._go_on = go_on
        self._rate_hz = device.parameters.sample_rate_hz
        self._channels = device.parameters.channels
        self._step = max(1, round(self._rate_hz * BLOCK_S))
        self._rate = RateMeter()
        self._started_s = self._taken_s = clock.now_s()
        self._written = 0
        self._lost_before = 0
        self._unheard = 0
        self._latency_s = 0.0

    def play(self, parts: Sequence[Part], on_part: Callable[[Part], None]) -> OutputTried:
        # While a stream starts, sound servers take more than they will later: what runs dry then says nothing.
        self._be_silent(round(SETTLING_S * self._rate_hz))
        self._lost_before = self._device.reading(self._clock.now_s()).lost_frames
        for part in parts:
            self._drain()
            on_part(part)
            for at in range(0, len(part.sound), self._step):
                self._write(part, part.sound[at : at + self._step])
        self._drain()
        reading = self._device.reading(self._clock.now_s())
        return OutputTried(
            device=self._device.parameters,
            place=reading.place,
            seconds=self._written / self._rate_hz,
            rate=self._rate.rate(),
            lost_s=(reading.lost_frames - self._lost_before) / self._rate_hz,
            unheard_s=self._unheard / self._rate_hz,
            latency_s=self._latency_s,
        )

    def _write(self, part: Part, sound: Samples) -> None:
        self._wait()
        frames = np.zeros((len(sound), self._channels), dtype=np.float32)
        if part.channel is None:
            frames[:] = sound[:, np.newaxis]
        else:
            frames[:, part.channel - 1] = sound
        self._unheard += len(frames) - self._device.write(frames)
        self._written += len(frames)

    def _drain(self) -> None:
        """Play silence until what was written before has left the queue, so that an announcement comes with its tone, and nothing runs dry."""
        reading = self._device.reading(self._clock.now_s())
        self._be_silent(max(reading.queued_frames, round(reading.latency_s * self._rate_hz)))

    def _be_silent(self, frames: int) -> None:
        silence = np.zeros((self._step, self._channels), dtype=np.float32)
        for _ in range(-(-frames // self._step)):
            self._wait()
            self._device.write(silence)

    def _wait(self) -> None:
        """Wait until the device wants its next block."""
        while True:
            self._go_on()
            now_s = self._clock.now_s()
            ready_s = self._device.ready_s(now_s)
            self._look(now_s)
            if ready_s <= now_s:
                self._taken_s = now_s
                return
            if now_s - self._taken_s > STALLED_AFTER_S:
                raise DeviceError(
                    f"{self._device.parameters.name} takes nothing: its queue has stood still for {now_s - self._taken_s:.0f} s.",
                    hint="Plug it in again, restart the sound server, or choose another: `blink list-devices`.",
                )
            self._clock.wait_until(min(ready_s, now_s + LONGEST_WAIT_S))

    def _look(self, now_s: float) -> None:
        reading = self._device.reading(now_s)
        if reading.failure is not None:
            raise DeviceError(reading.failure, hint="`blink list-devices` lists what there is now.")
        if now_s - self._started_s < SETTLING_S:
            return
        self._latency_s = max(self._latency_s, reading.latency_s)
        position_s = self._device.position_s(now_s)
        if position_s is not None:
            self._rate.add(now_s, position_s * self._rate_hz)


def _tone(frequency_hz: float, seconds: float, rate_hz: int) -> Samples:
    count = max(1, round(seconds * rate_hz))
    phase = 2.0 * np.pi * frequency_hz / rate_hz * np.arange(count, dtype=np.float64)
    tone = TONE_AMPLITUDE * np.sin(phase)
    fade = min(round(FADE_S * rate_hz), count // 2)
    ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / max(1, fade))
    tone[:fade] *= ramp
    tone[count - fade :] *= ramp[::-1]
    pause = np.zeros(round(PAUSE_S * rate_hz))
    return np.concatenate((tone, pause)).astype(np.float32)
