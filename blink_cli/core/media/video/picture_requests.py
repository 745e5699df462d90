"""RTCP that asks for a picture which needs no other (RFC 4585, section 6.3.1; RFC 5104, section 4.3.1), and what is read of both.

PSFB 206, format 1: PLI: asker's SSRC, sender's SSRC
PSFB 206, format 4: FIR: asker's SSRC, 0, then of each stream its SSRC and a number that grows
"""

import struct
from typing import Final

_HEAD: Final = struct.Struct("!BBH")
_PAIR: Final = struct.Struct("!II")
_EMPTY_REPORT: Final = struct.Struct("!BBHI")
_PSFB: Final = 206
_RR: Final = 201
_PLI: Final = 1
_FIR: Final = 4


def write_picture_loss(ssrc: int, asked_ssrc: int) -> bytes:
    """A compound packet that says: I cannot go on without a key frame of this stream."""
    report = _EMPTY_REPORT.pack(0x80, _RR, 1, ssrc)
    return report + _HEAD.pack(0x80 | _PLI, _PSFB, 2) + _PAIR.pack(ssrc, asked_ssrc)


def read_picture_requests(format_: int, body: bytes) -> tuple[str, int, int] | None:
    """Which stream a payload-specific feedback asks a key frame of.

    Args:
        format_: The five bits of its head.
        body: What stands behind its head.

    Returns:
        `pli` or `fir`, the stream's SSRC, and the number of a FIR (0 of a PLI); None for anything else.

    """
    if format_ == _PLI and len(body) >= 8:
        return "pli", int.from_bytes(body[4:8], "big"), 0
    if format_ == _FIR and len(body) >= 16:
        return "fir", int.from_bytes(body[8:12], "big"), body[12]
    return None
