"""A figure of the last minute as one line of a terminal, the newest last. Pure.

delay 61 ms ⣀⣀⣤⣤⣀⣀⣶⣿⣤⣀      each column of dots the largest of its seconds; a column of four is the top of the scale or above
"""

from collections.abc import Sequence
from typing import Final

from blink_cli.commands.call_history import LAST_S
from blink_cli.commands.show.glyphs import STEPS, Glyphs

DELAY_TOP_MS: Final = 200.0
"""From there on a conversation suffers (ITU-T G.114: 150 ms from mouth to ear, with network and devices)."""

LOSS_TOP_SHARE: Final = 0.05
"""From there on it is heard, whatever mends it."""

TREND_CELLS: Final = (30, 10)
"""With room, and without."""

LATE_S: Final = 10
"""What happened in the last seconds is what is to be seen now."""


def delay_line(delay_ms: Sequence[float | None], columns: int, glyphs: Glyphs) -> str:
    """Return the delays of a minute; one step is 50 ms."""
    return _line(delay_ms, DELAY_TOP_MS, columns, glyphs)


def loss_line(lost_share: Sequence[float | None], columns: int, glyphs: Glyphs) -> str:
    """Return the losses of a minute: a base line where nothing was lost, and above it what was, however little."""
    return _line(lost_share, LOSS_TOP_SHARE, columns, glyphs, zero_is_base=True)


def loss_style(lost_share: Sequence[float | None]) -> str:
    """How the losses look: as long as the last seconds lost much, red."""
    known = [share for share in lost_share[-LATE_S:] if share is not None]
    worst = max(known, default=0.0)
    return "red" if worst >= LOSS_TOP_SHARE else "yellow" if worst > 0 else "dim"


def _line(
    values: Sequence[float | None], top: float, columns: int, glyphs: Glyphs, *, zero_is_base: bool = False
) -> str:
    places = columns * glyphs.values_per_cell
    seconds = LAST_S
    padded = [*[None] * (seconds - len(values)), *values[-seconds:]]
    heights = []
    for place in range(places):
        first, last = place * seconds // places, (place + 1) * seconds // places
        known = [value for value in padded[first : max(last, first + 1)] if value is not None]
        heights.append(_height(max(known), top, zero_is_base=zero_is_base) if known else 0)
    return glyphs.sparkline(heights)


def _height(value: float, top: float, *, zero_is_base: bool) -> int:
    if zero_is_base:
        if value <= 0:
            return 1
        return min(2 + int(value / top * (STEPS - 2)), STEPS)
    return min(1 + int(value / top * STEPS), STEPS)
