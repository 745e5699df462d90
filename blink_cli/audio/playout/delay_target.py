"""How long to wait for frames: the delay at which waiting longer costs more than what it would save.

    share of frames not there yet
    |#
    |##                        cost(D) = D + (share of frames that come after D) * price
    |####
    |########          #       A second hump is what loss makes: frames that come one packet later, as a redundant copy or as
    |############    ######    FEC of the next packet. So the delay that redundancy needs is found, not configured.
    +-----------------------> lateness
            ^ D                Lateness is measured from the earliest arrival of the window, per frame, not per packet.

A rare peak (a freeze) is not worth waiting for and the cost says so by itself; peaks that come again and again are.

Source: NetEQ's reorder optimizer (modules/audio_coding/neteq/reorder_optimizer.cc in WebRTC) weighs delay against loss in the
same way, over a histogram; a sorted window needs no bins and forgets completely.
"""

import math
from array import array
from typing import Final

import numpy as np

from blink_cli.audio.playout.copy_floor import CopyFloor
from blink_cli.core.audio_format import TICK_SAMPLES

_WINDOW_FRAMES: Final = 512
"""10 s of 20 ms frames: enough to know the 99th percentile, short enough to follow a network that changes."""

_PRICE_S: Final = 4.0
"""Seconds of delay that losing everything is worth: 40 ms for each percent of frames that would be concealed."""

_FEWEST_FRAMES: Final = 150
"""Until so many are known, each counts as if they were: one late frame of the first five is not a fifth of all."""

_OPENING_FRAMES: Final = 50
"""Until so many are known, the target does not go below the opening one: a second of luck proves nothing."""

_UNSEEN_FRAMES: Final = 8.0
"""The spread seen in few frames is less than that of many: it is stretched by 1 + `_UNSEEN_FRAMES` / frames."""

_MARGIN_JITTERS: Final = 0.5
"""What the target adds to what it learned, for each second of jitter: the estimate wavers by about this, and being early costs more."""

_UPDATE_EVERY: Final = 20
"""Frames between two looks at the window; a late frame makes one at once. Sorting it costs as much as decoding two frames."""

_CALM_FRAMES: Final = 128
_CALM_BY_S: Final = 0.15
"""When all of so many frames, 2.6 s, came so much earlier than the target waits, what came before them is forgotten: a queue that has emptied is no
network that may be slow again any moment. What comes back more often than that is remembered."""

_APART_FRAMES: Final = 25
"""Half a second: no burst lasts so long, and what comes again after that will come again."""

_MOST_KEPT_S: Final = 0.12
"""The wait that is kept for further bursts is no longer, whatever one freeze took."""

_OPENING_UPDATE_EVERY: Final = 5
"""The same while the window is new and each frame tells much."""

_LATER: Final = np.arange(_WINDOW_FRAMES - 1, -1, -1, dtype=np.float64)
"""How many frames came later than each, of frames in order that weigh 1 each."""


class DelayTarget:
    """Learns from the transit time (arrival minus media time) of every frame. Times in seconds; any origin."""

    def __init__(self, *, opening_s: float, minimum_s: float, maximum_s: float) -> None:
        self._opening_s = opening_s
        self._minimum_s = minimum_s
        self._maximum_s = maximum_s
        self._written = array("d", bytes(8 * _WINDOW_FRAMES))
        self._transits = np.frombuffer(self._written)
        """The same memory: one number is written far quicker without numpy."""

        self._weights = np.ones(_WINDOW_FRAMES)
        self._lighter = 0
        """How many frames of the window weigh less than 1."""

        self._count = 0
        self._until_update = 1
        self._updated_for_s: float | None = None
        """The tick behind which the window was looked at last."""

        self._gathered_samples = 0
        self._gathered_s = 0.0
        self._gathered_weight = 0.0
        self._copy_floor = CopyFloor()
        self.floor_s = 0.0
        """What the redundancy in use needs while there is loss. A second loss in a row is too rare to be learned
        within seconds, but that is what a second copy was sent for."""

        self.kept_s = 0.0
        """The longest wait that was learned in the last 10 s, 120 ms at most, while the line loses in bursts; else 0. Bursts come seconds apart, and
        their like will come again: the delay is not shortened below it."""

        self._kept_until = self._bursts_until = 0
        """Counts of frames."""

        self.jitter_s = 0.0
        """Interarrival jitter (RFC 3550, section 6.4.1); set by the owner."""

        self._sorted = self._transits[:0]
        self._costs_later = self._transits[:0]
        self._least_from = self._transits[:0]
        """The least cost of each of the sorted and all behind it."""

        self.base_s = 0.0
        """The earliest transit of the window: what a frame takes at least."""

        self.target_s = min(max(opening_s, minimum_s), maximum_s)
        """How much longer than `base_s` to wait."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was observed yet, so that `base_s` means nothing."""
        return self._count == 0

    def observe(
        self, transit_s: float, samples: int, weight: float = 1.0, *, tick_s: float | None = None
    ) -> None:
        """A frame of so many samples became available with this transit time, for the first time or (less `weight`) in a better form.

        Of frames that are shorter than a tick, the latest of a tick counts for all of them: they are needed together. `tick_s` is the last tick before: of
        late frames that come in one go, as from a machine that is late itself, the window is looked at for the first, and for the others with what comes next.
        """
        if samples < TICK_SAMPLES and self._count:
            if not self._gathered_samples or transit_s > self._gathered_s:
                self._gathered_s, self._gathered_weight = transit_s, weight
            self._gathered_samples += samples
            if self._gathered_samples < TICK_SAMPLES:
                return
            self._gathered_samples = 0
            transit_s, weight = self._gathered_s, self._gathered_weight
        at = self._count % _WINDOW_FRAMES
        self._written[at] = transit_s
        if self._lighter or weight != 1.0:
            self._weigh(at, weight)
        self._count += 1
        self._until_update -= 1
        if transit_s < self.base_s or self._count == 1:
            self.base_s = transit_s
        is_late = transit_s > self.base_s + self.target_s
        if is_late and tick_s is not None and tick_s == self._updated_for_s:
            self._until_update = 0
            return
        if self._until_update <= 0 or is_late:
            self._updated_for_s = tick_s
            self._until_update = _UPDATE_EVERY if self._count > _FEWEST_FRAMES else _OPENING_UPDATE_EVERY
            self._update()

    def copies_came(self, ages_samples: tuple[int, ...], arrival_s: float, *, loses: bool) -> None:
        """A packet came with copies so much older than itself; see `CopyFloor.after`."""
        self.floor_s = self._copy_floor.after(ages_samples, arrival_s, loses=loses)

    def loses_in_bursts(self) -> None:
        """The line has lost a burst of packets just now."""
        self._bursts_until = self._count + _WINDOW_FRAMES

    def burst_was_told(self, missing_samples: int, arrival_s: float) -> None:
        """A packet told of so much lost sound before it; see `CopyFloor.told`."""
        self._copy_floor.told(missing_samples, arrival_s)
        self.copies_came((), arrival_s, loses=True)

    def regret_s(self, delay_s: float) -> float:
        """What `delay_s` costs more than a better one in the direction of the target, in seconds of delay; small where the cost is flat.

        Below the target that is one that waits longer, what the copies in use need included; above it one that waits for these at least.
        """
        if self.is_empty or self._sorted.size == 0:
            return 0.0
        if delay_s < self.target_s:
            return max(self.learned_regret_s(delay_s), self.floor_s - delay_s)
        best_s = min(self._least_from_s(self.floor_s), self._cost_s(self.floor_s))
        return max(self._cost_s(delay_s) - best_s, 0.0)

    def learned_regret_s(self, delay_s: float) -> float:
        """What `delay_s` costs more than the best longer one by what was seen alone."""
        if self.is_empty or self._sorted.size == 0:
            return 0.0
        return max(self._cost_s(delay_s) - self._least_from_s(delay_s), 0.0)

    def comes_later_again(self, delay_s: float) -> bool:
        """Whether frames of the window came later than that at two moments that are apart: one burst is no network that is slow."""
        known = min(self._count, _WINDOW_FRAMES)
        late = np.flatnonzero(self._transits[:known] > self.base_s + delay_s)
        if late.size < 2:
            return False
        ages = (self._count - 1 - late) % _WINDOW_FRAMES
        return int(ages.max() - ages.min()) >= _APART_FRAMES

    def _cost_s(self, delay_s: float) -> float:
        """Of one delay, as a transit time, and what would come later than that."""
        transit_s = self.base_s + delay_s
        at = int(self._sorted.searchsorted(transit_s, side="right")) - 1
        return transit_s + float(self._costs_later[max(at, 0)])

    def _least_from_s(self, delay_s: float) -> float:
        """Of all longer delays; infinite where nothing comes later."""
        at = int(self._sorted.searchsorted(self.base_s + delay_s, side="right"))
        return float(self._least_from[at]) if at < self._least_from.size else math.inf

    def forget_origin(self) -> None:
        """The media clock starts anew (another sender): keep the target, learn the rest again."""
        self._count = 0
        self._until_update = 1
        self._gathered_samples = 0
        self._kept_until = self._bursts_until = 0
        self._opening_s = self.target_s
        self._weights.fill(1.0)
        self._lighter = 0

    def _weigh(self, at: int, weight: float) -> None:
        self._lighter += (weight < 1.0) - (float(self._weights[at]) < 1.0)
        self._weights[at] = weight

    def _forget_what_is_over(self) -> None:
        # What came in this window waits no longer than the target less `_CALM_BY_S` only if that is more than nothing.
        if self._count < _WINDOW_FRAMES or self.target_s < _CALM_BY_S:
            return
        at = self._count % _WINDOW_FRAMES
        order = np.arange(at - _CALM_FRAMES, at)  # negative ones are at the end
        latest = self._transits[order]
        if float(latest.max()) > self.base_s + self.target_s - _CALM_BY_S:
            return
        weights = self._weights[order]
        self._transits[:_CALM_FRAMES], self._weights[:_CALM_FRAMES] = latest, weights
        self._weights[_CALM_FRAMES:] = 1.0
        self._lighter = int(np.count_nonzero(weights < 1.0))
        self._kept_until = self._bursts_until = 0
        self._count = _CALM_FRAMES

    def _update(self) -> None:
        self._forget_what_is_over()
        known = min(self._count, _WINDOW_FRAMES)
        if self._lighter:
            order = np.argsort(self._transits[:known])
            transits = self._transits[order]
            weights = self._weights[order]
            later = weights.sum() - np.cumsum(weights)
        else:
            transits = np.sort(self._transits[:known])
            later = _LATER[_WINDOW_FRAMES - known :]
        base_s = float(transits[0])
        costs_later = later * (_PRICE_S / max(known, _FEWEST_FRAMES))
        costs = transits + costs_later
        best = int(costs.argmin())
        self._sorted = transits
        self._costs_later = costs_later
        self._least_from = np.minimum.accumulate(costs[::-1])[::-1]
        learned_s = float(transits[best]) - base_s
        self._keep(learned_s)
        spread_s = learned_s * (1 + _UNSEEN_FRAMES / max(known, 4))
        fading_s = self._opening_s if known < _OPENING_FRAMES else 0.0
        self.base_s = base_s
        wanted_s = max(spread_s + _MARGIN_JITTERS * self.jitter_s, fading_s, self.floor_s, self._minimum_s)
        self.target_s = min(wanted_s, self._maximum_s)

    def _keep(self, learned_s: float) -> None:
        if self._count >= self._bursts_until:
            self.kept_s = 0.0
        elif min(learned_s, _MOST_KEPT_S) >= self.kept_s or self._count >= self._kept_until:
            self.kept_s = min(learned_s, _MOST_KEPT_S)
            self._kept_until = self._count + _WINDOW_FRAMES
