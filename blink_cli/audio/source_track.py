"""The source track: one microphone, captured and encoded once, by a thread of its own.

    device ──> [capture thread "blink-capture"] ──> 48 kHz mono, 10 ms ──> SourcePipeline ──> on_frame(EncodedFrame)

The thread sleeps until the device has a block and hands a frame over as soon as its last sample is there. When the device stands still,
silence in real time takes its place, so that the stream and its timestamps go on; a change of device takes one fade-out, the new
device's start, and one fade-in.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic

from blink_cli.audio.device_swap import SWAP_TIMEOUT_S, DeviceSwap
from blink_cli.audio.devices.interface import DeviceReading, InputDevice
from blink_cli.audio.fade import FADE_IN, FADE_OUT
from blink_cli.audio.lateness import Lateness, LatenessSummary
from blink_cli.audio.resampling import VoiceFromDevice
from blink_cli.audio.samples import SILENT_BLOCK, Samples
from blink_cli.audio.source_pipeline import EncoderT, SourcePipeline
from blink_cli.audio.urgency import Urgency, make_urgent
from blink_cli.audio.waiting import Clock, MonotonicClock
from blink_cli.core.errors import DeviceError
from blink_cli.core.rtp import EncodedFrame
from blink_cli.core.talking import TalkingChange
from blink_cli.core.voice import SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES

STALLED_AFTER_S: Final = 0.1
"""How long a device may be overdue before silence takes its place: more than a sound server's largest usual period."""

LONGEST_WAIT_S: Final = 0.05
"""How long the thread sleeps at most, so that a stop, a swap or a stall is noticed."""

_TICK_S: Final = TICK_MS / 1000
_log = logging.getLogger(__name__)


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
        self._device = device
        self._pipeline = SourcePipeline(
            encoder, on_frame, first_timestamp=first_timestamp, on_talking=on_talking
        )
        self._clock: Clock = clock or MonotonicClock()
        self._voice = VoiceFromDevice(device.parameters.sample_rate_hz)
        self._block_frames = device.parameters.sample_rate_hz * TICK_MS // 1000
        self._lateness = Lateness()
        self._urgency = Urgency.ORDINARY
        self._adjustments: deque[Callable[[EncoderT], None]] = deque()
        self._swaps: deque[DeviceSwap[InputDevice]] = deque()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._heard_until_s = 0.0
        self._device_lost_frames = 0
        self._lost_samples = 0
        self._filled_samples = 0
        self._fading_in = True
        self.crash: BaseException | None = None
        """What ended the thread, if a bug did."""

    def start(self) -> None:
        """Start the device and the thread.

        Raises:
            DeviceError: The device does not start; nothing runs then.

        """
        assert self._thread is None, "a source track is started once"
        now_s = self._clock.now_s()
        self._device.start(now_s)
        self._heard_until_s = now_s
        self._thread = threading.Thread(target=self._run, name="blink-capture", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, then the device. Safe to call twice and without a start; blocks for a few ms, a sound server's stop aside."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._refuse_swaps("The call ended meanwhile.")
        self._device.stop()

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
        return self._device

    def set_device(self, device: InputDevice) -> None:
        """Use another microphone from now on, without the stream noticing. Blocks until it is so; the old device is stopped.

        Raises:
            DeviceError: The new device does not start; the old one goes on.

        """
        if self._thread is None:
            self._adopt(device)
            return
        swap: DeviceSwap[InputDevice] = DeviceSwap(device)
        self._swaps.append(swap)
        swap.previous.result(SWAP_TIMEOUT_S).stop()

    def adjust_encoder(self, change: Callable[[EncoderT], None]) -> None:
        """Have `change` called with the encoder, on the capture thread, before the next frame begins. Returns at once."""
        self._adjustments.append(change)

    def position_s(self, now_s: float) -> float | None:
        """Return which second of the input is being captured at `now_s`; None while it does not run."""
        return self._device.position_s(now_s)

    def statistics(self, now_s: float) -> SourceStatistics:
        """Return the figures so far."""
        pipeline = self._pipeline
        return SourceStatistics(
            device=self._device.parameters.name,
            frames_sent=pipeline.frames_sent,
            frames_unsent=pipeline.frames_unsent,
            clipped_frames=pipeline.clipped_frames,
            lost_samples=self._lost_samples,
            filled_samples=self._filled_samples,
            level_dbov=pipeline.level_dbov,
            voice=pipeline.voice,
            silent_s=pipeline.zero_samples / SAMPLE_RATE_HZ,
            urgency=self._urgency,
            lateness=self._lateness.summary(),
            reading=self._device.reading(now_s),
        )

    # The capture thread.

    def _run(self) -> None:
        self._urgency = make_urgent()
        try:
            while not self._stopping.is_set():
                self._step()
        except Exception as error:  # noqa: BLE001  # whatever it is, the call must learn that nobody captures any more
            self.crash = error
            _log.exception("the capture thread ended")
        self._refuse_swaps("Nothing is captured any more.")

    def _step(self) -> None:
        if self._adjustments and self._pipeline.at_frame_boundary():
            self._adjust()
        now_s = self._clock.now_s()
        # A whole frame at a time: what is there earlier could not be sent earlier, and each waking costs.
        blocks = self._pipeline.missing_blocks
        ready_s = self._device.ready_s(blocks * self._block_frames, now_s)
        self._note_lost(now_s)
        if ready_s > now_s:
            overdue_s = now_s - self._heard_until_s - blocks * _TICK_S
            if self._swaps and overdue_s > _TICK_S:
                self._swap(now_s)
            elif overdue_s > STALLED_AFTER_S:
                self._fill(now_s)
            else:
                self._clock.wait_until(min(ready_s, now_s + LONGEST_WAIT_S))
            return
        self._lateness.add(now_s - ready_s)
        swapping = bool(self._swaps)
        ready = self._voice.convert(self._device.read(blocks * self._block_frames))
        for index, block in enumerate(ready, 1):
            captured_s = now_s - (len(ready) - index) * _TICK_S
            self._process(block, captured_s, fading_out=swapping and index == len(ready))
        if swapping:
            self._swap(now_s)

    def _process(self, block: Samples, now_s: float, *, fading_out: bool) -> None:
        if self._fading_in:
            # Behind a gap, what is missing goes in first, so that timestamps keep real time.
            missing = round((now_s - self._heard_until_s) / _TICK_S) - 1
            for _ in range(min(missing, 10)):
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
        lost_frames = self._device.reading(now_s).lost_frames
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
        swap = self._swaps.popleft()
        self._fading_in = True
        previous = self._device
        try:
            swap.device.start(now_s)
        except DeviceError as error:
            swap.previous.set_exception(error)
            return
        self._adopt(swap.device)
        swap.previous.set_result(previous)

    def _adopt(self, device: InputDevice) -> None:
        self._device = device
        self._voice = VoiceFromDevice(device.parameters.sample_rate_hz)
        self._block_frames = device.parameters.sample_rate_hz * TICK_MS // 1000
        self._device_lost_frames = device.reading(self._clock.now_s()).lost_frames

    def _refuse_swaps(self, reason: str) -> None:
        while self._swaps:
            self._swaps.popleft().previous.set_exception(DeviceError(reason))
