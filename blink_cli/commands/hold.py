"""How long a foreground command stays in its call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hold:
    """Stay in the call."""

    seconds: float | None
    """None: until it is over."""
