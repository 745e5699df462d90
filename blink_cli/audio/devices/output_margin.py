"""How much more than the device takes at once its queue holds. Pure: moments in, seconds out.

The queue runs dry when the playout thread comes late, as on a machine that is busy for a moment. The margin grows at once then, and falls
slowly when nothing happened for long, since it is delay. A fall that turns out to have been too much is taken back, and the next one waits
twice as long: a machine that hiccups once a minute gets its margin for good, and hears no more than a few gaps before.
"""

from dataclasses import dataclass
from typing import Final

MARGIN_S: Final = 0.003
"""The playout thread's usual lateness."""

STEP_S: Final = 0.0025
HIGHEST_S: Final = 0.06

CALM_S: Final = 20.0
"""How long the queue must not have run dry before the margin falls by a step, and how long a step shows whether it was too much."""

LONGEST_CALM_S: Final = 1280.0


@dataclass(slots=True)
class OutputMargin:
    """Belongs to the playout thread."""

    seconds: float = MARGIN_S
    _calm_s: float = CALM_S
    _changed_at: float = 0.0
    _fell: bool = False

    def ran_dry(self, now_s: float) -> None:
        """Take that there was nothing to play."""
        if self._fell:
            self._calm_s = min(2 * self._calm_s, LONGEST_CALM_S)
            self._fell = False
        self.seconds = min(self.seconds + STEP_S, HIGHEST_S)
        self._changed_at = now_s

    def calm(self, now_s: float) -> None:
        """Take that there was enough to play until now."""
        if self.seconds > MARGIN_S and now_s - self._changed_at >= self._calm_s:
            self.seconds = max(self.seconds - STEP_S, MARGIN_S)
            self._changed_at = now_s
            self._fell = True
