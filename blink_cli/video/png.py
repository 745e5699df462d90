"""A picture as a PNG file (W3C Portable Network Graphics, third edition): 8 bits of red, green and blue, each row as its difference to the one above."""

import struct
import zlib

import numpy as np

from blink_cli.video.frames import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2
"""Filter type 2 (section 9.2): one array operation for the whole picture, and a third smaller than none."""


def png_of(pixels: Pixels) -> bytes:
    """Return the file of pixels, shape (height, width, 3). Takes some 20 ms for 640 by 360: on a worker thread."""
    height, width, _ = pixels.shape
    rows = pixels.reshape(height, width * 3)
    filtered = np.empty((height, 1 + width * 3), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = rows[0]
    filtered[1:, 1:] = rows[1:] - rows[:-1]  # modulo 256, as it is meant
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
