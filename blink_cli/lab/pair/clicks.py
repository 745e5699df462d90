"""Clicks: the waveform bends sharper than it did where it comes from, and than it does around.

`continuity.clicks` does the same for a tone, whose sharpest bend is known beforehand.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.lab.pair.delays import Integers
from blink_cli.lab.pair.missing import Missing
from blink_cli.lab.voice_metrics import RATE_HZ, Samples

_BLOCK: Final = RATE_HZ // 1000
"""1 ms."""

_NEAR_BLOCKS: Final = 15
"""A codec moves sound by some ms, and before a loud sound it is heard already."""

_SHARPER: Final = 4.0
_OWN_BLOCKS: Final = 10
_OWN_WIDTH: Final = 2
"""What a click itself is made of, once it was band-limited: left out where it is compared with what is around."""

_USUAL_PERCENTILE: Final = 90.0
"""Bends below that of nine tenths of the speech are not heard beside it."""

_AT_EDGES_S: Final = 0.003
_ONE_S: Final = 0.005
"""So near to each other they are one."""

Floats = npt.NDArray[np.float64]


def clicks(
    sent: Samples, heard: Samples, sources: Integers, gain: float, missing: Sequence[Missing]
) -> tuple[float, ...]:
    """Return the seconds of what was heard at which it clicks. The edges of what is missing are told with that, and not here."""
    said, came = _bends(sent) * gain, _bends(heard)
    if len(said) < 2 * _NEAR_BLOCKS or len(came) < 2 * _OWN_BLOCKS:
        return ()
    audible = said[said > 0.01 * said.max()]
    usual = float(np.percentile(audible, _USUAL_PERCENTILE)) if len(audible) else 0.0
    # Most of the bends around, on the side of what was sent; the usual one on the side of what was heard.
    most = _sliding(said, _NEAR_BLOCKS).max(axis=1)
    blocks = np.clip(
        sources[_BLOCK // 2 :: _BLOCK][: len(came)] // _BLOCK, -_NEAR_BLOCKS, len(said) - 1 + _NEAR_BLOCKS
    )
    compared = (blocks >= 0) & (blocks < len(said))
    expected = most[np.clip(blocks, 0, len(said) - 1)]
    own = _sliding(came, _OWN_BLOCKS)
    beside = np.delete(own, np.arange(_OWN_BLOCKS - _OWN_WIDTH, _OWN_BLOCKS + _OWN_WIDTH + 1), axis=1)
    surroundings = np.median(beside, axis=1)
    # Before and behind what was sent there is nothing to compare with.
    sharp = (
        compared & (came > _SHARPER * expected) & (came > _SHARPER * surroundings) & (came > max(usual, 1e-9))
    )
    edges = [edge for one in missing for edge in (one.at_s, one.at_s + one.duration_s)]
    found: list[float] = []
    for block in np.flatnonzero(sharp):
        at_s = (int(block) + 0.5) * _BLOCK / RATE_HZ
        if found and at_s - found[-1] <= _ONE_S:
            continue
        if all(abs(at_s - edge) > _AT_EDGES_S for edge in edges):
            found.append(at_s)
    return tuple(found)


def _bends(sound: Samples) -> Floats:
    """The sharpest bend in each ms: the largest second difference."""
    bends = np.abs(np.diff(sound.astype(np.float64), 2, prepend=0.0, append=0.0))
    whole = len(bends) // _BLOCK * _BLOCK
    largest: Floats = bends[:whole].reshape(-1, _BLOCK).max(axis=1)
    return largest


def _sliding(values: Floats, to_each_side: int) -> Floats:
    padded = np.pad(values, to_each_side, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, 2 * to_each_side + 1)
