"""A speaker of the system.

playout thread ──> ring ── callback ──> library's thread
"""

import time
from typing import Final

from blink_cli.audio.devices.captured_frames import POLL_S, RING_S
from blink_cli.audio.devices.demand import Demand
from blink_cli.audio.devices.engine import Engine
from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading
from blink_cli.audio.devices.output_margin import OutputMargin
from blink_cli.audio.devices.playback_clock import PlaybackClock
from blink_cli.audio.ring import FrameRing
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS

STOOD_STILL_S: Final = 0.15
"""Longer than any sound server's period."""

CATCHING_UP_S: Final = 0.1
"""After it stood still, a sound server takes at once what it missed. It will not do so again, and no larger queue is held for it."""

SETTLING_S: Final = 0.5
"""While a stream starts, sound servers take more than they will later; that is no reason for a larger margin."""


class SystemOutput:
    """Implements `OutputDevice` on an engine."""

    def __init__(self, engine: Engine) -> None:
        """Take an engine that nobody else uses. Nothing is played yet."""
        self._engine = engine
        self._parameters = engine.parameters
        self._ring = FrameRing(int(self._parameters.sample_rate_hz * RING_S), self._parameters.channels)
        self._callbacks = 0
        self._last_callback_s = 0.0
        self._callback_frames = SAMPLE_RATE_HZ * TICK_MS // 1000
        self._frames = 0
        self._lost_frames = 0
        self._device_latency_s = 0.0
        self._started_s = 0.0
        self._catching_up_until_s = 0.0
        self._demand = Demand()
        self._margin = OutputMargin()
        self._lost_before = 0
        self._written = False
        """Before the first block there is nothing that could be missing."""

        self._playback = PlaybackClock(self._parameters.sample_rate_hz)
        self._written_before = 0
        """Frames that the ring had been given when the device was started."""

        self._taken_frames = 0
        """Played since the start."""

        self._silent_frames = 0
        """Of those, silence because nothing was written."""

    @property
    def parameters(self) -> DeviceParameters:
        """What the engine found."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Open the stream and start it: a few ms, or as long as the sound server takes."""
        self._ring.skip(self._ring.queued)
        self._started_s = self._last_callback_s = now_s
        self._demand = Demand()
        self._written = False
        self._playback = PlaybackClock(self._parameters.sample_rate_hz)
        self._written_before = self._ring.written
        self._taken_frames = self._silent_frames = 0
        self._engine.start(self._wanted)

    def stop(self) -> None:
        """End the stream and let go of the device."""
        self._engine.stop()

    def ready_s(self, now_s: float) -> float:
        """Return when the queue falls, or fell, under the device's demand and a margin that grows when it ran dry and falls slowly again."""
        if self._lost_frames == self._lost_before:
            self._margin.calm(now_s)
        else:
            self._lost_before = self._lost_frames
            if now_s - self._started_s > SETTLING_S and now_s > self._catching_up_until_s:
                self._margin.ran_dry(now_s)
        wanted = self._demand.largest_frames + int(self._margin.seconds * self._parameters.sample_rate_hz)
        # A queue that cannot hold what is wanted must not be filled for ever.
        wanted = min(wanted, self._ring.capacity // 2)
        if self._ring.queued < wanted:
            return self._last_callback_s
        expected_s = self._last_callback_s + self._callback_frames / self._parameters.sample_rate_hz
        return max(expected_s, now_s + POLL_S)

    def heard_at(self) -> float:
        """Return when the next frame to be written will be at the speaker, as far as the system knows."""
        frame = self._ring.written - self._written_before + self._silent_frames
        heard_at = self._playback.heard_at(frame)
        return self._started_s + frame / self._parameters.sample_rate_hz if heard_at is None else heard_at

    def queued_frames(self, now_s: float) -> int:
        """Return what waits for the next callback."""
        del now_s  # nothing here is extrapolated
        return self._ring.queued

    def write(self, frames: Samples) -> int:
        """Queue `frames`."""
        self._written = True
        return self._ring.write(frames)

    def position_s(self, now_s: float) -> float | None:
        """Return the second that is at the speaker at `now_s`: an estimate from the last callback and the device's latency."""
        if not self._engine.running or not self._callbacks:
            return None
        since_s = now_s - self._last_callback_s
        return max(0.0, self._frames / self._parameters.sample_rate_hz - self._device_latency_s + since_s)

    def reading(self, now_s: float) -> DeviceReading:
        """Return how it does. Frames stand still when callbacks do."""
        del now_s  # nothing here is extrapolated
        return DeviceReading(
            running=self._engine.running,
            frames=self._frames,
            lost_frames=self._lost_frames,
            queued_frames=self._ring.queued,
            latency_s=self._device_latency_s + self._ring.queued / self._parameters.sample_rate_hz,
            failure=self._engine.failure,
            place=self._engine.place,
            raised_latency_s=self._engine.raised_latency_s,
        )

    def _wanted(self, block: Samples, latency_s: float | None) -> None:
        now_s = time.monotonic()
        if latency_s is not None:
            self._device_latency_s = max(0.0, latency_s)
        self._playback.observe(self._taken_frames, now_s, self._device_latency_s)
        got = self._ring.read_into(block)
        if got < len(block):
            block[got:] = 0.0
            self._silent_frames += len(block) - got
            if self._written:
                self._lost_frames += len(block) - got
        self._taken_frames += len(block)
        self._frames += len(block)
        self._callback_frames = len(block)
        self._callbacks += 1
        if now_s - self._last_callback_s > STOOD_STILL_S:
            self._catching_up_until_s = now_s + CATCHING_UP_S
        if now_s > self._catching_up_until_s:
            self._demand.took(len(block), now_s)
        self._last_callback_s = now_s
