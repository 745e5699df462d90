"""How losses stand beside each other: runs of consecutive losses, and the bursts and gaps of RFC 3611.

    . . x . . x x . x . . . . . . . . . . . . . . . . . . . x . .        x lost, . received; Gmin 16
        '---- burst ---'                                    '-- isolated: belongs to the gap

A burst begins and ends with a loss, has at least two, and nowhere inside it Gmin packets that came one after the other. Everything else is gap.

Source: RFC 3611, section 4.7.2. Counted directly, and not through the transition counts of its appendix A.2, which give approximations.
"""

from collections import Counter
from typing import Final

import msgspec

GMIN_PACKETS: Final = 16
"""The recommended value (RFC 3611, section 4.7.2): with isolated losses so far apart, concealment hides them."""


MOST_LENGTHS: Final = 300
"""Of runs that are told apart: any network makes fewer, and a sender that leaps at will could make 32,767. Others count as the next shorter one."""


class LossFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Losses of one stream and how they are grouped. Durations are in packets times the stream's packet interval."""

    packets: int
    """Packets that were expected."""

    lost: int
    share: float | None
    """Lost of those expected, 0 to 1; None without any."""

    runs: dict[str, int]
    """How often so many packets in a row were lost; the keys are numbers, ascending. 300 at most: further lengths count as the next shorter one."""

    longest_run: int
    mean_run: float | None
    burst_ratio: float | None
    """Mean length of a run over that of random loss of the same share: 1 is random, more is bursty (ITU-T G.107, BurstR)."""

    gmin_packets: int
    bursts: int
    burst_density: float | None
    """Lost of the packets inside bursts, 0 to 1; None without a burst."""

    burst_duration_ms: float | None
    """Mean; None without a burst, or while the packet interval is unknown."""

    gap_density: float | None
    """Lost of the packets outside bursts, 0 to 1."""

    gap_duration_ms: float | None
    """Mean."""


class LossPattern:
    """Takes losses in ascending order. A stream may have several stretches, between which nothing is known."""

    __slots__ = (
        "_burst_losses",
        "_burst_packets",
        "_bursts",
        "_first",
        "_gaps",
        "_gmin",
        "_group_first",
        "_group_losses",
        "_last_burst_end",
        "_last_lost",
        "_longest",
        "_lost",
        "_packets",
        "_run",
        "_runs",
    )

    def __init__(self, gmin_packets: int = GMIN_PACKETS) -> None:
        """Know no stretch yet; `begin` one first."""
        self._gmin = gmin_packets
        self._runs: Counter[int] = Counter()
        self._longest = 0
        self._packets = 0
        self._lost = 0
        self._bursts = 0
        self._burst_packets = 0
        self._burst_losses = 0
        self._gaps = 0
        self._first = 0
        self._last_burst_end = -1
        self._last_lost: int | None = None
        self._run = 0
        self._group_first = 0
        self._group_losses = 0

    def begin(self, first: int) -> None:
        """A stretch begins with this extended sequence number."""
        self._first = first
        self._last_burst_end = first - 1
        self._last_lost = None
        self._run = 0
        self._group_losses = 0

    def lost(self, sequence: int) -> None:
        """Count one loss, later in sequence than the one before it."""
        last = self._last_lost
        if last is not None and sequence == last + 1:
            self._run += 1
        else:
            self._close_run()
            self._run = 1
        if last is not None and sequence - last - 1 < self._gmin:
            self._group_losses += 1
        else:
            self._close_group()
            self._group_first = sequence
            self._group_losses = 1
        self._last_lost = sequence
        self._lost += 1

    def lost_all(self, first: int, last: int) -> None:
        """Count every number from `first` to `last`, which is not before it; takes no longer for many."""
        self.lost(first)
        more = last - first
        self._run += more
        self._group_losses += more
        self._lost += more
        self._last_lost = last

    def end(self, last: int) -> None:
        """The stretch ends with this sequence number, which is not before its first or any loss."""
        self._close_run()
        self._close_group()
        if last > self._last_burst_end:
            self._gaps += 1
        self._packets += last - self._first + 1

    def copy(self) -> "LossPattern":
        """Another one that goes its own way, such as to an end that is only assumed."""
        twin = LossPattern(self._gmin)
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin._runs = self._runs.copy()
        return twin

    def _close_run(self) -> None:
        length, self._run = self._run, 0
        if not length:
            return
        self._longest = max(self._longest, length)
        if length not in self._runs and len(self._runs) >= MOST_LENGTHS:
            length = max((known for known in self._runs if known < length), default=min(self._runs))
        self._runs[length] += 1

    def _close_group(self) -> None:
        if self._group_losses >= 2:
            assert self._last_lost is not None, "a group has losses"
            self._bursts += 1
            self._burst_losses += self._group_losses
            self._burst_packets += self._last_lost - self._group_first + 1
            if self._group_first > self._last_burst_end + 1:
                self._gaps += 1
            self._last_burst_end = self._last_lost
        self._group_losses = 0

    def figures(self, packet_interval_ms: float | None) -> LossFigures:
        """Everything about the stretches that have ended."""
        packets, lost = self._packets, self._lost
        runs = sum(self._runs.values())
        share = lost / packets if packets else None
        mean_run = lost / runs if runs else None
        gap_packets = packets - self._burst_packets
        return LossFigures(
            packets=packets,
            lost=lost,
            share=share,
            runs={str(length): self._runs[length] for length in sorted(self._runs)},
            longest_run=self._longest,
            mean_run=mean_run,
            # A run of random losses is 1 / (1 - share) long on average.
            burst_ratio=None if mean_run is None or share is None else mean_run * (1.0 - share),
            gmin_packets=self._gmin,
            bursts=self._bursts,
            burst_density=self._burst_losses / self._burst_packets if self._bursts else None,
            burst_duration_ms=_mean_ms(self._burst_packets, self._bursts, packet_interval_ms),
            gap_density=(lost - self._burst_losses) / gap_packets if gap_packets else None,
            gap_duration_ms=_mean_ms(gap_packets, self._gaps, packet_interval_ms),
        )


def _mean_ms(packets: int, stretches: int, packet_interval_ms: float | None) -> float | None:
    if not stretches or packet_interval_ms is None:
        return None
    return packets * packet_interval_ms / stretches
