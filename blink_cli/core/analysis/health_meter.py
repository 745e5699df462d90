"""How this side does: what its voice threads, its event loop and its devices went through in the last seconds.

    running counts, ten times a second ──> HealthMeter ──> SideHealth ──> one's own verdicts; LossReport ──> the other side's

A machine that stands still holds up its devices as well, and a device that comes back with what it held up makes its thread's steps late. The event loop tells
the two apart: it waits for no device.
"""

from collections import deque
from typing import Final

import msgspec

from blink_cli.core.audio_format import TICK_MS
from blink_cli.core.media.side_health import SideHealth

WINDOW_S: Final = 2.0
"""Longer than two reports are apart: one that is lost costs nothing."""

NOTICEABLE_MS: Final = 20
"""Less is the life of any machine."""

_SAMPLES_A_MS: Final = 48


class SideReading(msgspec.Struct, frozen=True):
    """Counts run on; they begin anew with each call's media, and with another device."""

    loop_late_ms: float
    """How late the event loop's timer was, this time."""

    late_steps: int
    """Steps of the voice threads that ran over 10 ms late."""

    missing_samples: int
    """Of the microphone, at 48 kHz."""

    unheard_samples: int
    """Mixed and not taken by the speaker, or lost by it, at 48 kHz."""


class _Step(msgspec.Struct, frozen=True):
    at_s: float
    loop_late_ms: float
    late_steps: int
    missing: int
    unheard: int


class HealthMeter:
    """Of one session. Pure."""

    def __init__(self) -> None:
        self._last: SideReading | None = None
        self._window: deque[_Step] = deque()

    def update(self, reading: SideReading, now_s: float) -> SideHealth:
        """Take a reading and return how the last `WINDOW_S` were."""
        last, self._last = self._last, reading
        if last is not None:
            self._window.append(
                _Step(
                    now_s,
                    reading.loop_late_ms,
                    max(0, reading.late_steps - last.late_steps),
                    max(0, reading.missing_samples - last.missing_samples),
                    max(0, reading.unheard_samples - last.unheard_samples),
                )
            )
        while self._window and self._window[0].at_s < now_s - WINDOW_S:
            self._window.popleft()
        window = self._window
        missing_ms = sum(step.missing for step in window) // _SAMPLES_A_MS
        unheard_ms = sum(step.unheard for step in window) // _SAMPLES_A_MS
        late_ms = max((step.loop_late_ms for step in window), default=0.0)
        if not missing_ms and not unheard_ms:
            # Late steps with nothing missing: the threads wanted for processor time.
            late_ms = max(late_ms, sum(step.late_steps for step in window) * TICK_MS)
        return SideHealth(_noticed(late_ms), _noticed(missing_ms), _noticed(unheard_ms))


def _noticed(value_ms: float) -> int:
    return round(value_ms) if value_ms >= NOTICEABLE_MS else 0
