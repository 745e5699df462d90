"""Loss as the network made it, before any repair: share and bursts over the last seconds.

A packet counts as lost when it has not come although one sent `_TOLERANCE_PACKETS` later has; if it comes after all, the loss is
taken back. Late is not lost: lateness is answered with delay, loss with redundancy.
"""

from typing import Final

from blink_cli.core.loss_report import LossReport

_MEMORY_PACKETS: Final = 160
"""Packets looked back at: about 3 s. Long enough to meet a few bursts, short enough to notice soon that a line is clean."""

_TOLERANCE_PACKETS: Final = 4
"""Packets by which others may overtake before a missing one counts."""

_JUMP_PACKETS: Final = 1_000
"""A gap in the numbers longer than this is another stream, not 20 s of loss."""


class LossMeter:
    """Fed with extended sequence numbers of one stream in order of arrival. Memory is fixed."""

    def __init__(self) -> None:
        self._missing = bytearray(_MEMORY_PACKETS)
        self._first = 0
        self._highest: int | None = None
        self._losses = 0
        self._earlier = 0

    @property
    def packets_lost(self) -> int:
        """Packets that never came since the meter was made; one that comes very late may be counted."""
        return self._earlier + self._losses

    @property
    def is_clean(self) -> bool:
        """Whether nothing within memory is missing."""
        return self._losses == 0

    def on_packet(self, sequence: int) -> None:
        """A packet with this extended sequence number came; duplicates are harmless."""
        highest = self._highest
        if highest is None or abs(sequence - highest) > _JUMP_PACKETS:
            self._earlier += self._losses
            self._losses = 0
            self._missing = bytearray(_MEMORY_PACKETS)
            self._first = self._highest = sequence
            return
        at = sequence % _MEMORY_PACKETS
        if sequence > highest:
            for skipped in range(highest + 1, sequence):
                self._forget(skipped % _MEMORY_PACKETS)
                self._missing[skipped % _MEMORY_PACKETS] = 1
                self._losses += 1
            self._forget(at)
            self._highest = sequence
        elif sequence > highest - _MEMORY_PACKETS and self._missing[at]:
            self._missing[at] = 0
            self._losses -= 1

    def report(self, jitter_s: float = 0.0) -> LossReport:
        """Share and bursts over the packets remembered, the newest few left out: they may still come."""
        highest = self._highest
        if highest is None or not self._losses:
            return LossReport(
                fraction_lost=0.0, mean_burst_packets=0.0, longest_burst_packets=0, jitter_s=jitter_s
            )
        end = highest - _TOLERANCE_PACKETS
        start = max(self._first, highest + 1 - _MEMORY_PACKETS)
        if end < start:
            return LossReport(
                fraction_lost=0.0, mean_burst_packets=0.0, longest_burst_packets=0, jitter_s=jitter_s
            )
        states = bytes(self._missing[sequence % _MEMORY_PACKETS] for sequence in range(start, end + 1))
        bursts = [len(run) for run in states.split(b"\0") if run]
        if not bursts:
            return LossReport(
                fraction_lost=0.0, mean_burst_packets=0.0, longest_burst_packets=0, jitter_s=jitter_s
            )
        lost = sum(bursts)
        return LossReport(
            # The first packets of a call say little: one lost among five is not yet a fifth.
            fraction_lost=lost / max(len(states), _FEWEST_PACKETS),
            mean_burst_packets=lost / len(bursts),
            longest_burst_packets=max(bursts),
            jitter_s=jitter_s,
        )

    def _forget(self, at: int) -> None:
        if self._missing[at]:
            self._missing[at] = 0
            self._losses -= 1
            self._earlier += 1


_FEWEST_PACKETS: Final = 25
