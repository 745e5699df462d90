"""How much a sender repeats itself for one peer: nothing on a clean line, enough within a few frames on a bad one.

              loss, or much jitter                   much loss, or bursts
    none  ------------------------->  one copy  ------------------------->  two copies
          <-------------------------            <-------------------------

Up at once; down when the lower level was enough for `calm_s`; none while they are what fills the line (`CopyBrake`). Source of the thresholds: docs/playout.md.
"""

import dataclasses
from typing import Final, Literal

from blink_cli.core.media.codec_settings import Fec, Redundancy
from blink_cli.core.media.copy_brake import CopyBrake
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtp import ReceptionReport

RedLevels = Literal[0, 1, 2]


@dataclasses.dataclass(frozen=True, slots=True)
class RedundancyPlan:
    """What to add to each packet for one peer."""

    red_levels: RedLevels
    """How many earlier frames each packet repeats (RFC 2198)."""

    fec: bool
    """Whether the encoder should add in-band FEC. The frame is encoded once: it does if any peer wants it."""

    fec_loss_percent: int
    """The loss that FEC should prepare for, 0 to 100; the encoder takes the highest of all peers."""


@dataclasses.dataclass(frozen=True, slots=True)
class RedundancyRules:
    """When to step up and down."""

    one_copy_from: float = 0.01
    """Share of lost packets from which each packet repeats the one before."""

    two_copies_from: float = 0.08
    """Share from which it repeats two."""

    burst_from: float = 1.5
    """Mean burst in packets from which loss is bursty: then two copies from `bursty_two_copies_from`."""

    bursty_two_copies_from: float = 0.03

    jitter_from_s: float = 0.008
    """Jitter from which a copy helps as it does against loss: of two packets one is in time, so that less delay is needed."""

    much_jitter_from_s: float = 0.018
    """Jitter from which a second copy saves as much delay again."""

    opening_s: float = 0.5
    """How long a call begins with one copy before the first report, because nothing is known of the line yet."""

    calm_s: float = 3.0
    """How long a lower level must have been enough before it is taken."""

    report_lifetime_s: float = 5.0
    """A report older than this says nothing; a peer that stopped reporting is no reason to send more."""


class RedundancyPolicy:
    """Decides for one peer from its reports. Pure: the caller says what time it is.

    Both kinds of report may come or not; the worse of the two counts.
    """

    def __init__(
        self, setting: Redundancy = "auto", *, fec: Fec = "auto", rules: RedundancyRules | None = None
    ) -> None:
        self.change(setting, fec=fec)
        self._rules = rules or RedundancyRules()
        self._started_s: float | None = None
        self._reception: ReceptionReport | None = None
        self._reception_s = float("-inf")
        self._loss: LossReport | None = None
        self._loss_s = float("-inf")
        self._needed_s = {1: float("-inf"), 2: float("-inf")}
        self._brake = CopyBrake()
        self._level: RedLevels = 0

    def change(self, setting: Redundancy, *, fec: Fec) -> None:
        """Follow other settings from the next plan on; what is known of the line stays."""
        self._fixed: RedLevels | None = None if setting == "auto" else _LEVELS[setting]
        self._fec: Fec = fec

    def on_reception_report(self, report: ReceptionReport, now_s: float) -> None:
        """An RTCP report block about the stream that goes to this peer."""
        self._reception = report
        self._reception_s = now_s
        if report.rtt_s is not None:
            jitter_s = self._line(now_s)[1]
            self._brake.round_trip(report.rtt_s, jitter_s, now_s, copies=self._level > 0)

    def on_loss_report(self, report: LossReport, now_s: float) -> None:
        """What this peer says of its losses and bursts."""
        self._loss = report
        self._loss_s = now_s

    def plan(self, now_s: float) -> RedundancyPlan:
        """What to add from now on. Cheap; meant to be asked before every frame."""
        if self._started_s is None:
            self._started_s = now_s
        fraction_lost, jitter_s, mean_burst = self._line(now_s)
        needed = self._needed_level(fraction_lost, jitter_s, mean_burst)
        for enough in range(1, needed + 1):
            self._needed_s[enough] = now_s
        level = self._fixed
        if level is None:
            level = self._opening_level(now_s) if self._is_unheard else self._calm_level(now_s)
            if self._brake.bars(now_s):
                level = 0
            self._level = level
        percent = min(_HIGHEST_FEC_PERCENT, round(100 * fraction_lost))
        if self._fec == "on":
            percent = max(percent, _FEC_ALWAYS_PERCENT)
        return RedundancyPlan(
            red_levels=level, fec=self._fec != "off" and percent > 0, fec_loss_percent=percent
        )

    @property
    def _is_unheard(self) -> bool:
        return self._reception is None and self._loss is None

    def _line(self, now_s: float) -> tuple[float, float, float]:
        """The worst of what is still valid: share lost, jitter, mean burst."""
        fraction_lost = jitter_s = mean_burst = 0.0
        oldest_s = now_s - self._rules.report_lifetime_s
        if self._reception is not None and self._reception_s >= oldest_s:
            fraction_lost = self._reception.fraction_lost
            jitter_s = self._reception.jitter_s
        if self._loss is not None and self._loss_s >= oldest_s:
            fraction_lost = max(fraction_lost, self._loss.fraction_lost)
            jitter_s = max(jitter_s, self._loss.jitter_s)
            mean_burst = self._loss.mean_burst_packets
        return fraction_lost, jitter_s, mean_burst

    def _needed_level(self, fraction_lost: float, jitter_s: float, mean_burst: float) -> RedLevels:
        rules = self._rules
        is_bursty = mean_burst >= rules.burst_from
        if fraction_lost >= (rules.bursty_two_copies_from if is_bursty else rules.two_copies_from):
            return 2
        if jitter_s >= rules.much_jitter_from_s:
            return 2
        return 1 if fraction_lost >= rules.one_copy_from or jitter_s >= rules.jitter_from_s else 0

    def _opening_level(self, now_s: float) -> RedLevels:
        assert self._started_s is not None  # plan() sets it first
        return 1 if now_s - self._started_s < self._rules.opening_s else 0

    def _calm_level(self, now_s: float) -> RedLevels:
        since_s = now_s - self._rules.calm_s
        if self._needed_s[2] >= since_s:
            return 2
        return 1 if self._needed_s[1] >= since_s else 0


_LEVELS: Final[dict[str, RedLevels]] = {"0": 0, "1": 1, "2": 2}

_FEC_ALWAYS_PERCENT: Final = 10
"""What FEC that is always on prepares for: with less libopus leaves it out at 24 kb/s."""

_HIGHEST_FEC_PERCENT: Final = 30
"""Beyond this the copy inside takes too much from the frame itself, and RED does the work anyway."""
