"""How long the copies that are in use, and what is told later of whole bursts (DRED), are worth waiting for, at least.

A second loss in a row is too rare to be learned within seconds, but that is what a second copy was sent for. The first packets behind a pause carry fewer
copies, or none: that is no reason to wait less, and each change of delay is heard. Neither are some seconds without a loss: bursts come seconds apart, and
the copies go on for as long.
"""

from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

_MARGIN_S: Final = 0.002
"""How much later than a whole frame a redundant copy comes: the sender's and our own scheduling."""

_LONGEST_SAMPLES: Final = 8 * TICK_SAMPLES
"""Copies that are older than 80 ms are used when they help and not waited for."""

_LOSES_S: Final = 10.0
"""So long a line counts as one that loses: a sender goes on with copies for as long (`RedundancyRules.calm_s`)."""

_LONGEST_TOLD_SAMPLES: Final = 9 * TICK_SAMPLES
"""A conversation waits for no more; the end of a longer burst is told all the same."""

_HELD_S: Final = 1.0
"""So long copies have to be fewer before they are believed to be."""


class CopyFloor:
    """Of one stream. Pure: packets bring their time."""

    __slots__ = ("_age_samples", "_loses_until", "_seen_at", "_told_samples", "_told_until")

    def __init__(self) -> None:
        self._age_samples = 0
        self._loses_until = float("-inf")
        self._told_samples = 0
        self._told_until = float("-inf")
        self._seen_at = float("-inf")

    def after(self, copy_ages_samples: tuple[int, ...], arrival_s: float, *, loses: bool) -> float:
        """Return the least delay in seconds that is worth having behind a packet with copies so much older than itself.

        Args:
            copy_ages_samples: Of each copy; empty for a packet without.
            arrival_s: Monotonic: when it came.
            loses: Whether the line lost anything in the last seconds: copies that nobody needs are not waited for.

        """
        age = max((age for age in copy_ages_samples if age <= _LONGEST_SAMPLES), default=0)
        if age >= self._age_samples or arrival_s - self._seen_at > _HELD_S:
            self._age_samples, self._seen_at = age, arrival_s
        if loses:
            self._loses_until = arrival_s + _LOSES_S
        age = self._age_samples if arrival_s < self._loses_until else 0
        needed = max(age, self._told_samples if arrival_s < self._told_until else 0)
        return needed / SAMPLE_RATE_HZ + _MARGIN_S if needed else 0.0

    def told(self, missing_samples: int, arrival_s: float) -> None:
        """Know that a packet told of so much lost sound before it: a burst that was too long for a guess, of which there will be others."""
        longer = missing_samples > self._told_samples or arrival_s >= self._told_until
        if longer or missing_samples == self._told_samples:
            self._told_samples, self._told_until = (
                min(missing_samples, _LONGEST_TOLD_SAMPLES),
                arrival_s + _LOSES_S,
            )
