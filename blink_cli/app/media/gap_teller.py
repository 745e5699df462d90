"""Tells that sound of the microphone is missing: once when it is over, and not again and again on a machine that stumbles.

gaps of the source track, ten times a second --> GapTeller --> CaptureGap, at most one in `TOLD_EVERY_S`, about all gaps since the last one
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blink_cli.core.api.events import CaptureGap, Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.audio import source_track

CHANGE_S: Final = 1.0
"""A change of the device that takes no longer is no news: the change itself is told."""

TOLD_EVERY_S: Final = 5.0
"""More often, a machine that stumbles would fill the screen."""


class GapTeller:
    """One for each call. Belongs to the event loop."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._told_at: float | None = None
        self._seen_at: float | None = None
        self._untold: list[source_track.CaptureGap] = []

    def look(self, recent: tuple[source_track.CaptureGap, ...], now_s: float) -> None:
        """Take the latest gaps, oldest first."""
        seen_at = self._seen_at
        new = [gap for gap in recent if seen_at is None or gap.began_at > seen_at]
        self._untold += [gap for gap in new if not (gap.device_changed and gap.missing_s <= CHANGE_S)]
        if recent:
            self._seen_at = recent[-1].began_at
        if self._untold and (self._told_at is None or now_s - self._told_at >= TOLD_EVERY_S):
            self._told_at = now_s
            gaps, self._untold = self._untold, []
            self._publish(_told(gaps))


def _told(gaps: list[source_track.CaptureGap]) -> CaptureGap:
    device = gaps[-1].device
    missing_s = sum(gap.missing_s for gap in gaps)
    times = "" if len(gaps) == 1 else f" {len(gaps)} times"
    return CaptureGap(
        device=device,
        missing_s=round(missing_s, 3),
        late_s=round(sum(gap.late_s for gap in gaps), 3),
        reason=f"the microphone {device} stood still{times}: {_seconds(missing_s)} of its sound are missing",
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1.0 else f"{1000 * seconds:.0f} ms"
