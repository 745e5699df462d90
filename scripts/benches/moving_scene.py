"""What the cameras of `bench video` look at: something as hard to encode as a room with somebody in it, the same each time."""

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.coded_clock import clock_top, draw_clock
from blink_cli.video.picture import Picture, Plane, timestamp_at

CUT_EVERY_S: Final = 6.0
"""Another room: every block of the picture is new."""

NOISE_LEVELS: Final = 2.0
"""Of a sensor, standard deviation."""

_ROOMS: Final = 3
_MARGIN: Final = 64


class MovingScene:
    """A textured room that sways, somebody textured who moves before it, a sensor's noise, and the coded clock of the moment."""

    def __init__(self, size: PictureSize, fps: float, *, seed: int = 1) -> None:
        """Draw what stays the same."""
        self.size = size
        self.fps = fps
        generator = np.random.default_rng(seed)
        height, width = size.height + _MARGIN, size.width + _MARGIN
        self._rooms = [_texture(generator, height, width, 1.6) for _ in range(_ROOMS)]
        self._person = _texture(generator, size.height // 2, size.width // 4, 1.3)
        self._noise = [
            np.asarray(generator.normal(0, NOISE_LEVELS, (size.height, size.width)).round(), np.int16)
            for _ in range(8)
        ]
        self._top = clock_top(size.height)
        self._grey = np.full((size.height // 2, size.width // 2), 128, np.uint8)

    def rewind(self) -> None:
        """It has no beginning."""

    def at(self, position_s: float, captured_at: float) -> Picture:
        """Return what is seen there."""
        width, height = self.size.width, self.size.height
        room = self._rooms[int(position_s / CUT_EVERY_S) % _ROOMS]
        sway = round(_MARGIN / 2 * (1 + np.sin(position_s * 0.9)))
        rise = round(_MARGIN / 2 * (1 + np.sin(position_s * 0.4)))
        y = room[rise : rise + height, sway : sway + width].astype(np.int16)
        left = round((width - self._person.shape[1]) * (0.5 + 0.4 * np.sin(position_s * 1.7)))
        top = round(height / 20 * (1 + np.sin(position_s * 3.1)))
        y[top : top + self._person.shape[0], left : left + self._person.shape[1]] = self._person
        y += self._noise[int(position_s * self.fps) % len(self._noise)]
        plane: Plane = y.clip(16, 235).astype(np.uint8)
        draw_clock(plane, captured_at)
        return Picture(plane, self._grey, self._grey, timestamp_at(captured_at), captured_at)

    def close(self) -> None:
        """Nothing is open."""


def _texture(generator: np.random.Generator, height: int, width: int, slope: float) -> npt.NDArray[np.int16]:
    """Noise with the spectrum of pictures of the world: amplitude falls with the frequency to the power of `slope`."""
    spectrum = np.fft.rfft2(generator.normal(0, 1, (height, width)))
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :]
    spectrum /= np.maximum(np.hypot(rows, columns), 1 / max(height, width)) ** slope
    field = np.fft.irfft2(spectrum, (height, width))
    return np.asarray(126 + 45 * (field - field.mean()) / field.std(), np.int16).clip(16, 235)
