"""The shapes in which sound moves between the parts of the voice path."""

import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.audio_format import TICK_SAMPLES
from blink_cli.core.media.mix_tick import SILENT_CHECKSUM

Samples = npt.NDArray[np.float32]
"""float32, full scale at +/-1.0. In the voice path shape `(480,)` at 48 kHz; at a device `(frames, channels)`."""


def _silent() -> Samples:
    block = np.zeros(TICK_SAMPLES, dtype=np.float32)
    block.flags.writeable = False
    return block


SILENT_BLOCK: Final = _silent()
"""One tick of silence, read-only. Whoever has nothing to play returns this very object, and whoever mixes skips it by identity."""


def checksum(block: Samples) -> int:
    """Return the CRC-32 of a block's bytes, shape (480,); of `SILENT_BLOCK` itself `SILENT_CHECKSUM`, without a look at it."""
    return SILENT_CHECKSUM if block is SILENT_BLOCK else zlib.crc32(block.data)
