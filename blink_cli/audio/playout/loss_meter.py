"""Loss as the network made it, before any repair: share and bursts over the last seconds.

A packet counts as lost when it has not come although one sent `_TOLERANCE_PACKETS` later has; if it comes after all, the loss is
taken back. Late is not lost: lateness is answered with delay, loss with redundancy.
"""

from typing import Final

from blink_cli.core.audio_format import TICK_SAMPLES
from blink_cli.core.media.loss_report import LossReport

_MEMORY_PACKETS: Final = 160
"""Packets looked back at: about 3 s. Long enough to meet a few bursts, short enough to notice soon that a line is clean. Of packets shorter than
10 ms so many more, that they last 1.6 s."""

_TOLERANCE_PACKETS: Final = 4
"""Packets by which others may overtake before a missing one counts; of short ones as many more."""

_BURST_PACKETS: Final = 4
"""So many in a row are lost once in ten thousand packets where chance loses 10 %, and every few seconds where it comes in bursts; likewise."""

_JUMP_PACKETS: Final = 1_000
"""A gap in the numbers longer than this is another stream, not 20 s of loss; likewise."""


class LossMeter:
    """Fed with extended sequence numbers of one stream in order of arrival. Memory is fixed."""

    def __init__(self) -> None:
        self._scale = 1
        self._memory = _MEMORY_PACKETS
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

    def packets_last(self, samples: int) -> None:
        """Packets last so many samples from now on: shorter ones than a tick are more to remember. Losses so far are forgotten, not uncounted."""
        scale = max(1, TICK_SAMPLES // samples)
        if scale != self._scale:
            self._scale = scale
            self._memory = scale * _MEMORY_PACKETS
            if self._highest is not None:
                self._begin(self._highest)

    def on_packet(self, sequence: int) -> bool:
        """A packet with this extended sequence number came; duplicates are harmless.

        Returns:
            Whether so many right before it have not come that hardly chance alone lost them.

        """
        highest = self._highest
        if highest is not None and sequence == highest + 1:
            at = sequence % self._memory
            if self._missing[at]:
                self._forget(at)
            self._highest = sequence
            return False
        if highest is None or abs(sequence - highest) > _JUMP_PACKETS * self._scale:
            self._begin(sequence)
            return False
        memory = self._memory
        at = sequence % memory
        if sequence > highest:
            for skipped in range(highest + 1, sequence):
                self._forget(skipped % memory)
                self._missing[skipped % memory] = 1
                self._losses += 1
            self._forget(at)
            self._highest = sequence
            return sequence - highest > _BURST_PACKETS * self._scale
        if sequence > highest - memory and self._missing[at]:
            self._missing[at] = 0
            self._losses -= 1
        return False

    def report(self, jitter_s: float = 0.0) -> LossReport:
        """Share and bursts over the packets remembered, the newest few left out: they may still come."""
        highest = self._highest
        if highest is None or not self._losses:
            return LossReport(
                fraction_lost=0.0, mean_burst_packets=0.0, longest_burst_packets=0, jitter_s=jitter_s
            )
        end = highest - _TOLERANCE_PACKETS * self._scale
        start = max(self._first, highest + 1 - self._memory)
        if end < start:
            return LossReport(
                fraction_lost=0.0, mean_burst_packets=0.0, longest_burst_packets=0, jitter_s=jitter_s
            )
        states = bytes(self._missing[sequence % self._memory] for sequence in range(start, end + 1))
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

    def _begin(self, sequence: int) -> None:
        self._earlier += self._losses
        self._losses = 0
        self._missing = bytearray(self._memory)
        self._first = self._highest = sequence

    def _forget(self, at: int) -> None:
        if self._missing[at]:
            self._missing[at] = 0
            self._losses -= 1
            self._earlier += 1


_FEWEST_PACKETS: Final = 25
