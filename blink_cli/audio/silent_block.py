"""One tick of silence, and what a tick's sound is known by."""

import zlib
from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import TICK_SAMPLES
from blink_cli.core.media.mix_tick import SILENT_CHECKSUM


def _silent() -> Samples:
    block = np.zeros(TICK_SAMPLES, dtype=np.float32)
    block.flags.writeable = False
    return block


SILENT_BLOCK: Final = _silent()
"""One tick of silence, read-only. Whoever has nothing to play returns this very object, and whoever mixes skips it by identity."""


def checksum(block: Samples) -> int:
    """Return the CRC-32 of a block's bytes, shape (480,); of `SILENT_BLOCK` itself `SILENT_CHECKSUM`, without a look at it."""
    return SILENT_CHECKSUM if block is SILENT_BLOCK else zlib.crc32(block.data)
