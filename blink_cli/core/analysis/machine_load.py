"""Whether this machine is too slow for its call, and how that is known.

    readings, one a second ──> shares over three seconds ──> QualityMachine ──> Degraded(reason) … Recovered

What counts is not how busy the processors are but whether the work of the call is done in time: the steps of the two voice threads, each 10 ms
long, and the event loop, over which all packets pass.
"""

from collections import deque
from typing import Final

import msgspec

from blink_cli.core.analysis.quality import Degraded, Limits, QualityMachine, Recovered

LATE_TICKS: Final = Limits(0.05, 0.02, "{:.0%} of the steps of its voice threads run over 10 ms late")
"""A step that is so late comes after the next one was due. The playout hides that by waiting longer: 100 ms at 20 % of late steps, 250 ms and 4 %
of concealed sound where the machine gives the session 70 % of what it needs (docs/performance.md)."""

LOOP_LATE_MS: Final = Limits(100.0, 50.0, "packets wait up to {:.0f} ms for its event loop")
"""As much as a sound server's usual periods and the playout's target together: it is heard as delay in both directions."""

WINDOW_READINGS: Final = 3
"""Shares are over so many seconds: a single stall of a virtual machine is a moment, told by nobody."""

BUSY: Final = 0.9
STOLEN: Final = 0.05
"""From these shares on the processors' own figures are part of the reason."""


class MachineReading(msgspec.Struct, frozen=True):
    """One second of this machine. Counts run on."""

    ticks: int
    """Steps of the capture and the playout thread."""

    late_ticks: int
    """Those that ran over 10 ms late."""

    loop_late_ms: float
    """The longest that a timer of the event loop had to wait since the last reading."""

    processors_busy: float | None
    """Share of all processors in use since the last reading, 0 to 1, by whatever program; None where the system does not tell."""

    processors_stolen: float | None
    """Share that the host of a virtual machine took away."""


class MachineLoad:
    """Made for one call's media."""

    def __init__(self) -> None:
        self._machine = QualityMachine(LATE_TICKS, LOOP_LATE_MS)
        self._window: deque[MachineReading] = deque(maxlen=WINDOW_READINGS + 1)
        self.reason: str | None = None
        """Why it is too slow; None while it is not."""

    @property
    def late_ticks_share(self) -> float | None:
        """Of the last seconds' steps; None before there were any."""
        if not self._window:
            return None
        first, last = self._window[0], self._window[-1]
        ticks = last.ticks - first.ticks
        return (last.late_ticks - first.late_ticks) / ticks if ticks > 0 else None

    def update(self, reading: MachineReading, now_s: float) -> Degraded | Recovered | None:
        """Take one reading and return what changed."""
        if self._window and reading.ticks < self._window[-1].ticks:
            self._window.clear()  # another thread counts
        self._window.append(reading)
        change = self._machine.update((self.late_ticks_share, reading.loop_late_ms), now_s)
        match change:
            case Degraded(reason=reason):
                self.reason = f"{reason}{_processors(reading)}"
                return Degraded(self.reason)
            case Recovered():
                self.reason = None
            case None:
                pass
        return change


def _processors(reading: MachineReading) -> str:
    if reading.processors_stolen is not None and reading.processors_stolen > STOLEN:
        return f"; its host takes {reading.processors_stolen:.0%} of the processors away"
    if reading.processors_busy is None:
        return ""
    if reading.processors_busy > BUSY:
        return f"; the processors are {reading.processors_busy:.0%} busy"
    return (
        f"; the processors are only {reading.processors_busy:.0%} busy: is this process limited or held up?"
    )
