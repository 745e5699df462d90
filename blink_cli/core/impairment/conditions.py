"""How bad one direction of a line is: values, checked."""

import math
from typing import Final, Literal, get_args

import msgspec

from blink_cli.core.errors import UsageError
from blink_cli.core.impairment.delay_trace import DelayTrace

JitterShape = Literal["normal", "pareto"]
"""Of the spread around the delay: a bell, or one with a long tail to the late side (Pareto's, of shape 3)."""

JITTER_SHAPES: Final[tuple[JitterShape, ...]] = get_args(JitterShape)

MOST_DELAY_MS: Final = 60_000.0
"""Of each duration; nothing waits longer than that on any line."""

MOST_BURST_PACKETS: Final = 10_000.0

LEAST_BAD_TIME_MS: Final = 1.0
"""Less is no time that two datagrams could share."""


class FourStates(msgspec.Struct, frozen=True):
    """Loss by a Markov chain of four states, as tc-netem's `loss state`; each value is a probability, for each datagram.

    State 1: received, between bursts. 2: received, within a burst. 3: lost, within a burst. 4: one lost by itself, between bursts.
    State 4 always goes back to 1.

    Source: S. Salsano, F. Ludovici, A. Ordine, "Definition of a general and intuitive loss model for packet networks" (2009).
    """

    p13: float
    p31: float
    p32: float = 0.0
    p23: float = 1.0
    p14: float = 0.0

    def __post_init__(self) -> None:
        if (
            not all(0 <= value <= 1 for value in (self.p13, self.p31, self.p32, self.p23, self.p14))
            or self.p13 + self.p14 > 1
            or self.p31 + self.p32 > 1
        ):
            raise UsageError(
                "These are no transitions of four states.",
                hint="Write p13/p31/p32/p23/p14, each 0% to 100%; p13 and p14 are 100% together at most, and so are p31 and p32.",
            )


class Outage(msgspec.Struct, frozen=True):
    """A time in which nothing passes, counted from the beginning of these conditions."""

    start_s: float
    length_s: float
    held: bool = False
    """Whether what would come out meanwhile comes at the end, all at once; otherwise what is sent meanwhile is lost."""

    def __post_init__(self) -> None:
        if not (0 <= self.start_s < math.inf and 0 < self.length_s < math.inf):
            raise UsageError(
                f"An outage of {self.length_s:g} s after {self.start_s:g} s is not possible.",
                hint="Write when it begins and how long it takes, such as outage=5s+800ms.",
            )
        if self.held and self.length_s * 1000 > MOST_DELAY_MS:
            raise UsageError(
                f"Nothing can be held for {self.length_s:g} s.",
                hint=f"A freeze takes {MOST_DELAY_MS / 1000:g} s at most; an outage may take longer.",
            )


class Conditions(msgspec.Struct, frozen=True):
    """How bad one direction is. The default is a perfect line.

    Raises:
        UsageError: A value is out of its range, or two do not fit together.

    """

    loss: float = 0.0
    """Share of all datagrams that is lost, 0 to 1."""

    burst_packets: float = 1.0
    """Mean number of datagrams in a row for which the line is bad (Gilbert's and Elliott's model); 1: each is lost by itself."""

    bad_loss: float = 1.0
    """Share that is lost while the line is bad, above `loss`; 1: bursts are lost whole."""

    good_loss: float = 0.0
    """Share that is lost while it is good, below `loss`."""

    bad_time_ms: float = 0.0
    """Mean length of the times for which the line is bad, in place of `burst_packets`: they begin and end by the clock, whatever is sent. So what is sent
    again meets the state of its own moment. 0: bad times are counted in datagrams."""

    four_states: FourStates | None = None
    """Loss by these, in place of the four values above."""

    delay_ms: float = 0.0
    """Every datagram is this late."""

    jitter_ms: float = 0.0
    """Standard deviation of the spread around `delay_ms`; never earlier than at once."""

    jitter_shape: JitterShape = "normal"

    keep_order: bool = False
    """Whether a datagram waits for a late one before it; otherwise jitter also reorders, as in the internet."""

    reordering: float = 0.0
    """Share that those behind may overtake: it comes `reorder_by_ms` later than it would, whatever `keep_order` says."""

    reorder_by_ms: float = 50.0

    duplication: float = 0.0
    """Share that comes twice; the second one has a spread of its own."""

    corruption: float = 0.0
    """Share of which one bit, drawn at random, is wrong."""

    rate_kbps: float | None = None
    """Bits that pass in a millisecond; None for no limit."""

    queue_ms: float = 200.0
    """How much a limited line holds before it drops what comes (tail drop)."""

    outages: tuple[Outage, ...] = ()
    trace: DelayTrace | None = None
    """Delays that are added to all of these, and losses besides."""

    def __post_init__(self) -> None:
        for name, share in (
            ("loss", self.loss),
            ("bad-loss", self.bad_loss),
            ("good-loss", self.good_loss),
            ("reorder", self.reordering),
            ("duplicate", self.duplication),
            ("corrupt", self.corruption),
        ):
            if not 0 <= share <= 1:
                raise UsageError(f"{name}={share * 100:g}% is not possible.", hint="A share is 0% to 100%.")
        for name, value_ms in (
            ("bad-time", self.bad_time_ms),
            ("delay", self.delay_ms),
            ("jitter", self.jitter_ms),
            ("reorder-by", self.reorder_by_ms),
            ("queue", self.queue_ms),
        ):
            if not 0 <= value_ms <= MOST_DELAY_MS:
                raise UsageError(
                    f"{name}={value_ms:g}ms is not possible.", hint=f"It is 0 to {MOST_DELAY_MS:g} ms."
                )
        if self.rate_kbps is not None and not 1 <= self.rate_kbps <= 1e8:
            raise UsageError(
                f"rate={self.rate_kbps:g}kbit/s is not possible.", hint="It is 1 kbit/s to 100 Gbit/s."
            )
        if self.jitter_shape not in JITTER_SHAPES:
            raise UsageError(
                f"A spread of {self.jitter_shape!r} is not possible.",
                hint=f"Choose {' or '.join(JITTER_SHAPES)}.",
            )
        self._check_loss()

    def _check_loss(self) -> None:
        if not 1 <= self.burst_packets <= MOST_BURST_PACKETS:
            raise UsageError(
                f"burst={self.burst_packets:g} is not possible.",
                hint=f"It is the mean number of datagrams in a row, 1 to {MOST_BURST_PACKETS:g}.",
            )
        if self.four_states is not None:
            told = self.loss, self.burst_packets, self.bad_time_ms, self.bad_loss, self.good_loss
            if told != (0.0, 1.0, 0.0, 1.0, 0.0):
                raise UsageError(
                    "Loss can be told in one way only.",
                    hint="Leave out loss=, burst=, bad-time=, bad-loss= and good-loss= beside states=.",
                )
            return
        if self.bad_time_ms and (self.burst_packets > 1 or self.bad_time_ms < LEAST_BAD_TIME_MS):
            raise UsageError(
                "Bad times are told in datagrams or in time, not in both."
                if self.burst_packets > 1
                else f"bad-time={self.bad_time_ms:g}ms is not possible.",
                hint="Leave out burst= or bad-time=." if self.burst_packets > 1 else "It is 1 ms at least.",
            )
        if not self.has_bad_times:
            if self.bad_loss != 1 or self.good_loss != 0:
                raise UsageError(
                    "bad-loss= and good-loss= mean nothing without bursts.",
                    hint="Say how much is lost in all and how long the line is bad, such as loss=3% burst=4 bad-loss=75%.",
                )
            return
        if not self.good_loss <= self.loss <= self.bad_loss or self.good_loss == self.bad_loss:
            raise UsageError(
                f"{self.loss:.4g} of all cannot be lost when {self.good_loss:.4g} is in good times and {self.bad_loss:.4g} in bad ones.",
                hint="Let good-loss be at most loss, and loss at most bad-loss.",
            )
        if self.loss < self.bad_loss and self.burst_packets > 1 and self.enter_bad > 1 + 1e-9:
            most = self.good_loss + (self.bad_loss - self.good_loss) * self.burst_packets / (
                self.burst_packets + 1
            )
            raise UsageError(
                f"loss={self.loss * 100:g}% is too much for bursts of {self.burst_packets:g}.",
                hint=f"With such bursts at most {most * 100:.3g}% is lost; make burst= longer.",
            )

    @property
    def has_bad_times(self) -> bool:
        """Whether loss comes by Gilbert's and Elliott's two states; otherwise each datagram is lost by itself."""
        return (self.burst_packets > 1 or self.bad_time_ms > 0) and 0 < self.loss < 1

    @property
    def bad_share(self) -> float:
        """Share of datagrams, or of time, for which the line is bad, 0 to 1."""
        return (self.loss - self.good_loss) / (self.bad_loss - self.good_loss)

    @property
    def enter_bad(self) -> float:
        """Probability, for each datagram, that a good line becomes bad; infinite where it is always bad."""
        share = self.bad_share
        return math.inf if share >= 1 else share / (1 - share) / self.burst_packets
