"""The source track: one microphone, captured and encoded once, on a voice thread.

    device ──> [capture thread: a session's voice thread] ──> 48 kHz mono, 10 ms ──> CaptureChain ──> SourcePipeline ──> on_frame(EncodedFrame)

The thread sleeps until the device has a block and hands a frame over as soon as its last sample is there. A change of device takes one
fade-out and one fade-in.

There is one account of captured time: `_until_s`, the moment up to which the stream says what was at the microphone. A block's place is the
moment at which the device captured it (`InputDevice.captured_at`). What lies before `_until_s` is dropped: its time was given up. What
is missing behind it is a gap: nothing is sent, the RTP timestamp jumps, and the gap is told. So nothing is counted twice, and RTP time goes
as the device's clock in between and as monotonic time over every gap.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Generic

import msgspec

from blink_cli.audio.channel_reading import ChannelReading
from blink_cli.audio.clipping import ClippingCount
from blink_cli.audio.device_thread import DeviceThread
from blink_cli.audio.devices.interface import DeviceParameters, DeviceReading, InputDevice
from blink_cli.audio.fade import faded_in
from blink_cli.audio.lateness import Lateness, LatenessSummary
from blink_cli.audio.loudness.loudness_feed import LoudnessFeed
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.figures import ProcessingFigures
from blink_cli.audio.resampling import StereoFromDevice, VoiceFromDevice
from blink_cli.audio.samples import Samples
from blink_cli.audio.source_pipeline import EncoderT, SourcePipeline
from blink_cli.audio.thread_priority import Urgency
from blink_cli.audio.voice_activity.choice import detector_for
from blink_cli.audio.voice_thread import VoiceThread
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES
from blink_cli.core.media.level_meter import LevelReading
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.talking import TalkingChange
from blink_cli.runtime.clock import Clock, MonotonicClock

STALLED_AFTER_S: Final = 0.12
"""How long a device may be overdue before its sound is given up: more than a sound server's largest usual period. From then on it is given up
until the present, so that the first frame behind the gap is as punctual as any, and no peer waits longer because of it."""

OUT_OF_PLACE_S: Final = 0.001
"""Captured so much sooner or later than expected, sound is not where it belongs; devices promise less (`InputDevice.captured_at`)."""

TOLD_GAP_S: Final = 0.04
"""A gap from this length on is told: two frames of the codec. Shorter ones are counted."""

RECENT_GAPS: Final = 16

STARTING_S: Final = 2.0
"""While a sound server sets a stream up, it stumbles; that belongs to the change of the device."""


LONGEST_WAIT_S: Final = 0.05
"""How long the thread sleeps at most, so that a stop, a swap or a stall is noticed."""

_TICK_S: Final = TICK_MS / 1000
_LONGEST_WAY_S: Final = 1.0
_WAY_GROWS_S: Final = 0.001
"""With each frame, if the way has become longer for good."""

_WAY_GROWS_IN_VAIN: Final = 0.2
"""Seconds a second, as long as all that comes is too late: behind a stall the way may be longer, and would never be met. What a device had held
back comes within some ms, and makes it no longer."""


class CaptureGap(msgspec.Struct, frozen=True):
    """A stretch of time of which the stream says nothing."""

    device: str
    began_at: float
    """Monotonic."""

    missing_s: float
    late_s: float
    """How much of it the device delivered when its place was given up; 0 if it was lost."""

    device_changed: bool = False
    """A device was taken into use meanwhile, or shortly before. If meanwhile, `device` is the one before."""


class SourceStatistics(msgspec.Struct, frozen=True):
    """What the source track did since it was made."""

    device: str
    frames_sent: int
    frames_unsent: int
    """Left out by mute or DTX."""

    captured_frames: int
    """Of 20 ms, as the microphone gave them."""

    clipped_frames: int
    """Of these, in which the microphone was at full scale for several samples, before any filter."""

    gaps: int
    """Times that sound was missing."""

    missing_samples: int
    """What was missing there, at 48 kHz: not captured, lost, or come when its place was given up."""

    late_samples: int
    """Of those, what came when its place was given up, at 48 kHz."""

    recent_gaps: tuple[CaptureGap, ...]
    """The last ones that lasted `TOLD_GAP_S` or more."""

    channels: ChannelReading | None
    """What became of the device's channels; None if it has but one."""

    level_dbov: int
    """Of the last frame, as the microphone heard it."""

    voice: bool
    voice_detector: str
    """What the voice is told by: `speech`, or `loudness`."""

    silent_s: float
    """How long the microphone has delivered nothing but zeros."""

    urgency: Urgency
    """How the system schedules the thread."""

    lateness: LatenessSummary
    reading: DeviceReading
    processing: ProcessingFigures
    """What the capture chain does."""


class SourceTrack(Generic[EncoderT]):
    """Owns the capture thread between `start` and `stop`. Its methods may be called from any thread but the capture thread."""

    def __init__(
        self,
        device: InputDevice,
        encoder: EncoderT,
        on_frame: Callable[[EncodedFrame], None],
        *,
        first_timestamp: int,
        on_talking: Callable[[TalkingChange, float], None] | None = None,
        chain: CaptureChain | None = None,
        loudness: LoudnessFeed | None = None,
        clock: Clock | None = None,
        thread: VoiceThread | None = None,
    ) -> None:
        """Prepare; nothing is captured yet.

        Args:
            device: Not started. The track starts it, and stops it in the end.
            encoder: Used by the capture thread alone from now on; see `adjust_encoder`.
            on_frame: Called on the capture thread, in order; it must not block.
            first_timestamp: RTP timestamp of the first sample; random, says RFC 3550.
            on_talking: Called on the capture thread when the microphone's owner starts or stops talking, muted or not, and until when was heard then.
            chain: What is done to the sound before it is encoded; nothing if None. The capture thread's from now on.
            loudness: Told what is sent, before it is encoded: silence while muted.
            clock: Time for the thread.
            thread: That of the session; None for one of its own.

        """
        self._chain = chain or CaptureChain()
        self._pipeline = SourcePipeline(
            encoder,
            on_frame,
            first_timestamp=first_timestamp,
            detector=detector_for(device.parameters),
            on_talking=on_talking,
            loudness=loudness,
        )
        self._clock: Clock = clock or MonotonicClock()
        self._voice = self._voice_from(device.parameters)
        self._rate_hz = device.parameters.sample_rate_hz
        self._clipping = ClippingCount(self._rate_hz)
        self._lateness = Lateness()
        self._adjustments: deque[Callable[[EncoderT], None]] = deque()
        self._thread: DeviceThread[InputDevice] = DeviceThread(
            "blink-capture", device, self._clock, step=self._step, adopt=self._adopt, thread=thread
        )
        self._until_s: float | None = None
        """Until when the stream says what was captured; None before the first sound."""

        self._adopted_s = 0.0
        self._usual_way_s = 0.0
        """How long sound is usually under way from the microphone to here."""

        self._sound_in_hand = False
        """Whether the converter or a frame holds sound that was not sent."""

        self._gap_began_s: float | None = None
        self._gap_device = ""
        self._stands_still = False
        """Whether the device is not waited for any longer."""

        self._device_is_new = False
        """Whether it has delivered nothing yet."""

        self._dropped_at: float | None = None
        """When sound was left out last, if none was sent since."""

        self._gap_late_s = 0.0
        self._gaps = 0
        self._recent_gaps: tuple[CaptureGap, ...] = ()
        self._missing_s = 0.0
        self._late_s = 0.0
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

    @property
    def chain(self) -> CaptureChain:
        """What is done to the sound before it is encoded."""
        return self._chain

    @property
    def sends_stereo(self) -> bool:
        """Whether two channels are sent: those pass the chain by."""
        return self._voice.channels > 1

    def position_s(self, now_s: float) -> float | None:
        """Return which second of the input is being captured at `now_s`; None while it does not run."""
        return self.device.position_s(now_s)

    def statistics(self, now_s: float) -> SourceStatistics:
        """Return the figures so far."""
        pipeline = self._pipeline
        reading = self._thread.reading(now_s)
        return SourceStatistics(
            device=self.device.parameters.name,
            frames_sent=pipeline.frames_sent,
            frames_unsent=pipeline.frames_unsent,
            captured_frames=self._clipping.frames,
            clipped_frames=self._clipping.clipped_frames,
            gaps=self._gaps,
            missing_samples=round(self._missing_s * SAMPLE_RATE_HZ),
            late_samples=round(self._late_s * SAMPLE_RATE_HZ),
            recent_gaps=self._recent_gaps,
            channels=reading.channels if self._voice.mix.channels == 1 else self._voice.mix.reading(),
            level_dbov=pipeline.level_dbov,
            voice=pipeline.voice,
            voice_detector=pipeline.detector_name,
            silent_s=pipeline.zero_samples / SAMPLE_RATE_HZ,
            urgency=self._thread.urgency,
            lateness=self._lateness.summary(),
            reading=reading,
            processing=self._chain.figures(),
        )

    def level(self, now_s: float) -> LevelReading | None:
        """How loud the microphone is, muted or not; None if it delivers nothing."""
        return self._pipeline.level.reading(now_s)

    @property
    def hears_voice(self) -> bool:
        """Whether somebody talks into the microphone, muted or not."""
        return self._pipeline.voice

    # The capture thread.

    def _step(self) -> float | None:
        device = self._thread.device
        if self._adjustments and self._pipeline.at_frame_boundary():
            self._adjust()
        now_s = self._clock.now_s()
        frames, ready_s = self._next_frames(now_s)
        if ready_s > now_s:
            return self._wait(frames, ready_s, now_s)
        captured_at = device.captured_at()
        if self._until_s is not None:
            early_s = self._until_s - captured_at
            if early_s > OUT_OF_PLACE_S:
                self._drop(device, early_s, now_s)
                return None
            if early_s < -OUT_OF_PLACE_S:
                self._miss(-early_s)
                return None
        self._lateness.add(now_s - ready_s)
        self._take(device.read(frames), captured_at, now_s)
        if self._adjustments:
            return None
        frames, ready_s = self._next_frames(now_s)
        return self._wait(frames, ready_s, now_s) if ready_s > now_s else None

    def _next_frames(self, now_s: float) -> tuple[int, float]:
        """How much to take next, and when that is there: a whole frame at a time. What is there earlier could not be sent earlier, and each waking costs."""
        self._choose_block_length()
        frames = self._voice.frames_until(self._missing_samples())
        return frames, self._thread.device.ready_s(frames, now_s)

    def _take(self, frames: Samples, captured_at: float, now_s: float) -> None:
        """Send what was captured from `captured_at` on, which continues the stream."""
        if not len(frames):
            return
        self._end_gap()
        self._device_is_new = self._stands_still = False
        self._dropped_at = None
        self._sound_in_hand = True
        swapping = self._thread.swap_wanted
        self._until_s = captured_at + len(frames) / self._rate_hz
        self._usual_way_s = min(now_s - self._until_s, self._usual_way_s + _WAY_GROWS_S)
        self._clipping.add(frames)
        blocks = self._voice.convert(frames)
        for index, block in enumerate(blocks, 1):
            faded = block
            if self._fading_in:
                faded = faded_in(faded)
                self._fading_in = False
            if swapping and index == len(blocks):
                faded = faded_in(faded[::-1])[::-1]
            self._process(faded, blocks_behind=len(blocks) - index)
        if swapping:
            self._swap(now_s)

    def _process(self, block: Samples, *, blocks_behind: int) -> None:
        assert self._until_s is not None, "a block has its time"
        behind_s = self._voice.behind_s + blocks_behind * self._voice.block_samples / SAMPLE_RATE_HZ
        if block.ndim > 1:  # the chain is for one channel
            self._pipeline.process(block, self._until_s - behind_s)
            return
        for done in self._chain.process(block, self._until_s - behind_s):
            self._pipeline.process(done.samples, done.captured_until)

    def _wait(self, frames: int, ready_s: float, now_s: float) -> float | None:
        """Say until when to wait for the device, or do without it."""
        usual_until_s = now_s - self._usual_way_s
        expected_s = self._adopted_s if self._until_s is None else self._until_s + frames / self._rate_hz
        if self._thread.swap_wanted and usual_until_s - expected_s > _TICK_S:
            self._swap(now_s)
            return None
        patience_s = _TICK_S if self._stands_still else STALLED_AFTER_S
        if self._until_s is not None and usual_until_s - expected_s > patience_s:
            self._stands_still = True
            self._miss(int((usual_until_s - expected_s) / _TICK_S) * _TICK_S)
            ready_s = max(ready_s, now_s + _TICK_S)
        return min(ready_s, now_s + LONGEST_WAIT_S)

    def _drop(self, device: InputDevice, early_s: float, now_s: float) -> None:
        """Leave out what was captured before the stream's end: its time was given up, or another device was heard then."""
        if self._dropped_at is not None:
            since_s = min(now_s - self._dropped_at, LONGEST_WAIT_S)
            self._usual_way_s = min(self._usual_way_s + _WAY_GROWS_IN_VAIN * since_s, _LONGEST_WAY_S)
        self._dropped_at = now_s
        dropped_s = len(device.read(max(1, round(early_s * self._rate_hz)))) / self._rate_hz
        if self._gap_began_s is not None:
            self._gap_late_s += dropped_s

    def _miss(self, missing_s: float) -> None:
        """Let the stream's end move on by a time in which nothing was captured."""
        assert self._until_s is not None, "a gap lies behind sound"
        if self._gap_began_s is None:
            self._gap_began_s = self._until_s
            self._gap_device = self._thread.device.parameters.name
            self._gap_late_s = 0.0
        self._missing_s += missing_s
        self._fading_in = True
        # First as much silence as brings out the sound in hand, then the timestamp jumps; less than a tick is silence again.
        frames = round(missing_s * self._rate_hz)
        tick_frames = self._rate_hz * TICK_MS // 1000
        flushing = self._flushing_frames() if self._sound_in_hand else 0
        jump_ticks = max(0, frames - flushing) // tick_frames
        jump_s = jump_ticks * _TICK_S
        self._until_s += missing_s - jump_s
        blocks = self._voice.silence(frames - jump_ticks * tick_frames)
        for index, block in enumerate(blocks, 1):
            self._process(block, blocks_behind=len(blocks) - index)
        if frames >= flushing:
            self._sound_in_hand = False
        if jump_ticks:
            self._until_s += jump_s
            # What the chain holds back is silence by now, and part of what is skipped.
            self._pipeline.skip(jump_ticks + self._chain.restart(), self._until_s - self._voice.behind_s)

    def _flushing_frames(self) -> int:
        """How much silence brings out all sound that was captured and not sent."""
        held_blocks = self._chain.held_blocks
        if (
            self._pipeline.at_frame_boundary()
            and self._voice.behind_s * self._rate_hz < 1.0
            and not held_blocks
        ):
            return 0
        samples = self._missing_samples() + held_blocks * TICK_SAMPLES
        return self._voice.frames_until(samples) + self._voice.holds_back_frames

    def _end_gap(self) -> None:
        began_s, self._gap_began_s = self._gap_began_s, None
        if began_s is None or self._until_s is None:
            return
        missing_s = self._until_s - began_s
        late_s = min(self._gap_late_s, missing_s)
        self._gaps += 1
        self._late_s += late_s
        if missing_s >= TOLD_GAP_S:
            new = self._device_is_new or began_s < self._adopted_s + STARTING_S
            gap = CaptureGap(self._gap_device, began_s, missing_s, late_s, device_changed=new)
            self._recent_gaps = (*self._recent_gaps, gap)[-RECENT_GAPS:]

    def _adjust(self) -> None:
        while self._adjustments:
            self._adjustments.popleft()(self._pipeline.encoder)
        self._pipeline.encoder_changed()
        wanted = self._voice_from(self._thread.device.parameters)
        if wanted.channels != self._voice.channels:
            held_blocks = self._chain.restart()
            if held_blocks and self._until_s is not None:
                self._pipeline.skip(held_blocks, self._until_s - self._voice.behind_s)
            self._replace_voice(wanted)

    def _choose_block_length(self) -> None:
        """Take all that the frame in hand lacks as one block, where nothing needs whole ticks: each block costs."""
        passed_by = self._chain.passes_blocks_by()
        self._voice.block_samples = self._pipeline.missing_samples if passed_by else TICK_SAMPLES

    def _voice_from(self, parameters: DeviceParameters) -> VoiceFromDevice:
        """What the encoder can make use of: two channels where it and the device have them, and none of them was chosen."""
        stereo = self._pipeline.encoder.channels == 2 and parameters.channels > 1 and not parameters.channel
        kind = StereoFromDevice if stereo else VoiceFromDevice
        return kind(parameters.sample_rate_hz, parameters.channels, parameters.channel)

    def _replace_voice(self, voice: VoiceFromDevice) -> None:
        if self._until_s is not None:
            # What the old converter holds is left out, and taken from what comes next.
            self._until_s -= self._voice.behind_s
        self._voice = voice

    def _missing_samples(self) -> int:
        """How many samples, in whole blocks, fill the frame in hand."""
        size = self._voice.block_samples
        return -(-self._pipeline.missing_samples // size) * size

    def _swap(self, now_s: float) -> None:
        self._fading_in = True  # the old device too, if it stays: its last block was faded out
        self._thread.swap(now_s)

    def _adopt(self, device: InputDevice, now_s: float) -> None:
        self._replace_voice(self._voice_from(device.parameters))
        self._rate_hz = device.parameters.sample_rate_hz
        self._clipping.begin_device(self._rate_hz)
        self._chain.use_microphone(device)
        self._pipeline.hear_with(detector_for(device.parameters))
        self._adopted_s = now_s
        self._usual_way_s = _LONGEST_WAY_S
        self._device_is_new = True
        self._fading_in = True
