"""The source track: one microphone, captured and encoded once, by a thread of its own.

    device ──> [capture thread "blink-capture"] ──> 48 kHz mono, 10 ms ──> SourcePipeline ──> on_frame(EncodedFrame)

The thread sleeps until the device has a block and hands a frame over as soon as its last sample is there. When the device stands still,
silence in real time takes its place, so that the stream and its timestamps go on; a change of device takes one fade-out and one fade-in.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic

from blink_cli.audio.device_thread import DeviceThread
from blink_cli.audio.devices.interface import DeviceReading, InputDevice
from blink_cli.audio.fade import FADE_IN, FADE_OUT
from blink_cli.audio.lateness import Lateness, LatenessSummary
from blink_cli.audio.resampling import VoiceFromDevice
from blink_cli.audio.samples import SILENT_BLOCK, Samples
from blink_cli.audio.source_pipeline import EncoderT, SourcePipeline
from blink_cli.audio.urgency import Urgency
from blink_cli.audio.waiting import Clock, MonotonicClock
from blink_cli.core.rtp import EncodedFrame
from blink_cli.core.talking import TalkingChange
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES

STALLED_AFTER_S: Final = 0.1
"""How long a device may be overdue before silence takes its place: more than a sound server's largest usual period."""

LONGEST_WAIT_S: Final = 0.05
"""How long the thread sleeps at most, so that a stop, a swap or a stall is noticed."""

MOST_FILLED_TICKS: Final = 10
"""The longest gap that is filled with silence, in ticks. Longer ones are left out, and the timestamp jumps over them."""

_TICK_S: Final = TICK_MS / 1000


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What the source track did since it was made."""

    device: str
    frames_sent: int
    frames_unsent: int
    """Left out by mute or DTX."""

    clipped_frames: int
    """In which the microphone was at full scale for several samples."""

    lost_samples: int
    """Captured but overwritten before the thread came, at 48 kHz."""

    filled_samples: int
    """Silence put in the place of a device that stood still or was being changed, at 48 kHz."""

    level_dbov: int
    """Of the last frame, as the microphone heard it."""

    voice: bool
    silent_s: float
    """How long the microphone has delivered nothing but zeros."""

    urgency: Urgency
    """How the system schedules the thread."""

    lateness: LatenessSummary
    reading: DeviceReading


class SourceTrack(Generic[EncoderT]):
    """Owns the capture thread between `start` and `stop`. Its methods may be called from any thread but the capture thread."""

    def __init__(
        self,
        device: InputDevice,
        encoder: EncoderT,
        on_frame: Callable[[EncodedFrame], None],
        *,
        first_timestamp: int,
        on_talking: Callable[[TalkingChange], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Prepare; nothing is captured yet.

        Args:
            device: Not started. The track starts it, and stops it in the end.
            encoder: Used by the capture thread alone from now on; see `adjust_encoder`.
            on_frame: Called on the capture thread, in order; it must not block.
            first_timestamp: RTP timestamp of the first sample; random, says RFC 3550.
            on_talking: Called on the capture thread when the microphone's owner starts or stops talking, muted or not.
            clock: Time for the thread.

        """
        self._pipeline = SourcePipeline(
            encoder, on_frame, first_timestamp=first_timestamp, on_talking=on_talking
        )
        self._clock: Clock = clock or MonotonicClock()
        self._voice = VoiceFromDevice(device.parameters.sample_rate_hz)
        self._block_frames = device.parameters.sample_rate_hz * TICK_MS // 1000
        self._lateness = Lateness()
        self._adjustments: deque[Callable[[EncoderT], None]] = deque()
        self._thread: DeviceThread[InputDevice] = DeviceThread(
            "blink-capture", device, self._clock, step=self._step, adopt=self._adopt
        )
        self._begun = False
        self._heard_until_s = 0.0
        """Until when there is sound, or silence in its place."""

        self._device_lost_frames = 0
        self._lost_samples = 0
        self._filled_samples = 0
        self._fading_in = True

    def start(self) -> None:
        """Start the device and the thread. Does nothing if they run; may be tried again after an error.

        Raises:
            BlinkError: The device does not start. Nothing runs then, until `start` or `set_device` succeeds.

        """
        self._thread.start()

    def stop(self) -> None:
        """End the thread, then the device. Safe to call twice and without a start; blocks for a few ms, a sound server's stop aside."""
        self._thread.stop()

    def pause(self) -> None:
        """Mute: from the next frame on, silence and one frame in 400 ms are sent."""
        self._pipeline.muted = True

    def play(self) -> None:
        """Unmute."""
        self._pipeline.muted = False

    @property
    def paused(self) -> bool:
        """Whether it is muted."""
        return self._pipeline.muted

    @property
    def device(self) -> InputDevice:
        """The device in use."""
        return self._thread.device

    def set_device(self, device: InputDevice) -> None:
        """Use another microphone from now on, without the stream noticing. Blocks until it is so; the old device is stopped.

        If `start` failed, or the thread has ended, it is started with the new device.

        Raises:
            BlinkError: The new device does not start; the old one goes on.

        """
        self._thread.set_device(device)

    def adjust_encoder(self, change: Callable[[EncoderT], None]) -> None:
        """Have `change` called with the encoder, on the capture thread, before the next frame begins. Returns at once."""
        self._adjustments.append(change)

    def position_s(self, now_s: float) -> float | None:
        """Return which second of the input is being captured at `now_s`; None while it does not run."""
        return self.device.position_s(now_s)

    def statistics(self, now_s: float) -> SourceStatistics:
        """Return the figures so far."""
        pipeline = self._pipeline
        return SourceStatistics(
            device=self.device.parameters.name,
            frames_sent=pipeline.frames_sent,
            frames_unsent=pipeline.frames_unsent,
            clipped_frames=pipeline.clipped_frames,
            lost_samples=self._lost_samples,
            filled_samples=self._filled_samples,
            level_dbov=pipeline.level_dbov,
            voice=pipeline.voice,
            silent_s=pipeline.zero_samples / SAMPLE_RATE_HZ,
            urgency=self._thread.urgency,
            lateness=self._lateness.summary(),
            reading=self._thread.reading(now_s),
        )

    # The capture thread.

    def _step(self) -> None:
        device = self._thread.device
        if self._adjustments and self._pipeline.at_frame_boundary():
            self._adjust()
        now_s = self._clock.now_s()
        # A whole frame at a time: what is there earlier could not be sent earlier, and each waking costs.
        blocks = self._pipeline.missing_blocks
        ready_s = device.ready_s(blocks * self._block_frames, now_s)
        self._note_lost(now_s)
        if ready_s > now_s:
            overdue_s = now_s - self._heard_until_s - blocks * _TICK_S
            if self._thread.swap_wanted and overdue_s > _TICK_S:
                self._swap(now_s)
            elif overdue_s > STALLED_AFTER_S:
                self._fill(now_s)
            else:
                self._clock.wait_until(min(ready_s, now_s + LONGEST_WAIT_S))
            return
        self._lateness.add(now_s - ready_s)
        swapping = self._thread.swap_wanted
        ready = self._voice.convert(device.read(blocks * self._block_frames))
        for index, block in enumerate(ready, 1):
            captured_s = now_s - (len(ready) - index) * _TICK_S
            self._process(block, captured_s, fading_out=swapping and index == len(ready))
        if swapping:
            self._swap(now_s)

    def _process(self, block: Samples, now_s: float, *, fading_out: bool) -> None:
        if self._fading_in:
            # Behind a gap, what is missing goes in first, so that timestamps keep real time.
            missing = round((now_s - self._heard_until_s) / _TICK_S) - 1
            for _ in range(min(missing, MOST_FILLED_TICKS)):
                self._pipeline.process(SILENT_BLOCK, now_s)
                self._filled_samples += TICK_SAMPLES
            block = block * FADE_IN
            self._fading_in = False
        if fading_out:
            block = block * FADE_OUT
        self._pipeline.process(block, now_s)
        self._heard_until_s = now_s

    def _fill(self, now_s: float) -> None:
        while self._heard_until_s + 2 * _TICK_S < now_s:
            self._heard_until_s += _TICK_S
            self._pipeline.process(SILENT_BLOCK, self._heard_until_s)
            self._filled_samples += TICK_SAMPLES
        self._fading_in = True
        self._clock.wait_until(now_s + _TICK_S)

    def _note_lost(self, now_s: float) -> None:
        lost_frames = self._thread.device.reading(now_s).lost_frames
        if lost_frames != self._device_lost_frames:
            ticks = round((lost_frames - self._device_lost_frames) / self._block_frames)
            # Only whole ticks can be left out. What remains counts towards the next loss.
            self._device_lost_frames += ticks * self._block_frames
            self._lost_samples += ticks * TICK_SAMPLES
            self._heard_until_s += ticks * _TICK_S
            self._pipeline.skip(ticks)

    def _adjust(self) -> None:
        while self._adjustments:
            self._adjustments.popleft()(self._pipeline.encoder)
        self._pipeline.encoder_changed()

    def _swap(self, now_s: float) -> None:
        self._fading_in = True  # the old device too, if it stays: its last block was faded out
        self._thread.swap(now_s)

    def _adopt(self, device: InputDevice, now_s: float) -> None:
        voice = VoiceFromDevice(device.parameters.sample_rate_hz)
        reading = device.reading(now_s)
        # What it captured until now was captured from the old device too.
        device.read(reading.queued_frames)
        self._voice = voice
        self._block_frames = device.parameters.sample_rate_hz * TICK_MS // 1000
        self._device_lost_frames = reading.lost_frames
        self._fading_in = True
        if not self._begun:
            self._begun = True
            self._heard_until_s = now_s
        missed = int((now_s - self._heard_until_s) / _TICK_S)
        if missed > MOST_FILLED_TICKS:
            self._heard_until_s += missed * _TICK_S
            self._pipeline.skip(missed)
