"""A place in the capture chain at which a filter runs, or none, and another one from any block on: nobody hears the change.

    block ──> [filter A] ──aligned──> block      a change: both work on the same sound for a block, and the one is faded into the other

A filter gives its sound late. The stage holds as many whole blocks back as make up for it, and gives each block its own content: block k
goes in, and block k comes out, one call later. So RTP time stays capture time, to the sample. When a filter with a delay is
turned on, one call gives no block; when it is turned off, one call gives two.
"""

from collections import deque
from typing import Final

import numpy as np

from blink_cli.audio.fade import FADE_IN, FADE_OUT
from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.filter import Filter
from blink_cli.audio.samples import Samples

WARMED_BLOCKS: Final = 3
"""What a new filter is given of the last sound before its own is heard, so that it does not begin out of silence."""


class _Aligned:
    """A filter, or none, whose output is block for block the content of its input, `held` calls later."""

    def __init__(self, filter_: Filter | None) -> None:
        self.filter = filter_
        self._delay = 0 if filter_ is None else filter_.delay_samples
        self.held = 1 if self._delay else 0
        self._tail: Samples | None = None

    def process(self, block: CapturedBlock) -> Samples | None:
        """Return the content of the block `held` calls ago; None if there was none."""
        if self.filter is None:
            return block.samples
        out = self.filter.process(block)
        if not self._delay:
            return out
        tail, self._tail = self._tail, out[self._delay :]
        return None if tail is None else np.concatenate((tail, out[: self._delay]))

    def forget(self) -> None:
        """Take that the next block does not follow the last one."""
        self._tail = None


class Stage:
    """Used by the capture thread alone."""

    def __init__(self) -> None:
        self._now = _Aligned(None)
        self._next: _Aligned | None = None
        self._fading: Samples | None = None
        """What the filter that goes made of the block that is to be given next, until the one that comes has got there."""

        self._held: deque[CapturedBlock] = deque()
        self._recent: deque[CapturedBlock] = deque(maxlen=WARMED_BLOCKS)

    @property
    def filter(self) -> Filter | None:
        """What runs, or will from the next block on."""
        return (self._next or self._now).filter

    @property
    def idle(self) -> bool:
        """Whether blocks pass as they are."""
        return self._next is None and self._now.filter is None

    @property
    def held_blocks(self) -> int:
        """How many blocks were taken and not given yet."""
        return len(self._held)

    def use(self, filter_: Filter | None) -> None:
        """Run another filter, or none, from the next block on."""
        if filter_ is self.filter:
            return
        if self._fading is not None:  # the one that comes has begun
            self._finish_change()
        self._next = None if filter_ is self._now.filter else _Aligned(filter_)

    def remember(self, block: CapturedBlock) -> None:
        """Take a block that passed by: a filter that comes is warmed by it."""
        self._recent.append(block)

    def process(self, block: CapturedBlock) -> list[CapturedBlock]:
        """Return the blocks that are finished now, in order: mostly one. What a filter raises is raised; see `abandon`."""
        if self.idle:
            self._recent.append(block)
            return [block]
        self._held.append(block)
        made = self._run(block) if self._next is None else self._change(self._next, block)
        self._recent.append(block)
        return [self._held.popleft().become(samples) for samples in made]

    def abandon(self) -> list[CapturedBlock]:
        """Run no filter any more, after one raised: return what was taken and not given, as it came."""
        self._now, self._next, self._fading = _Aligned(None), None, None
        left = list(self._held)
        self._held.clear()
        return left

    def restart(self) -> int:
        """Take that sound is missing behind the last block. Return how many blocks were held back and are left out."""
        self._finish_change()
        left_out = len(self._held)
        self._held.clear()
        self._recent.clear()
        self._now.forget()
        return left_out

    def _run(self, block: CapturedBlock) -> list[Samples]:
        samples = self._now.process(block)
        return [] if samples is None else [samples]

    def _change(self, coming: _Aligned, block: CapturedBlock) -> list[Samples]:
        """Fade one block from the filter that goes to the one that comes, once both have made it; return what is finished."""
        made: list[Samples | None]
        if self._fading is not None:  # the one that comes has got there now
            going, made = self._fading, [coming.process(block)]
        else:
            made = [coming.process(known) for known in self._recent]
            made.append(coming.process(block))
            going_or_none = self._now.process(block)
            if going_or_none is None:  # nothing was given yet that could be faded from
                self._finish_change()
                return [] if coming.held or made[-1] is None else [made[-1]]
            going = going_or_none
            if coming.held > self._now.held:
                self._fading = going
                return []
            made = made[-1 - self._now.held + coming.held :]
        self._finish_change()
        finished = [samples for samples in made if samples is not None]
        if not finished:
            return [going]
        return [going * FADE_OUT + finished[0] * FADE_IN, *finished[1:]]

    def _finish_change(self) -> None:
        if self._next is not None:
            self._now, self._next, self._fading = self._next, None, None
