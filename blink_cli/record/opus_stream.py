"""A track of Opus packets in a container that is written: how it is described there, whoever made the packets.

Source: RFC 7845, section 5.1 (OpusHead); FFmpeg makes `dOps` of MP4 from it.
"""

from fractions import Fraction
from typing import Any, Final

from av.audio.stream import AudioStream

from blink_cli.core.audio_format import PRE_SKIP_SAMPLES, SAMPLE_RATE_HZ

TIME_BASE: Final = Fraction(1, SAMPLE_RATE_HZ)

_PRE_SKIP: Final = slice(10, 12)
"""In OpusHead, little-endian."""


def add_opus_stream(container: Any, *, channels: int = 1, pre_skip: int = PRE_SKIP_SAMPLES) -> AudioStream:
    """Add a track.

    Args:
        container: PyAV's, open for writing.
        channels: 1 or 2.
        pre_skip: What readers leave out at the start, in samples at 48 kHz.

    """
    # The encoder is never used: it describes the stream.
    stream: AudioStream = container.add_stream(
        "libopus", rate=SAMPLE_RATE_HZ, layout="mono" if channels == 1 else "stereo"
    )
    stream.time_base = TIME_BASE
    if pre_skip != PRE_SKIP_SAMPLES:
        context: Any = stream.codec_context
        context.open()
        head = bytearray(context.extradata)
        head[_PRE_SKIP] = pre_skip.to_bytes(2, "little")
        context.extradata = bytes(head)
    return stream
