"""Tells rows whose `time_s` was damaged, by a hand or another program, from those of a call in which nothing happened for long.

A row's time is believed when it is near the last one believed, or as far from it as the wall clock says too. A time that is neither waits
for the rows behind it: several that agree with it are a clock that goes on elsewhere, and a single one is damage.
"""

from datetime import datetime
from typing import Final

from blink_cli.record.rtp_log.format import LogRow

NEAR_S: Final = 60.0
"""A connected peer makes rows every second, so only pauses and lonely calls leave more between two of them."""

AGREEING_ROWS: Final = 5


class BelievableTimes:
    """Passes rows on in their order, at most `AGREEING_ROWS` late, and leaves out those whose time cannot be."""

    def __init__(self) -> None:
        """Believe nothing yet."""
        self.refused = 0
        """Rows that were left out."""

        self._last: LogRow | None = None
        self._held: list[LogRow] = []

    def take(self, row: LogRow) -> list[LogRow]:
        """Return the rows that are believed now that this one has come."""
        if self._last is not None and _follows(row, self._last):
            self._last = row
            self._refuse_held()
            return [row]
        agreeing = [held for held in self._held if _follows(row, held)]
        # Where none agrees it cannot be told yet which of them is damaged: at the start of a log the first one may be.
        kept = agreeing or self._held[-AGREEING_ROWS:]
        self.refused += len(self._held) - len(kept)
        self._held = [*kept, row]
        return self._release() if len(agreeing) + 1 >= AGREEING_ROWS else []

    def end(self) -> list[LogRow]:
        """Return the rows that are believed although none follows: those of a log that is short from its start."""
        if self._last is None:
            return self._release()
        self._refuse_held()
        return []

    def _release(self) -> list[LogRow]:
        rows, self._held = self._held, []
        if rows:
            self._last = rows[-1]
        return rows

    def _refuse_held(self) -> None:
        self.refused += len(self._held)
        self._held = []


def _follows(row: LogRow, before: LogRow) -> bool:
    step_s = row.time_s - before.time_s
    if abs(step_s) <= NEAR_S:
        return True
    try:
        wall_step = datetime.fromisoformat(row.wall_time) - datetime.fromisoformat(before.wall_time)
    except (ValueError, TypeError, OverflowError):
        # Left out by another program, or one with a zone and one without.
        return False
    return abs(step_s - wall_step.total_seconds()) <= NEAR_S
