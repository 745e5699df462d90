"""The header of a WAV file of one channel at 48 kHz, for files that grow: it is written anew whenever more sound is there.

Source: Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft 1991), "Waveform Audio File Format", and New Multimedia Data Types
and Data Techniques (Microsoft 1994), which wants a longer format chunk and a fact chunk of all that is not PCM.
"""

import struct
from typing import Final

import msgspec

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

_MOST_FILE_BYTES: Final = 0xFFFFFFFF
"""A header counts in 32 bits."""


class WavEncoding(msgspec.Struct, frozen=True):
    """How a sample is written, little-endian."""

    tag: int
    sample_bytes: int

    @property
    def header_bytes(self) -> int:
        """Length of the header: sound begins behind it."""
        return len(wav_header(0, self))

    @property
    def most_data_bytes(self) -> int:
        """The longest sound that a file holds: 12.4 hours as PCM16, 6.2 hours as FLOAT32."""
        return _MOST_FILE_BYTES - self.header_bytes


PCM16: Final = WavEncoding(tag=1, sample_bytes=2)
FLOAT32: Final = WavEncoding(tag=3, sample_bytes=4)


def wav_header(data_bytes: int, encoding: WavEncoding) -> bytes:
    """Return the header of a file with so much sound."""
    size = encoding.sample_bytes
    form = struct.pack("<HHIIHH", encoding.tag, 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * size, size, 8 * size)
    chunks = [(b"fmt ", form)]
    if encoding is not PCM16:
        chunks = [(b"fmt ", form + struct.pack("<H", 0)), (b"fact", struct.pack("<I", data_bytes // size))]
    body = b"WAVE" + b"".join(name + struct.pack("<I", len(content)) + content for name, content in chunks)
    body += b"data" + struct.pack("<I", data_bytes)
    return b"RIFF" + struct.pack("<I", len(body) + data_bytes) + body
