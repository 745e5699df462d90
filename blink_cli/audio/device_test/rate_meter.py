"""How fast a device's clock runs against the machine's, although callbacks come late and a sound server now and then stands still.

The rate is the median of the slopes between points a third of the time apart (after Theil and Sen): late callbacks spread around it, and a
standstill of the server spoils only those slopes that it lies in. What is missing at the end against that rate is how long it stood still.
"""

import statistics
from typing import Final

import msgspec

LEAST_S: Final = 0.5
"""A shorter time says nothing of a clock."""

MOST_POINTS: Final = 600
"""Kept evenly over the time; more make nothing more exact."""


class MeasuredRate(msgspec.Struct, frozen=True):
    """A device's real rate."""

    rate_hz: float
    uncertain_hz: float
    """About nineteen of twenty measurements are nearer than this."""

    stood_still_s: float
    """By how much less has passed than this rate would have brought."""

    def off_ppm(self, nominal_hz: int) -> float:
        """Return how much faster than its nominal rate it runs, in parts per million."""
        return (self.rate_hz / nominal_hz - 1.0) * 1e6

    def uncertain_ppm(self, nominal_hz: int) -> float:
        """Return the uncertainty in the same unit."""
        return self.uncertain_hz / nominal_hz * 1e6


class RateMeter:
    """Keeps points and draws the line in the end. One thread."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self._points: list[tuple[float, float]] = []
        self._every = 1
        self._seen = 0

    def add(self, at_s: float, frames: float) -> None:
        """Take that at a moment so many frames had passed. Missing sound must be in `frames`."""
        self._seen += 1
        if self._seen % self._every:
            return
        self._points.append((at_s, frames))
        if len(self._points) >= 2 * MOST_POINTS:
            self._points = self._points[::2]
            self._every *= 2

    def rate(self) -> MeasuredRate | None:
        """Return the rate; None before there is enough."""
        points = self._points
        if len(points) < 12 or points[-1][0] - points[0][0] < LEAST_S:
            return None
        apart = len(points) // 3
        slopes = [
            (later[1] - earlier[1]) / (later[0] - earlier[0])
            for earlier, later in zip(points, points[apart:], strict=False)
            if later[0] > earlier[0]
        ]
        if len(slopes) < 4:
            return None
        low, middle, high = statistics.quantiles(slopes, n=4)
        (first_s, first), (last_s, last) = points[0], points[-1]
        # A quarter of the slopes' spread on each side, as if each third of the time were one measurement: neighbours are not independent.
        return MeasuredRate(
            rate_hz=middle,
            uncertain_hz=(high - low) / 3.0**0.5,
            stood_still_s=max(0.0, last_s - first_s - (last - first) / middle),
        )
