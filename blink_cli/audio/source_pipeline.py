"""From blocks of voice to encoded frames: what the source track does between the microphone and the network.

    10 ms block ──> frame of 10 to 60 ms ──> level, voice activity, talking
                            └──> mute ──> encoder ──> EncodedFrame

It has no thread and no clock. The RTP timestamp counts every sample, sent or not: it goes on through mute, gaps and device changes.

Muted, the encoder gets silence and nearly nothing is sent: the fade-out, one frame more (Opus still owes the last 6.5 ms of the
fade), then one frame every 400 ms, as Opus does in discontinuous transmission, so that receivers see the stream alive.

Source: RFC 7587, sections 3.1.3 and 4.1 (DTX, timestamp, marker bit); RFC 6464 (level).
"""

from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from blink_cli.audio.fade import FADE_IN, FADE_OUT
from blink_cli.audio.level import VoiceActivity, level_dbov
from blink_cli.audio.samples import Samples
from blink_cli.core.rtp import EncodedFrame
from blink_cli.core.talking import TalkingChange, TalkingDetector
from blink_cli.core.voice import SAMPLE_RATE_HZ, SILENCE_DBOV, TICK_SAMPLES

KEEPALIVE_SAMPLES: Final = SAMPLE_RATE_HZ * 400 // 1000
"""Between two frames while muted: libopus refreshes its comfort noise at this pace."""

SILENT_FRAMES: Final = 3
"""Sent one after the other when mute begins: whoever gets one of them knows that nothing is missing until the next."""

UNSENT_BYTES: Final = 2
"""An encoder in DTX says "send nothing" with a packet of one or two bytes (opus_encode's documentation)."""

FULL_SCALE: Final = 0.9999
"""The loudest that a 16-bit converter can say is 32767 / 32768."""

CLIPPED_SAMPLES: Final = 4
"""One sample at full scale may be chance; several in a frame are a wave that was cut off."""

CLIPPING_LEVEL_DBOV: Final = -27
"""A quieter frame cannot have that many samples at full scale: 4 of 960 alone are -24 dBov. So most frames are not looked at."""

_TIMESTAMP_MASK: Final = 0xFFFFFFFF


class FrameEncoder(Protocol):
    """What the pipeline needs of Opus."""

    @property
    def frame_samples(self) -> int:
        """Samples that the next `encode` wants: 480, 960, 1920 or 2880."""

    def encode(self, samples: Samples) -> bytes:
        """Return one packet for float32 `samples` of shape `(frame_samples,)`; at most 2 bytes when nothing needs to be sent."""


EncoderT = TypeVar("EncoderT", bound=FrameEncoder)


class SourcePipeline(Generic[EncoderT]):
    """Used by the capture thread alone, except for the attributes that say so."""

    def __init__(
        self,
        encoder: EncoderT,
        on_frame: Callable[[EncodedFrame], None],
        *,
        first_timestamp: int,
        on_talking: Callable[[TalkingChange], None] | None = None,
    ) -> None:
        self.encoder = encoder
        self.muted = False
        """Set by any thread; obeyed from the next frame on."""

        self.level_dbov = SILENCE_DBOV
        """Of the last frame as the microphone heard it, mute or not. Read by any thread."""

        self.voice = False
        self.zero_samples = 0
        """Length of the present run of digital silence from the microphone. Read by any thread."""

        self.frames_sent = 0
        self.frames_unsent = 0
        """Frames left out by mute or DTX."""

        self.clipped_frames = 0
        """Frames with several samples at full scale, mute or not."""

        self._on_frame = on_frame
        self._on_talking = on_talking
        self._timestamp = first_timestamp & _TIMESTAMP_MASK
        self._frame: Samples = np.zeros(encoder.frame_samples, dtype=np.float32)
        self._filled = 0
        self._was_muted = False
        self._muted_samples = 0
        self._in_pause = True
        self._activity = VoiceActivity()
        self._talking = TalkingDetector()

    def process(self, block: Samples, now_s: float) -> None:
        """Take one block, shape (480,), whose last sample was captured at `now_s`; emit a frame if it completes one."""
        # One NaN from a driver would poison the level and the encoder's filters for good.
        with np.errstate(over="ignore", invalid="ignore"):
            energy = np.dot(block, block)
        if not np.isfinite(energy):
            block = np.zeros(TICK_SAMPLES, dtype=np.float32)
        self._frame[self._filled : self._filled + TICK_SAMPLES] = block
        self._filled += TICK_SAMPLES
        if self._filled == len(self._frame):
            self._finish_frame(now_s)

    def skip(self, blocks: int) -> None:
        """Let the timestamp run on over `blocks` ticks that were lost. What the frame in hand lacks is silence."""
        samples = blocks * TICK_SAMPLES + self._filled
        if samples < len(self._frame):
            self._frame[self._filled : samples] = 0.0
            self._filled = samples
            return
        self._timestamp = (self._timestamp + samples) & _TIMESTAMP_MASK
        self._filled = 0
        self._in_pause = True

    @property
    def missing_blocks(self) -> int:
        """Blocks until the frame in hand is full, at least 1: nothing leaves before."""
        return (len(self._frame) - self._filled) // TICK_SAMPLES

    def at_frame_boundary(self) -> bool:
        """Whether no frame is half filled, so that the encoder may change its frame length."""
        return self._filled == 0

    def encoder_changed(self) -> None:
        """Take over the encoder's frame length. Only at a frame boundary."""
        assert self._filled == 0, "a half filled frame has the old length"
        if len(self._frame) != self.encoder.frame_samples:
            self._frame = np.zeros(self.encoder.frame_samples, dtype=np.float32)

    def _finish_frame(self, now_s: float) -> None:
        frame = self._frame
        duration = len(frame)
        self._filled = 0
        timestamp = self._timestamp
        self._timestamp = (timestamp + duration) & _TIMESTAMP_MASK

        self._listen(frame, now_s)
        level, voice = self.level_dbov, self.voice
        muted, was_muted = self.muted, self._was_muted
        self._was_muted = muted
        if muted:
            self._muted_samples = self._muted_samples + duration if was_muted else 0
            if was_muted:
                frame.fill(0.0)
                level, voice = SILENCE_DBOV, False
                # The first frames say that a pause begins, and may be lost; later ones only say that we are here.
                phase = (self._muted_samples - duration) % KEEPALIVE_SAMPLES
                if self._muted_samples > SILENT_FRAMES * duration and phase >= duration:
                    self.frames_unsent += 1
                    self._in_pause = True
                    return
            else:
                frame[:TICK_SAMPLES] *= FADE_OUT
                frame[TICK_SAMPLES:] = 0.0
                level = level_dbov(frame)
        elif was_muted:
            frame[:TICK_SAMPLES] *= FADE_IN

        payload = self.encoder.encode(frame)
        if len(payload) <= UNSENT_BYTES:
            self.frames_unsent += 1
            self._in_pause = True
            return
        spurt_start = self._in_pause and not muted
        if not muted:
            self._in_pause = False
        self.frames_sent += 1
        self._on_frame(
            EncodedFrame(
                payload=payload,
                timestamp=timestamp,
                duration_samples=duration,
                audio_level_dbov=level,
                voice=voice,
                talk_spurt_start=spurt_start,
            )
        )

    def _listen(self, frame: Samples, now_s: float) -> None:
        self.level_dbov = level_dbov(frame)
        self.voice = self._activity.update(self.level_dbov, len(frame) / SAMPLE_RATE_HZ)
        if self.level_dbov > CLIPPING_LEVEL_DBOV:
            self.clipped_frames += int(np.count_nonzero(np.abs(frame) >= FULL_SCALE) >= CLIPPED_SAMPLES)
        self.zero_samples = self.zero_samples + len(frame) if self.level_dbov == SILENCE_DBOV else 0
        change = self._talking.update(self.level_dbov, voice=self.voice, now_s=now_s)
        if change is not None and self._on_talking is not None:
            self._on_talking(change)
