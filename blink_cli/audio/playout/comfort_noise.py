"""The background of a pause: what the decoder makes of the sender's room, kept and played on without decoding.

For the first moments of a pause the decoder itself goes on (its concealment fades into the background noise it has learned). What it
makes at the end of that is kept as a loop, read at changing places, so that a pause costs a copy and not a decode.
A room below `_INAUDIBLE_RMS` is silence, which costs nothing.
"""

from typing import Final

import numpy as np

from blink_cli.audio.playout.block import SILENCE_BLOCK, Block
from blink_cli.core.audio_format import TICK_SAMPLES

_LEAD_BLOCKS: Final = 20
"""200 ms that the decoder's concealment needs to fade from the last word into the background."""

_LOOP_BLOCKS: Final = 32
_INAUDIBLE_RMS: Final = 10 ** (-72 / 20)
_STRIDE: Final = 2_659
"""A prime, so that the places at which the loop is read repeat only after minutes."""

_FADE_IN: Final[Block] = np.sqrt((np.arange(TICK_SAMPLES) + 0.5) / TICK_SAMPLES).astype(np.float32)
_FADE_OUT: Final[Block] = _FADE_IN[::-1].copy()


class ComfortNoise:
    """Fed with the decoder's concealment from the start of a pause; then plays by itself until `restart`."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._skipped = 0
        self._loop: Block | None = None
        self._place = 0

    @property
    def is_ready(self) -> bool:
        """Whether `block` can be asked, so that the decoder may rest."""
        return self._loop is not None

    def restart(self) -> None:
        """A pause begins: learn its background."""
        self._blocks = []
        self._skipped = 0
        self._loop = None

    def learn(self, block: Block) -> None:
        """One block, shape (480,), that the decoder made in this pause."""
        if self._skipped < _LEAD_BLOCKS:
            self._skipped += 1
            return
        self._blocks.append(block)
        if len(self._blocks) == _LOOP_BLOCKS or float(block @ block) < TICK_SAMPLES * _INAUDIBLE_RMS**2:
            self._loop = np.concatenate(self._blocks)
            self._blocks = []
            self._place = 0

    def block(self) -> Block:
        """The next ten milliseconds; `SILENCE_BLOCK` itself when the room is silent."""
        loop = self._loop
        assert loop is not None  # is_ready is asked before
        if len(loop) < _LOOP_BLOCKS * TICK_SAMPLES:
            return SILENCE_BLOCK
        # Equal-power cross-fade between two unrelated places of noise, so that neither a seam nor a pattern is heard.
        here = self._place
        self._place = there = (here + _STRIDE) % (len(loop) - 2 * TICK_SAMPLES)
        ends = loop[here + TICK_SAMPLES : here + 2 * TICK_SAMPLES]
        noise: Block = ends * _FADE_OUT + loop[there : there + TICK_SAMPLES] * _FADE_IN
        return noise
