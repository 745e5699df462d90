"""The nominal time of playout ticks: the output device's clock, told in monotonic time, without the noise of wake-ups.

A playout buffer judges arrivals against `now`; if `now` were the moment at which a thread happened to wake, or at which a sound
server happened to ask for 25 ms at once, its target delay would grow by noise that has nothing to do with the network. So ticks are 10 ms
apart, and their phase follows the device slowly: a delay-locked loop of the first order.

Source: F. Adriaensen, "Using a DLL to filter time", Linux Audio Conference 2005.
"""

from dataclasses import dataclass
from typing import Final

from blink_cli.core.audio_format import TICK_MS

FOLLOWING: Final = 0.02
"""Share of the error that one tick corrects: a time constant of 0.5 s, far above jitter, enough for 1,000 ppm of drift."""

JUMP_S: Final = 0.1
"""An error that is not jitter: the device stood still, or was changed."""


@dataclass(slots=True)
class TickClock:
    """One per output."""

    _next_s: float | None = None

    def tick(self, due_s: float) -> float:
        """Return the nominal time of the tick that the device asked for at `due_s`."""
        now_s = due_s if self._next_s is None or abs(due_s - self._next_s) > JUMP_S else self._next_s
        self._next_s = now_s + TICK_MS / 1000 + FOLLOWING * (due_s - now_s)
        return now_s
