import numpy as np
import pytest

from blink_cli.audio.level import level_dbov
from blink_cli.audio.samples import Samples

pytestmark = pytest.mark.no_clock

SECOND = np.arange(48_000) / 48_000


def sine(amplitude: float) -> Samples:
    return (amplitude * np.sin(2 * np.pi * 1000 * SECOND)).astype(np.float32)


@pytest.mark.parametrize(
    ("samples", "level"),
    [
        (np.ones(480, np.float32), 0),
        (sine(1.0), -3),
        (sine(0.1), -23),
        (sine(0.001), -63),
        (np.zeros(480, np.float32), -127),
        (np.full(480, 1e-9, np.float32), -127),
        (np.full(480, 4.0, np.float32), 0),
    ],
)
def test_levels_are_rms_below_a_full_scale_square_wave(samples: Samples, level: int) -> None:
    assert level_dbov(samples) == level
