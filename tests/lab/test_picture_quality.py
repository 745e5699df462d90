"""SSIM and PSNR of planes whose values are known."""

import math

import numpy as np
import pytest

from blink_cli.lab.picture_quality import psnr_db, ssim

pytestmark = pytest.mark.no_clock

NOISE = np.random.default_rng(1)
PICTURE = NOISE.integers(16, 236, (48, 64)).astype(np.uint8)


def test_the_same_picture_is_wholly_alike() -> None:
    assert ssim(PICTURE, PICTURE) == pytest.approx(1.0)
    assert psnr_db(PICTURE, PICTURE) == math.inf


def test_of_flat_planes_it_is_the_term_of_brightness_alone() -> None:
    one, other = np.full((20, 20), 100, np.uint8), np.full((20, 20), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert ssim(one, other) == pytest.approx((2 * 100 * 120 + c1) / (100**2 + 120**2 + c1), abs=1e-4)
    assert psnr_db(one, other) == pytest.approx(10 * math.log10(255**2 / 400))


def test_what_has_nothing_in_common_is_not_alike_and_a_little_noise_is() -> None:
    other = NOISE.integers(16, 236, PICTURE.shape).astype(np.uint8)
    assert ssim(PICTURE, other) < 0.1
    slightly = (PICTURE.astype(int) + NOISE.integers(-3, 4, PICTURE.shape)).clip(0, 255).astype(np.uint8)
    assert 0.98 < ssim(PICTURE, slightly) < 1
    assert ssim(PICTURE, slightly) == pytest.approx(ssim(slightly, PICTURE))
