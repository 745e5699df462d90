"""What was sent and what came back, as sound on the monotonic clock, made again from the packets of a call.

    frames that were encoded here ──> decoded, by their RTP time from the first one's capture ──> sent
    packets that came, by their arrival ──> a playout buffer of its own, asked every 10 ms ──> heard

So nobody's device, thread or speaker is disturbed, and what was heard is what the call's own buffer played: the same packets at the same times make the same sound.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.playout.playout_buffer import PlayoutBuffer
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES
from blink_cli.core.media.rtp import EncodedFrame, RtpPacket
from blink_cli.core.media.unwrapper import timestamp_difference

LONGEST_S: Final = 150.0
"""Whatever timestamps say: no more is made."""


class Timeline(msgspec.Struct, frozen=True):
    """Sound at 48 kHz from a moment on."""

    began_at: float
    """Monotonic: of its first sample."""

    samples: Samples

    def between(self, at_s: float, count: int) -> Samples:
        """Return `count` samples from `at_s` on; zeros where there are none."""
        sound = np.zeros(count, dtype=np.float32)
        first = round((at_s - self.began_at) * SAMPLE_RATE_HZ)
        start, end = max(first, 0), min(first + count, len(self.samples))
        if start < end:
            sound[start - first : end - first] = self.samples[start:end]
        return sound


def sent(frames: Sequence[EncodedFrame]) -> Timeline | None:
    """Return what was sent, as it was captured; None if nothing was. Pauses of DTX and mute are silence.

    Raises:
        DeviceError: There is no libopus.

    """
    first = next((frame for frame in frames if frame.captured_at is not None), None)
    if first is None or first.captured_at is None:
        return None
    whole = timestamp_difference(frames[-1].timestamp, first.timestamp) + frames[-1].duration_samples
    sound = np.zeros(max(0, min(whole, round(LONGEST_S * SAMPLE_RATE_HZ))), dtype=np.float32)
    decoder = OpusDecoder()
    for frame in frames:
        decoded = decoder.decode(frame.payload)
        at = timestamp_difference(frame.timestamp, first.timestamp)
        if at >= 0 and at + len(decoded) <= len(sound):
            sound[at : at + len(decoded)] = decoded
    # The codec's sound lags behind what went in by its look-ahead.
    return Timeline(first.captured_at - PRE_SKIP_SAMPLES / SAMPLE_RATE_HZ, sound)


def heard(packets: Sequence[RtpPacket], payload_types: tuple[int, int | None]) -> Timeline | None:
    """Return what was played of these packets; None if none came.

    Args:
        packets: In the order in which they came.
        payload_types: Of Opus, and of RED around it.

    Raises:
        DeviceError: There is no libopus.

    """
    if not packets:
        return None
    buffer = PlayoutBuffer(OpusDecoder(), payload_types)
    began_at = packets[0].arrival_s
    # Not behind the last packet: what the buffer makes up when a call is over was not said.
    ticks = round(min(packets[-1].arrival_s - began_at, LONGEST_S) * 1000 / TICK_MS)
    sound = np.zeros(ticks * TICK_SAMPLES, dtype=np.float32)
    coming = 0
    for tick in range(ticks):
        now_s = began_at + tick * TICK_MS / 1000
        while coming < len(packets) and packets[coming].arrival_s <= now_s:
            buffer.put(packets[coming])
            coming += 1
        sound[tick * TICK_SAMPLES : (tick + 1) * TICK_SAMPLES] = buffer.get(now_s)
    return Timeline(began_at, sound)
