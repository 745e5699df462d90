"""From blocks of voice to encoded frames: what the source track does between the microphone and the network.

    block of up to 60 ms ──> frame of 2.5 to 60 ms ──> level, voice activity, talking
                                      └──> mute ──> encoder ──> EncodedFrame

It has no thread and no clock. The RTP timestamp counts every sample, sent or not: it goes on through mute, gaps and device changes.
Where nothing was captured, nothing is sent, and the timestamp jumps.

Muted, the encoder gets silence and nearly nothing is sent: the fade-out, one frame more (Opus still owes the last 6.5 ms of the
fade), then one frame every 400 ms, as Opus does in discontinuous transmission, so that receivers see the stream alive.

Source: RFC 7587, sections 3.1.3 and 4.1 (DTX, timestamp, marker bit); RFC 6464 (level).
"""

from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import numpy as np

from blink_cli.audio.fade import FADE_IN, FADE_OUT
from blink_cli.audio.level import level_dbov
from blink_cli.audio.loudness.loudness_feed import LoudnessFeed
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.audio.voice_activity.detector import VoiceDetector
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, SILENCE_DBOV, TICK_SAMPLES
from blink_cli.core.media.level_meter import LevelMeter
from blink_cli.core.media.opus_packet import dred_version, without_padding
from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.talking import TalkingChange, TalkingDetector
from blink_cli.core.media.unwrapper import TIMESTAMP_MASK

KEEPALIVE_SAMPLES: Final = SAMPLE_RATE_HZ * 400 // 1000
"""Between two frames while muted: libopus refreshes its comfort noise at this pace."""

SILENT_FRAMES: Final = 3
SILENT_SAMPLES: Final = SAMPLE_RATE_HZ * 30 // 1000
"""So many frames, and so much time, are sent one after the other when mute begins: whoever gets one of them knows that nothing is missing until
the next."""

UNSENT_BYTES: Final = 2
"""An encoder in DTX says "send nothing" with a packet of one or two bytes (opus_encode's documentation)."""

ABSURD: Final = 1e9
"""No driver says this of a sound; its square is still a number."""

MOST_HEARD_BLOCKS: Final = 500
"""Of a long gap, the level of silence is told to the detectors for so many ticks: they have come to rest by then."""


class FrameEncoder(Protocol):
    """What the pipeline needs of Opus."""

    @property
    def frame_samples(self) -> int:
        """Samples of each channel that the next `encode` wants: 120, 240, 480, 960, 1920 or 2880."""

    @property
    def channels(self) -> int:
        """How many channels the next `encode` wants, 1 or 2."""

    @property
    def short_copy(self) -> bytes:
        """The frame that was encoded last at a lower bit rate; empty where there is none."""

    def encode(self, samples: Samples) -> bytes:
        """Return one packet for float32 `samples`; at most 2 bytes when nothing needs to be sent.

        Args:
            samples: Shape `(frame_samples,)`, or `(frame_samples, 2)` of two channels.

        """


EncoderT = TypeVar("EncoderT", bound=FrameEncoder)


class SourcePipeline(Generic[EncoderT]):
    """Used by the capture thread alone, except for the attributes that say so."""

    def __init__(
        self,
        encoder: EncoderT,
        on_frame: Callable[[EncodedFrame], None],
        *,
        first_timestamp: int,
        detector: VoiceDetector,
        on_talking: Callable[[TalkingChange, float], None] | None = None,
        loudness: LoudnessFeed | None = None,
    ) -> None:
        """Prepare.

        Args:
            encoder: Its frames set the pace.
            on_frame: Takes what is to be sent.
            first_timestamp: RTP timestamp of the first sample.
            detector: Hears whether somebody talks; see `hear_with`.
            on_talking: Learns that the microphone's owner started or stopped talking, muted or not, and until when sound was heard then.
            loudness: Measures what is sent.

        """
        self.encoder = encoder
        self.muted = False
        """Set by any thread; obeyed from the next frame on."""

        self.level_dbov = SILENCE_DBOV
        """Of the last frame as the microphone heard it, mute or not. Read by any thread."""

        self.level = LevelMeter()
        """The same with its peak; read by any thread."""

        self.voice = False
        """Whether there is a voice now, mute or not. Read by any thread."""

        self.zero_samples = 0
        """Length of the present run of digital silence from the microphone. Read by any thread."""

        self.frames_sent = 0
        self.frames_unsent = 0
        """Frames left out by mute or DTX."""

        self._on_frame = on_frame
        self._on_talking = on_talking
        self._loudness = loudness
        self._timestamp = first_timestamp & TIMESTAMP_MASK
        self._frame: Samples = _new_frame(encoder)
        self._filled = 0
        self._tick: Samples = np.zeros(TICK_SAMPLES, dtype=np.float32)
        self._tick_filled = 0
        """Of blocks that are shorter than a tick, what is not listened to yet."""

        self._voice_in_frame = False
        self._closed_samples = 0
        """How far mute has faded the sound out: 0, or up to a tick."""

        self._muted_samples = 0
        self._in_pause = True
        self._missing_before = 0
        self._detector = detector
        self._talking = TalkingDetector()

    def hear_with(self, detector: VoiceDetector) -> None:
        """Let another detector hear who talks from now on: another microphone needs a new one. Capture thread."""
        self._detector = detector
        self._tick_filled = 0

    @property
    def detector_name(self) -> str:
        """What it tells a voice by. Any thread."""
        return self._detector.name

    def process(self, block: Samples, captured_until: float) -> None:
        """Take one block, whose last sample was captured at `captured_until`; emit the frames that it completes.

        Blocks are of any length: shape (n,), or (n, 2) for an encoder of two channels, which takes one channel too.
        """
        # One NaN from a driver would poison the level and the encoder's filters for good; it is the largest to argmax, and below nothing.
        if not (block.item(block.argmax()) < ABSURD and block.item(block.argmin()) > -ABSURD):
            block = np.zeros(block.shape, dtype=np.float32)
        if block.ndim < self._frame.ndim:
            block = block[:, np.newaxis]
        taken = 0
        while taken < len(block):
            piece = block[taken : taken + len(self._frame) - self._filled]
            self._frame[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)
            taken += len(piece)
            until = captured_until - (len(block) - taken) / SAMPLE_RATE_HZ
            self._listen(_mono(piece), until)
            if self._filled == len(self._frame):
                self._finish_frame(until)

    def skip(self, blocks: int, captured_until: float) -> None:
        """Let the timestamp run on over `blocks` ticks in which nothing was captured, the last one until `captured_until`.

        What the frame in hand lacks is silence. Behind it nothing is sent; who is muted is silent as ever.
        """
        if blocks > MOST_HEARD_BLOCKS:
            # After the sleep of a night nobody is waited for: who talked before it has stopped after the ticks that are left.
            far = (blocks - MOST_HEARD_BLOCKS) * TICK_SAMPLES
            self.skip(MOST_HEARD_BLOCKS, captured_until - far / SAMPLE_RATE_HZ)
            self._timestamp = (self._timestamp + far) & TIMESTAMP_MASK
            self._missing_before += far
            self._measure_silence(far)
            return
        for left in range(blocks - 1, -1, -1):
            at = captured_until - left * TICK_SAMPLES / SAMPLE_RATE_HZ
            if self._filled or self.muted:
                zeros = self.zero_samples
                self.process(SILENT_BLOCK, at)
                self.zero_samples = min(self.zero_samples, zeros)  # no microphone delivered these
                continue
            self._timestamp = (self._timestamp + TICK_SAMPLES) & TIMESTAMP_MASK
            self._missing_before += TICK_SAMPLES
            self._in_pause = True
            self.level_dbov = SILENCE_DBOV
            self._hear(voice=False, captured_until=at)
            self._measure_silence(TICK_SAMPLES)
        self._detector.reset()

    @property
    def missing_samples(self) -> int:
        """Samples until the frame in hand is full, at least 1: nothing leaves before."""
        return len(self._frame) - self._filled

    def at_frame_boundary(self) -> bool:
        """Whether no frame is half filled, so that the encoder may change its frame length."""
        return self._filled == 0

    def encoder_changed(self) -> None:
        """Take over the encoder's frame length. Only at a frame boundary."""
        assert self._filled == 0, "a half filled frame has the old length"
        frame = _new_frame(self.encoder)
        if frame.shape != self._frame.shape:
            self._frame = frame

    def _finish_frame(self, captured_until: float) -> None:
        frame = self._frame
        duration = len(frame)
        self._filled = 0
        timestamp = self._timestamp
        self._timestamp = (timestamp + duration) & TIMESTAMP_MASK

        missing_before, self._missing_before = self._missing_before, 0
        level = self._inspect(_mono(frame))
        self.level.take(level, captured_until)
        voice, self._voice_in_frame = self._voice_in_frame or self.voice, False
        muted = self.muted
        if muted and not self.frames_sent and not self.frames_unsent:
            # Muted from the beginning: nothing was heard that could be faded out, and nothing is to be.
            self._closed_samples = TICK_SAMPLES
        if not muted:
            self._open(frame)
            self._measure(frame)
            self._muted_samples = 0
        elif self._closed_samples < TICK_SAMPLES:
            self._close(frame)
            self._measure(frame)
            level = level_dbov(_mono(frame))
        else:
            self._muted_samples += duration
            frame.fill(0.0)
            self._measure_silence(duration)
            level, voice = SILENCE_DBOV, False
            # The first frames say that a pause begins, and may be lost; later ones only say that we are here.
            phase = (self._muted_samples - duration) % KEEPALIVE_SAMPLES
            opening = max(SILENT_FRAMES * duration, SILENT_SAMPLES)
            if self._muted_samples > opening and phase >= duration:
                self.frames_unsent += 1
                self._in_pause = True
                return

        payload = self.encoder.encode(frame)
        if len(payload) <= UNSENT_BYTES:
            self.frames_unsent += 1
            self._in_pause = True
            return
        # Other padding stays: at a constant bit rate it hides how long a packet is.
        plain = payload if dred_version(payload) is None else without_padding(payload)
        spurt_start = self._in_pause and not muted
        if not muted:
            self._in_pause = False
        self.frames_sent += 1
        self._on_frame(
            EncodedFrame(
                payload=plain,
                payload_with_dred=None if plain is payload else payload,
                timestamp=timestamp,
                duration_samples=duration,
                audio_level_dbov=level,
                voice=voice,
                talk_spurt_start=spurt_start,
                copy=self.encoder.short_copy,
                captured_at=captured_until - duration / SAMPLE_RATE_HZ,
                missing_before=missing_before,
            )
        )

    def _close(self, frame: Samples) -> None:
        """Fade out, over as many frames as a tick has, and be silent."""
        closed = self._closed_samples
        fading = min(len(frame), TICK_SAMPLES - closed)
        frame.T[..., :fading] *= FADE_OUT[closed : closed + fading]
        frame[fading:] = 0.0
        self._closed_samples = closed + fading

    def _open(self, frame: Samples) -> None:
        """Fade in from where the fade-out stands, if it does."""
        closed = self._closed_samples
        if closed:
            fading = min(len(frame), closed)
            opened = TICK_SAMPLES - closed
            frame.T[..., :fading] *= FADE_IN[opened : opened + fading]
            self._closed_samples = closed - fading

    def _measure(self, frame: Samples) -> None:
        if self._loudness is not None:
            self._loudness.add(_mono(frame).copy())

    def _measure_silence(self, samples: int) -> None:
        if self._loudness is not None:
            self._loudness.add_silence(samples)

    def _inspect(self, frame: Samples) -> int:
        """Return the level of a frame as it came, and count the silence of the microphone."""
        level = self.level_dbov = level_dbov(frame)
        self.zero_samples = self.zero_samples + len(frame) if level == SILENCE_DBOV else 0
        return level

    def _listen(self, heard: Samples, captured_until: float) -> None:
        """Hear whether somebody talks, a tick at a time: earlier than a frame is full, where blocks are shorter."""
        taken = 0
        while taken < len(heard):
            tick = heard[taken : taken + TICK_SAMPLES - self._tick_filled]
            taken += len(tick)
            if len(tick) < TICK_SAMPLES:
                self._tick[self._tick_filled : self._tick_filled + len(tick)] = tick
                self._tick_filled = (self._tick_filled + len(tick)) % TICK_SAMPLES
                if self._tick_filled:
                    return
                tick = self._tick
            until = captured_until - (len(heard) - taken) / SAMPLE_RATE_HZ
            self._hear(voice=self._detector.update(tick), captured_until=until)

    def _hear(self, *, voice: bool, captured_until: float) -> None:
        self.voice = voice
        self._voice_in_frame = self._voice_in_frame or voice
        change = self._talking.update(self.level_dbov, voice=voice, now_s=captured_until)
        if change is not None and self._on_talking is not None:
            self._on_talking(change, captured_until)


def _mono(sound: Samples) -> Samples:
    return sound if sound.ndim == 1 else sound.mean(axis=1, dtype=np.float32)


def _new_frame(encoder: FrameEncoder) -> Samples:
    samples, channels = encoder.frame_samples, encoder.channels
    return np.zeros(samples if channels == 1 else (samples, channels), dtype=np.float32)
