"""How much a picture that came is like the one that was taken: SSIM and PSNR of brightness."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.video.picture import Plane

Map = npt.NDArray[np.float32]

_RADIUS: Final = 5
_SIGMA: Final = 1.5
"""Of the window: 11 by 11 pixels."""

_RANGE: Final = 255.0
_C1: Final = (0.01 * _RANGE) ** 2
_C2: Final = (0.03 * _RANGE) ** 2


def ssim(one: Plane, other: Plane) -> float:
    """Mean structural similarity of two planes of one shape, each side at least 11: 1 of the same picture.

    Source: Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, "Image Quality Assessment: From Error Visibility to Structural Similarity" (2004),
    with its Gaussian window, where that lies in the picture as a whole.

    """
    a, b = one.astype(np.float32), other.astype(np.float32)
    mean_a, mean_b = _blurred(a), _blurred(b)
    aa, bb, ab = mean_a * mean_a, mean_b * mean_b, mean_a * mean_b
    var_a, var_b, cov = _blurred(a * a) - aa, _blurred(b * b) - bb, _blurred(a * b) - ab
    alike = ((2 * ab + _C1) * (2 * cov + _C2)) / ((aa + bb + _C1) * (var_a + var_b + _C2))
    return float(alike.mean(dtype=np.float64))


def psnr_db(one: Plane, other: Plane) -> float:
    """Peak signal to noise ratio of two planes of one shape; infinite of the same picture."""
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2, dtype=np.float64))
    return math.inf if error == 0 else 10 * math.log10(_RANGE**2 / error)


def _window() -> npt.NDArray[np.float32]:
    at = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-(at**2) / (2 * _SIGMA**2))
    return np.asarray(weights / weights.sum(), np.float32)


_WEIGHTS: Final = _window()


def _blurred(values: Map) -> Map:
    """The weighted mean of each window; smaller by ten on both sides."""
    rows = values.shape[0] - 2 * _RADIUS
    columns = values.shape[1] - 2 * _RADIUS
    down = np.zeros((rows, values.shape[1]), np.float32)
    for place, weight in enumerate(_WEIGHTS):
        down += weight * values[place : place + rows]
    across = np.zeros((rows, columns), np.float32)
    for place, weight in enumerate(_WEIGHTS):
        across += weight * down[:, place : place + columns]
    return across
