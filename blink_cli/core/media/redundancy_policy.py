"""How much a sender repeats itself for one peer: nothing on a clean line, enough within a few frames on a bad one.

          loss, or jitter               more of it                  much loss, or bursts
    none  ---------------->  one copy  ------------>  two or three  -------------------->  four copies
          <----------------            <------------                <--------------------

A peer that asks for what it misses, and is near enough to get it in time (RFC 4588), needs no copies against loss; at some distance, some.

Copies have half the voice's bit rate where there are two and more. Up at once; down when the lower level was enough for `calm_s`; none while they are what
fills the line (`CopyBrake`), and no more than the budget allows. Source of the thresholds: docs/playout.md.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from blink_cli.core.media.codec_settings import SHORT_COPY_BPS, SHORTER_COPY_BPS, CodecSettings
from blink_cli.core.media.copy_brake import MOST_COPIES, CopyBrake, RedLevels, is_regular
from blink_cli.core.media.loss_report import LossReport
from blink_cli.core.media.rtp import ReceptionReport


class RedundancyPlan(msgspec.Struct, frozen=True):
    """What to add to each packet for one peer."""

    red_levels: RedLevels
    """How many earlier frames each packet repeats (RFC 2198)."""

    full_copies: RedLevels
    """How many of these, the latest, as they were sent; those before them at the lower bit rate."""

    fec: bool
    """Whether the encoder should add in-band FEC. The frame is encoded once: it does if any peer wants it."""

    fec_loss_percent: int
    """The loss that FEC should prepare for, 0 to 100; the encoder takes the highest of all peers."""

    sent_twice: RedLevels = 0
    """Which earlier frames go once more in packets of their own too (RFC 4588, unasked): those up to so many packets old. At the lower bit rate."""

    dred: bool = False
    """Whether packets should tell at a few kb/s what was said in the 0.2 s before them (DRED). The encoder does if any peer wants it, and only those get it."""

    @property
    def short_copy_bps(self) -> int | None:
        """At which lower bit rate frames are needed too; None: at none."""
        if self.sent_twice:
            return SHORTER_COPY_BPS
        return SHORT_COPY_BPS if self.red_levels > self.full_copies else None


def least_copy_bps(plans: Iterable[RedundancyPlan]) -> int | None:
    """At which lower bit rate frames are made for several peers at once: there is one encoder for it, and each has its budget. None: nobody wants them."""
    return min((plan.short_copy_bps for plan in plans if plan.short_copy_bps is not None), default=None)


class RedundancyRules(msgspec.Struct, frozen=True):
    """When to step up and down."""

    one_copy_from: float = 0.01
    """Share of lost packets from which each packet repeats the one before."""

    two_copies_from: float = 0.06
    """Share from which it repeats two."""

    three_copies_from: float = 0.15
    four_copies_from: float = 0.28

    believed_after_s: float = 1.5
    """How long such loss must have been told: a share of fifty packets may be half as much again by chance, and each copy more is 20 ms of delay."""

    believed_deviations: float = 1.0
    """But not where it is so many standard deviations of chance above what the copies are for."""

    burst_chance: float = 0.001
    """And bursts are believed at once whose longest run chance would have made, with what was lost beside it, less often than this."""

    burst_from: float = 1.5
    """Mean burst in packets from which loss is bursty: then four copies from `bursty_four_copies_from`."""

    bursty_four_copies_from: float = 0.03

    fec_from: float = 0.015
    """Share that the copies leave, by chance, from which FEC is worth the bits that it takes from the voice. In bursts, always with fewer copies than may be."""

    jitter_from_s: float = 0.008
    """Jitter from which a copy helps as it does against loss: of two packets one is in time, so that less delay is needed."""

    much_jitter_from_s: float = 0.018
    """Jitter from which a second copy saves as much delay again."""

    opening_s: float = 0.5
    """How long a call begins with copies before the first report, because nothing is known of the line yet."""

    unsure_s: float = 1.0
    """The same to a peer that is far, until its first report, and where that tells of any loss: few packets say little, and reports are lost too."""

    queue_jitter_s: float = 0.003
    """Jitter from which nothing goes twice: a queue that fills makes as much, and it is no line that loses packets by chance."""

    queue_s: float = 0.03
    """And so much more of a round trip than the least."""

    dred_from: float = 0.2
    """Share lost, and any burst that asks for two copies, from which DRED pays beside them."""

    dred_alone_from: float = 0.02
    """Share lost from which it pays where fewer copies may be sent than are needed."""

    dred_calm_s: float = 10.0
    """How long it goes on: it costs little, and bursts come seconds apart."""

    calm_s: float = 10.0
    """How long fewer copies must have been enough against loss before there are fewer: each change moves the delay, which is heard."""

    jitter_calm_s: float = 3.0
    """The same against jitter, whose delay is learned."""

    asking_alone_rtt_s: float = 0.012
    """Up to this round trip a lost packet that is asked for comes sooner than its copy would: no copies at all."""

    asking_rtt_s: float = 0.03
    """Up to this it comes about as soon: copies only against jitter, or much loss."""

    one_copy_with_asking_from: float = 0.07
    """Share lost from which requests and answers are lost so often that a copy pays beside them; not where it is lost in bursts."""

    two_copies_with_asking_from: float = 0.28

    report_lifetime_s: float = 5.0
    """A report older than this says nothing; a peer that stopped reporting is no reason to send more."""


class RedundancyPolicy:
    """Decides for one peer from its reports. Pure: the caller says what time it is.

    Both kinds of report may come or not; the worse of the two counts.
    """

    def __init__(self, codec: CodecSettings | None = None, rules: RedundancyRules | None = None) -> None:
        self.change(codec or CodecSettings())
        self._rules = rules or RedundancyRules()
        self._started_s: float | None = None
        self._reception: ReceptionReport | None = None
        self._reception_s = float("-inf")
        self._loss: LossReport | None = None
        self._loss_s = float("-inf")
        self._peer_asks = False
        self._peer_reads_dred = False
        self._dred_needed_s = float("-inf")
        self._round_trips: deque[float] = deque(maxlen=_ROUND_TRIPS)
        self._least_rtt_s = float("inf")
        self._sent_again_s = float("-inf")
        self._needed_s = {level: float("-inf") for level in range(1, MOST_COPIES + 1)}
        self._needed_for_jitter_s = dict(self._needed_s)
        self._lossy_since_s: dict[int, float] = {}
        """Since when the loss was told that so many copies are for."""

        self._brake = CopyBrake()
        self._level: RedLevels = 0

    def change(self, codec: CodecSettings) -> None:
        """Follow other settings from the next plan on; what is known of the line stays."""
        self._codec = codec
        self._fixed: RedLevels | None = None if codec.redundancy == "auto" else _LEVELS[codec.redundancy]

    def peer_asks(self) -> None:
        """It was agreed that this peer asks for what it misses, and is answered on a stream of its own."""
        self._peer_asks = True

    def peer_reads_dred(self) -> None:
        """It was agreed that packets may carry DRED."""
        self._peer_reads_dred = True

    def sent_again(self, now_s: float) -> None:
        """Packets went again since the last word of it: they take room on the line as copies do."""
        self._sent_again_s = now_s

    def answers(self, now_s: float) -> bool:
        """Whether packets shall go again that the peer asks for: not while the line seems to be full of what is sent twice."""
        return self._brake.most_copies(now_s) > 0

    def round_trip(self, rtt_s: float) -> None:
        """A round trip was measured."""
        is_first = not self._round_trips
        self._round_trips.append(rtt_s)
        self._least_rtt_s = min(self._least_rtt_s, rtt_s)
        if is_first and self._asking_rtt_s is not None:
            self._need_nothing()  # that was as long as nobody knew that asking is quicker

    def _need_nothing(self) -> None:
        self._needed_s = dict.fromkeys(self._needed_s, float("-inf"))
        self._needed_for_jitter_s = dict.fromkeys(self._needed_s, float("-inf"))

    def on_reception_report(self, report: ReceptionReport, now_s: float) -> None:
        """An RTCP report block about the stream that goes to this peer."""
        self._reception = report
        self._reception_s = now_s
        if report.rtt_s is not None:
            self.round_trip(report.rtt_s)
            loss = self._loss
            self._brake.round_trip(
                report.rtt_s,
                self._line(now_s)[1],
                now_s,
                copies=self._level > 0 or now_s - self._sent_again_s < _REPORT_S,
                lost=report.fraction_lost,
                regularly=loss is not None
                and is_regular(loss.fraction_lost, loss.mean_burst_packets, self._reported_packets(now_s)),
            )

    def on_loss_report(self, report: LossReport, now_s: float) -> None:
        """What this peer says of its losses and bursts."""
        self._loss = report
        self._loss_s = now_s

    def plan(self, now_s: float) -> RedundancyPlan:
        """What to add from now on. Cheap; meant to be asked before every frame."""
        if self._started_s is None:
            self._started_s = now_s
        fraction_lost, jitter_s, mean_burst = self._line(now_s)
        for needed in range(1, self._needed_against_loss(fraction_lost, mean_burst, now_s) + 1):
            self._needed_s[needed] = now_s
        for needed in range(1, self._needed_against_jitter(jitter_s) + 1):
            self._needed_for_jitter_s[needed] = now_s
        if self._brake.holds(now_s):
            self._need_nothing()  # what called for copies was their own doing
        if self._fixed is None:
            wanted = self._opening_level(now_s) if self._is_unheard else self._calm_level(now_s)
            if self._may_lose_much(fraction_lost, now_s):
                wanted = max(wanted, _OPENING_COPIES)
            self._level = min(wanted, self._brake.most_copies(now_s))
            level, full, twice = self._within_budget(
                self._level, self._wanted_twice(self._level, fraction_lost, now_s)
            )
        else:
            level = full = self._fixed
            twice = 0
        percent = min(_HIGHEST_FEC_PERCENT, round(100 * fraction_lost))
        if not self._needs_fec(level, twice, fraction_lost, mean_burst):
            percent = 0
        if self._codec.fec == "on":
            percent = max(percent, _FEC_ALWAYS_PERCENT)
        return RedundancyPlan(
            red_levels=level,
            full_copies=full,
            fec=self._codec.fec != "off" and percent > 0,
            fec_loss_percent=percent,
            sent_twice=twice,
            dred=self._needs_dred(now_s, level, full, twice),
        )

    def _needs_dred(self, now_s: float, level: RedLevels, full: RedLevels, twice: RedLevels) -> bool:
        """Whether DRED pays: where copies are not enough, or may not be sent. Not while the line seems to be full of what is sent twice."""
        if not self._peer_reads_dred or self._brake.most_copies(now_s) == 0:
            return False
        rules = self._rules
        fraction_lost, jitter_s, mean_burst = self._line(now_s)
        heavy = self._asking_rtt_s is None and (
            fraction_lost >= rules.dred_from
            or (mean_burst >= rules.burst_from and fraction_lost >= rules.bursty_four_copies_from)
        )
        needed = max(
            self._needed_against_loss(fraction_lost, mean_burst, now_s), self._needed_against_jitter(jitter_s)
        )
        if heavy or (level < needed and fraction_lost >= rules.dred_alone_from):
            self._dred_needed_s = now_s
        has_room = self._bitrate_bps(level, full, twice) + _DRED_BPS <= self._budget_bps
        return has_room and self._dred_needed_s >= now_s - rules.dred_calm_s

    def _wanted_twice(self, level: RedLevels, fraction_lost: float, now_s: float) -> RedLevels:
        """How many of the copies go once more in packets of their own: each is another chance, and needs no delay beyond that of the copies."""
        if not self._peer_asks or self._asking_rtt_s is not None or not self._codec.has_short_copies:
            return 0
        if self._may_be_full(now_s):
            return 0
        # More is lost than four copies can be for, or as many as fewer are for: chances that need no more delay.
        if level == MOST_COPIES or (level >= 2 and fraction_lost >= self._rules.three_copies_from):
            return 2
        return 1 if level >= 2 and self._may_lose_much(fraction_lost, now_s) else 0

    def _may_be_full(self, now_s: float) -> bool:
        """Whether packets wait somewhere on the way: what is lost there may be lost because there is too much."""
        rules = self._rules
        longest_s = max(self._round_trips, default=0.0)
        return self._line(now_s)[1] >= rules.queue_jitter_s or longest_s > self._least_rtt_s + rules.queue_s

    def _may_lose_much(self, fraction_lost: float, now_s: float) -> bool:
        """Whether something was lost of the few packets that anybody can know of: a third of all may be."""
        return (
            self._started_s is not None
            and now_s - self._started_s < self._rules.unsure_s
            and fraction_lost > 0
            and self._peer_asks
            and self._asking_rtt_s is None
            and not self._may_be_full(now_s)
        )

    @property
    def _budget_bps(self) -> float:
        return 1000 * self._codec.redundancy_budget_kbps or float("inf")

    def _bitrate_bps(self, level: int, whole: int, twice: int) -> int:
        copy_bps = SHORTER_COPY_BPS if twice else SHORT_COPY_BPS
        return self._codec.bitrate_bps * (1 + whole) + copy_bps * (level + twice - whole)

    def _within_budget(
        self, wanted: RedLevels, wanted_twice: RedLevels
    ) -> tuple[RedLevels, RedLevels, RedLevels]:
        """How many of the copies that are wanted may be sent, how many of those at the voice's own bit rate, and how many go once more."""
        for level in range(wanted, 0, -1):
            for twice in range(wanted_twice, -1, -1):
                for whole in self._whole_copies(level):
                    if self._bitrate_bps(level, whole, twice) <= self._budget_bps:
                        return _LEVELS[str(level)], _LEVELS[str(whole)], _LEVELS[str(twice)]
        return 0, 0, 0

    def _whole_copies(self, level: int) -> tuple[int, ...]:
        """How many of so many copies may have the voice's own bit rate, the best first."""
        if not self._codec.has_short_copies:
            return (level,)
        if self._is_unheard:
            return (0,)  # two short ones take what a whole one does, and the line may be narrow
        # The first copy is heard for nearly each packet that is lost, those behind it seldom.
        return (1, 0)

    def _needs_fec(self, level: int, twice: int, fraction_lost: float, mean_burst: float) -> bool:
        """Whether what copies and asking leave is worth the bits that FEC takes from the voice: where they do their work it is not."""
        if self._asking_rtt_s is not None:
            return False
        # What four copies leave of a burst is two frames and more in a row, of which FEC brings one.
        if mean_burst >= self._rules.burst_from and level < MOST_COPIES:
            return True
        return fraction_lost ** (level + twice + 1) >= self._rules.fec_from

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

    def _needed_against_loss(self, fraction_lost: float, mean_burst: float, now_s: float) -> RedLevels:
        rules, asking_rtt_s = self._rules, self._asking_rtt_s
        if asking_rtt_s is not None:
            if asking_rtt_s <= rules.asking_alone_rtt_s or fraction_lost < rules.one_copy_with_asking_from:
                return 0
            if fraction_lost >= rules.two_copies_with_asking_from:
                return 2
            # In a bad time the packet with the copy is lost mostly too, and the answer comes when it is over.
            return 0 if mean_burst >= rules.burst_from else 1
        needed = (fraction_lost >= rules.one_copy_from) + (fraction_lost >= rules.two_copies_from)
        is_bursty = mean_burst >= rules.burst_from
        four_from = rules.bursty_four_copies_from if is_bursty else rules.four_copies_from
        packets = self._reported_packets(now_s)
        by_chance = math.sqrt(fraction_lost * (1 - fraction_lost) / packets)
        at_least = fraction_lost - rules.believed_deviations * by_chance
        is_certain = is_bursty and self._has_no_chance_burst(fraction_lost, packets)
        for level, alone_from in ((3, rules.three_copies_from), (4, rules.four_copies_from)):
            if fraction_lost < min(alone_from, four_from):
                self._lossy_since_s.pop(level, None)
                continue
            since_s = self._lossy_since_s.setdefault(level, now_s)
            if is_certain or at_least >= alone_from or now_s - since_s >= rules.believed_after_s:
                needed = level
        return _LEVELS[str(needed)]

    def _reported_packets(self, now_s: float) -> float:
        """How many packets a report tells of, about."""
        sent = 0.0 if self._started_s is None else (now_s - self._started_s) * 1000 / self._codec.frame_ms
        return min(max(sent, _FEWEST_REPORTED), _REPORTED_PACKETS)

    def _has_no_chance_burst(self, fraction_lost: float, packets: float) -> bool:
        """Whether the longest burst is none that packets make which are lost each by itself."""
        longest = 0 if self._loss is None else self._loss.longest_burst_packets
        alone = max(fraction_lost - longest / packets, 1 / packets)
        return longest > 1 and packets * alone**longest < self._rules.burst_chance

    def _needed_against_jitter(self, jitter_s: float) -> RedLevels:
        rules, asking_rtt_s = self._rules, self._asking_rtt_s
        if asking_rtt_s is not None and asking_rtt_s <= rules.asking_alone_rtt_s:
            return 0
        return 2 if jitter_s >= rules.much_jitter_from_s else 1 if jitter_s >= rules.jitter_from_s else 0

    @property
    def _asking_rtt_s(self) -> float | None:
        """The round trip to a peer that asks for what it misses, where that is near enough for it to be of use."""
        rtt_s = max(self._round_trips, default=None)
        return rtt_s if self._peer_asks and rtt_s is not None and rtt_s <= self._rules.asking_rtt_s else None

    def _opening_level(self, now_s: float) -> RedLevels:
        assert self._started_s is not None  # plan() sets it first
        # Two need no longer than a receiver waits anyway as it begins.
        rules = self._rules
        opening_s = (
            rules.opening_s if self._asking_rtt_s is not None or not self._peer_asks else rules.unsure_s
        )
        return _OPENING_COPIES if now_s - self._started_s < opening_s else 0

    def _calm_level(self, now_s: float) -> RedLevels:
        rules = self._rules
        for level in range(MOST_COPIES, 0, -1):
            if (
                now_s - self._needed_s[level] <= rules.calm_s
                or now_s - self._needed_for_jitter_s[level] <= rules.jitter_calm_s
            ):
                return _LEVELS[str(level)]
        return 0


_OPENING_COPIES: Final[RedLevels] = 2

_REPORT_S: Final = 1.5
"""What went again since the last report, and the one before."""

_REPORTED_PACKETS: Final = 160
"""What a loss meter looks back at."""

_FEWEST_REPORTED: Final = 25.0
"""And what it takes for as many at least (`LossMeter`)."""

_ROUND_TRIPS: Final = 3
"""The longest of the last ones counts: a way that has become long is believed at once, one that has become short after some seconds."""

_LEVELS: Final[dict[str, RedLevels]] = {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4}

_FEC_ALWAYS_PERCENT: Final = 10
"""What FEC that is always on prepares for: with less libopus leaves it out at 24 kb/s."""

_DRED_BPS: Final = 8_000
"""What DRED of 0.2 s adds, about."""

_HIGHEST_FEC_PERCENT: Final = 30
"""Beyond this the copy inside takes too much from the frame itself, and RED does the work anyway."""
