"""How long packets take to a receiver and back, measurement by measurement."""

from blink_cli.core.analysis.figures import RoundTripFigures


class RoundTrips:
    """A running summary. Not thread-safe."""

    __slots__ = ("_last_s", "_max_s", "_measurements", "_sum_s")

    def __init__(self) -> None:
        self._measurements = 0
        self._sum_s = self._max_s = self._last_s = 0.0

    def measured(self, round_trip_s: float) -> None:
        """Take one more."""
        self._measurements += 1
        self._sum_s += round_trip_s
        self._last_s = round_trip_s
        self._max_s = max(self._max_s, round_trip_s)

    def figures(self) -> RoundTripFigures | None:
        """All so far; None before the first."""
        if not self._measurements:
            return None
        return RoundTripFigures(
            measurements=self._measurements,
            last_ms=round(1000 * self._last_s, 3),
            mean_ms=round(1000 * self._sum_s / self._measurements, 3),
            max_ms=round(1000 * self._max_s, 3),
        )
