"""The mean that leaves pauses out is kept up to date block by block: it is the one that looking through all of them gives."""

import math

import numpy as np
import pytest

from blink_cli.audio.loudness.gating import GatedBlocks, lufs, power_of

pytestmark = pytest.mark.no_clock


def mean_of_all(powers: list[float]) -> float | None:
    """Straight from BS.1770-4: above -70 LUFS, and then above the mean of those less 10 LU."""
    loud = [power for power in powers if power > power_of(-70.0)]
    if not loud:
        return None
    gate = sum(loud) / len(loud) / 10.0
    above = [power for power in loud if power > gate]
    return lufs(sum(above) / len(above))


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_of_the_blocks_above_the_gate_after_each_of_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    # Speech, pauses, and a loud part that moves the gate far up and, when soft speech follows, down again.
    parts = [(-23.0, 6.0, 200), (-75.0, 5.0, 50), (-3.0, 2.0, 80), (-40.0, 8.0, 600)]
    levels = np.concatenate([random.normal(mean, spread, count) for mean, spread, count in parts])
    blocks, powers = GatedBlocks(), []
    assert blocks.gated_mean is None
    for level in levels:
        powers.append(power_of(float(level)))
        blocks.add(powers[-1])
        expected = mean_of_all(powers)
        assert (blocks.gated_mean is None) == (expected is None)
        # Only which blocks of one bin of 0.01 LU are above the gate may differ.
        assert math.isclose(blocks.gated_mean or 0.0, expected or 0.0, abs_tol=0.05)


def test_a_mean_that_is_asked_for_once_is_that_of_all() -> None:
    powers = [power_of(level) for level in (-60.0, -20.0, -30.0, -25.0, -29.9)]
    blocks = GatedBlocks()
    for power in powers:
        blocks.add(power)
    assert blocks.gated_mean == pytest.approx(mean_of_all(powers), abs=1e-9)
