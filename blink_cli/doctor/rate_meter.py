"""How fast a device really moves, told from how many frames it had when. Pure.

Callbacks come late, never early: of those at the beginning and of those at the end, the one that was least late counts.
"""

from collections.abc import Sequence

FEWEST = 9


def measured_rate_hz(readings: Sequence[tuple[float, int]], told_hz: float) -> float | None:
    """Return the frames a second by the machine's clock; None where too little was seen.

    Args:
        readings: When, monotonic, and how many frames there were; each when the number had just changed.
        told_hz: What the device says that its rate is.

    """
    if len(readings) < FEWEST:
        return None
    third = len(readings) // 3
    begun_at, begun = min(readings[:third], key=lambda one: one[0] - one[1] / told_hz)
    ended_at, ended = min(readings[-third:], key=lambda one: one[0] - one[1] / told_hz)
    if ended_at <= begun_at:
        return None
    return (ended - begun) / (ended_at - begun_at)
