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

_MUCH_LOSS: Final = 0.05
_AGAIN_S: Final = 0.2
_TIMES: Final = 3
"""Of so much loss news is told so often, since a line that loses one way mostly loses both: the sender should not wait a second for it."""

_OPENING_S: Final = 0.3
"""How soon after the stream began the first report goes out, so that a clean line stops the sender's opening redundancy."""

_UNSURE_S: Final = 1.0
"""So long after the beginning what is lost is told as often as may be: each report knows more, and the sender waits for it."""

_NOTICEABLE: Final = 0.25
"""A relative change of the share lost that is worth an early report."""


class LossReporter:
    """Decides for one stream. Pure; ask it often, for example at every packet or every tick."""

    def __init__(self) -> None:
        self._began_s: float | None = None
        self._sent_s = float("-inf")
        self._sent: LossReport | None = None
        self._told = 0
        """How often the last news has been told."""

    def due(self, report: LossReport, now_s: float) -> bool:
        """Whether `report` should go to the sender now; True counts as sent."""
        if self._began_s is None:
            self._began_s = now_s
        since_s = now_s - self._sent_s
        before = self._sent
        if before is None:
            is_news = report.fraction_lost > 0 or now_s - self._began_s >= _OPENING_S
            due = is_news
        else:
            is_news = since_s >= _EARLIEST_S and _is_news(report, before)
            is_again = self._told < _TIMES and since_s >= _AGAIN_S and report.fraction_lost >= _MUCH_LOSS
            is_early = (
                now_s - self._began_s < _UNSURE_S and since_s >= _EARLIEST_S and report.fraction_lost > 0
            )
            due = is_news or is_again or is_early or since_s >= _LATEST_S
        if due:
            self._told = 1 if is_news else self._told + 1
            self._sent = report
            self._sent_s = now_s
        return due


def _is_news(report: LossReport, before: LossReport) -> bool:
    """Whether the sender should know it soon."""
    change = abs(report.fraction_lost - before.fraction_lost)
    return change > _NOTICEABLE * max(before.fraction_lost, 0.01) or _is_worse(report.health, before.health)


def _is_worse(now: SideHealth, before: SideHealth) -> bool:
    """Whether something has happened on this side that the other one has not been told."""
    return (
        now.machine_late_ms > before.machine_late_ms
        or now.capture_missing_ms > before.capture_missing_ms
        or now.speaker_missing_ms > before.speaker_missing_ms
    )
