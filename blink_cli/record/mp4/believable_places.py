"""How far into a recording a file can reach: what no damaged number may go beyond.

    bytes       a growing file fills its gaps with packets of 20 ms, none of which takes less than six bytes, index included
    file time   from the recording's beginning, by its index, to the moment at which the file was written last
    sidecar     says how long the recording was, at most some seconds before its last packet

The least of those that are known holds. Only a jump asks for it: packets that follow each other cost bytes, and need no other witness.
"""

import math
from datetime import datetime
from pathlib import Path
from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

SLACK_S: Final = 60.0
"""A sidecar is written every two seconds, and a disk that takes nothing for 20 s ends a recording; clocks are set meanwhile."""

_LEAST_PACKET_BYTES: Final = 6
"""Two of Opus, and four for its size in the index."""

_FILLER_SAMPLES: Final = SAMPLE_RATE_HZ // 50


def longest_samples(path: Path, created: str, told_s: float | None) -> int:
    """Return the place behind which no packet of a file can stand.

    Args:
        path: The MP4.
        created: When it began by its index, ISO 8601; empty if that does not say.
        told_s: How long it was by its sidecar; None without one.

    Raises:
        OSError: It cannot be read.

    """
    status = path.stat()
    bounds_s = [status.st_size / _LEAST_PACKET_BYTES * _FILLER_SAMPLES / SAMPLE_RATE_HZ]
    written_s = _lasted_s(created, status.st_mtime)
    if written_s is not None:
        bounds_s.append(written_s + SLACK_S)
    if told_s is not None and math.isfinite(told_s) and told_s >= 0:
        bounds_s.append(told_s + SLACK_S)
    return int(min(bounds_s) * SAMPLE_RATE_HZ)


def _lasted_s(created: str, written_at: float) -> float | None:
    try:
        lasted_s = written_at - datetime.fromisoformat(created).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return lasted_s if lasted_s >= 0 else None  # a file that was written before it began has another's date
