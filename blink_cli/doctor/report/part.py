"""What stands in a report, and what does not."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a report."""

    name: str
    holds: str
    """What it says, for the list of contents."""

    text: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a report could have, and has not."""

    name: str
    reason: str
