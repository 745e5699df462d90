"""When a receiver tells its sender about loss: soon after it begins, seldom while nothing changes.

Source: the early feedback of RFC 4585, section 3.5, in the small: one report may hurry, then a pause.
"""

from typing import Final

from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.side_health import SideHealth

_EARLIEST_S: Final = 0.1
"""Between two reports when loss changes: five packets, so that feedback stays far below the stream it is about."""

_LATEST_S: Final = 1.0
"""Between two reports when nothing changes, so that a lost report is made good."""

_OPENING_S: Final = 0.3
"""How soon after the stream began the first report goes out, so that a clean line stops the sender's opening redundancy."""

_NOTICEABLE: Final = 0.25
"""A relative change of the share lost that is worth an early report."""


class LossReporter:
    """Decides for one stream. Pure; ask it often, for example at every packet or every tick."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._sent_s = float("-inf")
        self._sent: LossReport | None = None

    def due(self, report: LossReport, now_s: float) -> bool:
        """Whether `report` should go to the sender now; True counts as sent."""
        if self._began_s is None:
            self._began_s = now_s
        since_s = now_s - self._sent_s
        if self._sent is None:
            due = report.fraction_lost > 0 or now_s - self._began_s >= _OPENING_S
        elif since_s < _EARLIEST_S:
            due = False
        elif since_s >= _LATEST_S:
            due = True
        else:
            before = self._sent.fraction_lost
            due = abs(report.fraction_lost - before) > _NOTICEABLE * max(before, 0.01) or _is_worse(
                report.health, self._sent.health
            )
        if due:
            self._sent = report
            self._sent_s = now_s
        return due


def _is_worse(now: SideHealth, before: SideHealth) -> bool:
    """Whether something has happened on this side that the other one has not been told."""
    return (
        now.machine_late_ms > before.machine_late_ms
        or now.capture_missing_ms > before.capture_missing_ms
        or now.speaker_missing_ms > before.speaker_missing_ms
    )
