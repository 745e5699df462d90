"""How long the way there and back takes, as those who ask for packets again need it: what one report tells is as uneven as the line. Pure."""

import statistics
from collections import deque
from typing import Final

REMEMBERED: Final = 8
"""Reports: eight seconds. The line may have become another one by then."""


class RoundTrips:
    """Of one link."""

    def __init__(self) -> None:
        """Know none."""
        self._newest_s: deque[float] = deque(maxlen=REMEMBERED)

    def told(self, rtt_s: float) -> None:
        """A report tells it."""
        self._newest_s.append(rtt_s)

    @property
    def usual_s(self) -> float | None:
        """The median of the last ones, of an even number the longer of both in the middle; None before the first.

        With jitter or a queue one of them may be far longer than the next: by the newest alone packets were asked for again too late, and pictures
        waited for them.
        """
        return statistics.median_high(self._newest_s) if self._newest_s else None
