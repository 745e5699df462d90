"""Student's t distribution, for whole degrees of freedom, in closed form.

Source: M. Abramowitz, I. Stegun, "Handbook of Mathematical Functions" (1964), 26.7.3 and 26.7.4.
"""

import functools
import math
from typing import Final

_ITERATIONS: Final = 200


def within(t: float, degrees: int) -> float:
    """Return the probability that a value lies between -t and t, for t >= 0 and degrees >= 1."""
    angle = math.atan(t / math.sqrt(degrees))
    cosine_squared = math.cos(angle) ** 2
    if degrees % 2:
        term = math.cos(angle) * math.sin(angle)
        total = 0.0
        for step in range(2, degrees, 2):
            total += term
            term *= cosine_squared * step / (step + 1)
        return 2 * (angle + total) / math.pi
    term = math.sin(angle)
    total = 0.0
    for step in range(1, degrees, 2):
        total += term
        term *= cosine_squared * step / (step + 1)
    return total


@functools.cache
def two_sided(confidence: float, degrees: int) -> float:
    """Return the t within which a value lies with this probability, 0 < confidence < 1."""
    low, high = 0.0, 1.0
    while within(high, degrees) < confidence:
        low, high = high, 2 * high
    for _ in range(_ITERATIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if within(middle, degrees) < confidence:
            low = middle
        else:
            high = middle
    return high
