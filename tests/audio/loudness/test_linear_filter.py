import itertools

import numpy as np
import numpy.typing as npt
import pytest

from blink_cli.audio.loudness.k_weighting import LOWEST_RATE_HZ, high_pass, k_weighting, shelf
from blink_cli.audio.loudness.linear_filter import Biquad

pytestmark = pytest.mark.no_clock

Floats = npt.NDArray[np.float64]


def one_by_one(biquad: Biquad, samples: Floats) -> Floats:
    """The difference equation as it is written."""
    out = np.zeros(len(samples))
    x1 = x2 = y1 = y2 = 0.0
    for n, x in enumerate(samples):
        y = biquad.b0 * x + biquad.b1 * x1 + biquad.b2 * x2 - biquad.a1 * y1 - biquad.a2 * y2
        out[n] = y
        x1, x2, y1, y2 = x, x1, y, y1
    return out


def test_the_coefficients_at_48_khz_are_those_of_the_recommendation() -> None:
    first, second = shelf(48_000), high_pass(48_000)
    assert (first.b0, first.b1, first.b2) == pytest.approx(
        (1.53512485958697, -2.69169618940638, 1.19839281085285), abs=1e-13
    )
    assert (first.a1, first.a2) == pytest.approx((-1.69065929318241, 0.73248077421585), abs=1e-13)
    assert (second.a1, second.a2) == pytest.approx((-1.99004745483398, 0.99007225036621), abs=1e-13)


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize(
    "pieces", [(20_000,), (1, 63, 64, 65, 0, 480, 7, 4_800, 14_520), (480,) * 41 + (320,)]
)
def test_it_filters_as_the_difference_equation_does(rate_hz: int, pieces: tuple[int, ...]) -> None:
    assert sum(pieces) == 20_000
    sound = np.random.default_rng(rate_hz).standard_normal((2, 20_000))
    weighting = k_weighting(rate_hz, 2)
    bounds = np.cumsum((0, *pieces))
    out = np.concatenate([weighting.process(sound[:, a:b]) for a, b in itertools.pairwise(bounds)], axis=1)
    for channel in range(2):
        wanted = one_by_one(high_pass(rate_hz), one_by_one(shelf(rate_hz), sound[channel]))
        np.testing.assert_allclose(out[channel], wanted, rtol=0, atol=1e-9)


def test_a_reset_filter_remembers_nothing() -> None:
    weighting = k_weighting(48_000, 1)
    sound = np.ones((1, 100))
    first = weighting.process(sound)
    weighting.reset()
    np.testing.assert_array_equal(weighting.process(sound), first)


def test_a_rate_too_low_for_it_is_refused() -> None:
    with pytest.raises(ValueError, match="not defined at 3999 Hz"):
        k_weighting(LOWEST_RATE_HZ - 1, 1)
