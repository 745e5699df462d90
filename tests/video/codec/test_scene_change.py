"""A cut is told from what moves, by pictures alone."""

import numpy as np
import pytest

from blink_cli.video.codec.scene_change import SceneChange
from blink_cli.video.picture import Picture, timestamp_at

pytestmark = pytest.mark.no_clock

FPS = 15


def room(seed: int, number: int, *, step: int = 2) -> Picture:
    """A textured room that moves by `step` pixels a picture, and a sensor's noise."""
    generator = np.random.default_rng(seed)
    waves = generator.uniform(0, 2 * np.pi, (6, 2)) + np.indices((6, 2)).sum(0)
    rows, columns = np.arange(360)[:, None] / 360, np.arange(640) / 640
    still = 126 + 9 * sum(
        np.sin(2 * np.pi * (order + 1) * columns + one) * np.cos(2 * np.pi * (order + 1) * rows + other)
        for order, (one, other) in enumerate(waves)
    )
    noise = np.random.default_rng(1000 + number).normal(0, 2, (360, 640))
    y = np.clip(np.roll(still, step * number, axis=1) + noise, 16, 235).astype(np.uint8)
    colour = np.full((180, 320), 128, np.uint8)
    return Picture(y, colour, colour, timestamp_at(number / FPS), number / FPS)


@pytest.mark.parametrize("step", [0, 1, 4])
def test_another_room_is_new_and_a_moving_one_is_not(step: int) -> None:
    changes = SceneChange()
    found = [number for number in range(90) if changes.is_new(room(number // 30, number, step=step))]
    assert found == [30, 60]


def test_a_picture_of_another_size_is_a_beginning() -> None:
    changes = SceneChange()
    large = room(1, 0)
    small = Picture(large.y[::2, ::2].copy(), large.u[::2, ::2].copy(), large.v[::2, ::2].copy(), 0, None)
    assert not any(changes.is_new(picture) for picture in (large, small, small, large))
