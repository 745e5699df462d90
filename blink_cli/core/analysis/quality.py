"""When the audio of a stream is poor, and why: thresholds with their reasons, and hysteresis so that the border does not flicker.

    readings, one a second ──> one Threshold per figure ──> QualityMachine ──> Degraded(reason) … Recovered

A figure must be beyond its upper limit for `ENTER_AFTER_S` to begin, and below its lower limit for `LEAVE_AFTER_S` to end. The first bad figure
degrades a stream; it recovers when no figure is bad any more.
"""

import enum
from dataclasses import dataclass, field
from typing import Final

import msgspec

ENTER_AFTER_S: Final = 3.0
"""One bad second is a moment; three are a bad line. Set-up and a change of network take less."""

LEAVE_AFTER_S: Final = 5.0
"""Longer than to begin: a line that is good for only three seconds is still bad."""


class Limits(msgspec.Struct, frozen=True):
    """Bounds of one figure."""

    upper: float
    lower: float
    sentence: str
    """With {} for the figure."""


CONCEALED: Final = Limits(0.05, 0.02, "{:.0%} of the sound is concealed")
"""Share of concealed samples. At 5 % of random loss with concealment alone PESQ-WB falls from 4.45 to 2.9; below 2 % it stays near 4."""

UNREPAIRED: Final = Limits(0.05, 0.02, "{:.0%} of the packets are missing after repair")
"""The same of packets, where the playout says little because its listener is deafened or its clock stands."""

BUFFER_DELAY_MS: Final = Limits(300.0, 200.0, "{:.0f} ms of buffering (high jitter)")
"""ITU-T G.114: 150 ms from mouth to ear hardly matter, over 400 ms is unacceptable; network and devices take theirs besides."""

JITTER_MS: Final = Limits(80.0, 40.0, "jitter of {:.0f} ms")
"""RFC 3550's mean deviation. The playout hides it with delay, at about three times the figure."""

ROUND_TRIP_MS: Final = Limits(600.0, 450.0, "round trip of {:.0f} ms")
"""Half of it is one way: with 100 ms of playout and devices the 400 ms of G.114 are reached."""

FAR_LOSS: Final = Limits(0.15, 0.08, "{:.0%} of your packets are lost on the way")
"""Of the receiver's reports, before its repair. Two redundant copies and FEC mend 15 % of random loss, hardly more."""

FAR_JITTER_MS: Final = Limits(80.0, 40.0, "jitter of {:.0f} ms at the far end")
"""As `JITTER_MS`."""


class Degraded(msgspec.Struct, frozen=True):
    """A stream began to be bad."""

    reason: str


class Recovered(msgspec.Struct, frozen=True):
    """It is good again."""

    lasted_s: float


@dataclass(slots=True)
class Threshold:
    """Hysteresis in value and in time, of one figure."""

    limits: Limits
    bad: bool = False
    _since_s: float | None = field(default=None, init=False)

    def update(self, value: float | None, now_s: float) -> bool:
        """Take the figure and return whether it is bad. None says that there is nothing that could be bad."""
        if self.bad:
            turning = value is None or value < self.limits.lower
            patience_s = LEAVE_AFTER_S
        else:
            turning = value is not None and value > self.limits.upper
            patience_s = ENTER_AFTER_S
        if not turning:
            self._since_s = None
        elif self._since_s is None:
            self._since_s = now_s
        elif now_s - self._since_s >= patience_s:
            self.bad = not self.bad
            self._since_s = None
        return self.bad


class QualityMachine:
    """One direction of one peer."""

    def __init__(self, *figures: Limits) -> None:
        """Judge these figures, given to `update` in this order."""
        self._thresholds = tuple(Threshold(limits) for limits in figures)
        self._bad_since_s: float | None = None

    @property
    def degraded(self) -> bool:
        """Whether it is bad now."""
        return self._bad_since_s is not None

    def update(self, values: tuple[float | None, ...], now_s: float) -> Degraded | Recovered | None:
        """Take one reading of each figure and return what changed."""
        bad = [
            threshold.limits.sentence.format(value)
            for threshold, value in zip(self._thresholds, values, strict=True)
            if threshold.update(value, now_s) and value is not None
        ]
        if self._bad_since_s is None and bad:
            self._bad_since_s = now_s
            return Degraded("; ".join(bad))
        if self._bad_since_s is not None and not any(threshold.bad for threshold in self._thresholds):
            lasted_s, self._bad_since_s = now_s - self._bad_since_s, None
            return Recovered(lasted_s)
        return None


class ProblemChange(enum.Enum):
    """What is to be told of a lasting problem."""

    BEGAN = enum.auto()
    ENDED = enum.auto()


@dataclass(slots=True)
class LastingProblem:
    """Something that should not be so, told once when it has lasted, and once when it is over."""

    patience_s: float
    told: bool = False
    _since_s: float | None = field(default=None, init=False)

    def update(self, *, wrong: bool, now_s: float) -> ProblemChange | None:
        """Return what is to be told: that it has lasted, or that one which was told is over."""
        if not wrong:
            self._since_s = None
            was_told, self.told = self.told, False
            return ProblemChange.ENDED if was_told else None
        if self._since_s is None:
            self._since_s = now_s
        if self.told or now_s - self._since_s < self.patience_s:
            return None
        self.told = True
        return ProblemChange.BEGAN
