"""The line through what a participant costs with so many peers: what it costs without any, what each adds, and how far the figures are from it."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Line:
    """By least squares, in per cent of a core."""

    without_peers: float
    each_peer: float
    farthest: float
    """Between a figure and the line."""

    @override
    def __str__(self) -> str:
        return f"{self.without_peers:.2f} % of a core and {self.each_peer:.2f} % a peer; no figure is farther off than {self.farthest:.2f} %"


def line_through(percent_by_peers: Mapping[int, float]) -> Line | None:
    """Return it; None of fewer than three figures, which always fit."""
    if len(percent_by_peers) < 3:
        return None
    fit = statistics.linear_regression(list(percent_by_peers), list(percent_by_peers.values()))
    return Line(
        fit.intercept,
        fit.slope,
        max(abs(fit.intercept + fit.slope * peers - percent) for peers, percent in percent_by_peers.items()),
    )
