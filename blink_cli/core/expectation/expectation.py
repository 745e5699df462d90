"""One expectation, as it was read."""

from typing import Literal

import msgspec
from typing_extensions import override

from blink_cli.core.expectation.vocabulary import Figure

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]


class Subject(msgspec.Struct, frozen=True):
    """Whose voice, at whose ear; None stands for everyone."""

    speaker: str | None = None
    listener: str | None = None

    @override
    def __str__(self) -> str:
        return f"{self.speaker or '*'}->{self.listener or '*'}"

    def covers(self, speaker: str, listener: str) -> bool:
        """Whether this pair is meant."""
        return self.speaker in (None, speaker) and self.listener in (None, listener)


class Statistic(msgspec.Struct, frozen=True):
    """Which value of a series is meant: the mean, or a percentile, 0 (least) to 100 (greatest)."""

    name: str
    """As it was written: `p95`, `median`."""

    percentile: float | None
    """None for the mean."""


class Window(msgspec.Struct, frozen=True):
    """The part of the time that is looked at, in seconds from the beginning; None: from the beginning, or to the end."""

    start_s: float | None = None
    end_s: float | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.start_s is None and self.end_s is None

    def holds(self, at_s: float) -> bool:
        """Whether a moment is in it."""
        return (self.start_s is None or at_s >= self.start_s) and (self.end_s is None or at_s < self.end_s)


class Expectation(msgspec.Struct, frozen=True):
    """Something that should be so."""

    text: str
    """As it was written, without spaces around it."""

    figure: Figure
    statistic: Statistic | None = None
    """None: the figure itself; of a series its median."""

    subject: Subject = Subject()
    comparison: Comparison | None = None
    """None for something that happens, or with `negated` does not."""

    limit: float | None = None
    """What it is compared with, in the base unit; of something that happens, within how many seconds (None: ever)."""

    negated: bool = False
    window: Window = Window()

    @override
    def __str__(self) -> str:
        return self.text
