"""Sound to Opus frames: blocks of any length in, one `EncodedFrame` for each frame out, those that DTX would not send included.

    blocks (n, channels) at the encoder's rate ──> frames ──> Opus ──> payload, place in time at 48 kHz, level

Behind the end as much silence is encoded as the encoder looks ahead, so that all sound comes out of a decoder.
"""

from collections.abc import Iterator

import numpy as np

from blink_cli.audio.level import level_dbov
from blink_cli.audio.opus.encoder import LONGEST_PAYLOAD_BYTES, OpusEncoder
from blink_cli.audio.samples import Samples
from blink_cli.audio.source_pipeline import UNSENT_BYTES
from blink_cli.codec.options import CoderOptions
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.media.rtp import EncodedFrame


class FrameEncoding:
    """One sound, from its beginning to its end."""

    def __init__(
        self, options: CoderOptions, channels: int, *, most_bytes: int = LONGEST_PAYLOAD_BYTES
    ) -> None:
        """Begin.

        Args:
            options: How to encode.
            channels: Of the blocks that come, 1 or 2.
            most_bytes: The longest packet that may come out.

        Raises:
            DeviceError: There is no libopus, or it refuses the settings.

        """
        self.encoder = OpusEncoder(
            options.settings, rate_hz=options.rate_hz, channels=channels, most_bytes=most_bytes
        )
        self._channels = channels
        self._rate_hz = options.rate_hz
        self._rest: Samples = np.zeros((0, channels), np.float32)
        self._taken = 0
        self._next_timestamp = 0
        self._in_pause = True

    @property
    def lookahead_samples(self) -> int:
        """How much later sound comes out of a decoder, at 48 kHz."""
        return self.encoder.lookahead_samples * SAMPLE_RATE_HZ // self._rate_hz

    def encode(self, block: Samples) -> Iterator[EncodedFrame]:
        """Take a block, and give the frames that it completes."""
        self._taken += len(block)
        self._rest = np.concatenate((self._rest, block)) if len(self._rest) else block
        size = self.encoder.frame_samples
        whole = len(self._rest) // size * size
        for at in range(0, whole, size):
            yield self._encoded(self._rest[at : at + size])
        self._rest = self._rest[whole:]

    def finish(self) -> Iterator[EncodedFrame]:
        """Give the frames that hold the end."""
        size = self.encoder.frame_samples
        missing = len(self._rest) + self.encoder.lookahead_samples
        padding = -missing % size + self.encoder.lookahead_samples
        yield from self.encode(np.zeros((padding, self._channels), np.float32))

    def _encoded(self, frame: Samples) -> EncodedFrame:
        frame = np.ascontiguousarray(frame[:, 0] if self._channels == 1 else frame)
        payload = self.encoder.encode(frame)
        timestamp = self._next_timestamp
        duration = len(frame) * SAMPLE_RATE_HZ // self._rate_hz
        self._next_timestamp += duration
        sent = len(payload) > UNSENT_BYTES
        spurt_start, self._in_pause = sent and self._in_pause, not sent
        return EncodedFrame(
            payload=payload,
            timestamp=timestamp,
            duration_samples=duration,
            audio_level_dbov=level_dbov(frame.reshape(-1)),
            talk_spurt_start=spurt_start,
        )
