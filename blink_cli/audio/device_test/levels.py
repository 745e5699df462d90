"""How loud a recording is, channel by channel: peaks, level, noise floor, what is cut off, what is exactly zero.

Levels in dBov are relative to a square wave at full scale (RFC 6465, appendix A), as everywhere in the program: a sine at full scale has -3. A
constant offset, which nobody hears, is told apart and is in no level.
"""

import math
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from blink_cli.audio.clipping import CLIPPED_SAMPLES, FULL_SCALE
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SILENCE_DBOV

WINDOW_S: Final = 0.05
"""Over which a level is measured: shorter than a syllable, long enough for a hum of 50 Hz."""

FLOOR_PERCENT: Final = 10
"""The noise floor is the level below which a tenth of all windows is: between words there is more silence than that."""

LOUD_PERCENT: Final = 90
"""The level of what was said: a tenth of all windows is louder."""

PAUSES_DB: Final = 6.0
"""Sound whose loud and soft windows are nearer together has no pauses, and nothing can be said of the noise in them."""

CLIP_WINDOW_S: Final = 0.02
"""Several samples at full scale within this time are a wave that was cut off; it is a frame of the codec."""

Floats = npt.NDArray[np.float64]


class ChannelLevels(msgspec.Struct, frozen=True):
    """What one channel carried."""

    peak_dbfs: float
    """The largest sample, 0 for full scale; -127 for nothing but zeros."""

    rms_dbov: float
    """Of the whole."""

    loud_dbov: float
    """Of its loud windows."""

    floor_dbov: float | None
    """The noise between what was said; None when there were no pauses."""

    offset: float
    """The mean of all samples, full scale being 1: what a defective input adds."""

    clipped_windows: int
    """Windows of 20 ms in which several samples were at full scale."""

    zero_share: float
    """Share of samples that were exactly zero, 0 to 1."""

    longest_zeros_s: float
    """The longest run of exact zeros, in steps of 50 ms."""


class LevelMeter:
    """Takes a recording in pieces. One thread."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        """Have heard nothing.

        Args:
            sample_rate_hz: Of the recording.
            channels: How many it has.

        """
        self._rate_hz = sample_rate_hz
        self._channels = channels
        self._window_frames = max(1, round(sample_rate_hz * WINDOW_S))
        self._clip_frames = max(1, round(sample_rate_hz * CLIP_WINDOW_S))
        self._rest: Samples = np.zeros((0, channels), dtype=np.float32)
        self._clip_rest: Samples = np.zeros((0, channels), dtype=np.float32)
        self._windows: list[Floats] = []
        """For each window the power of each channel, without its mean."""

        self._frames = 0
        self._peak: Floats = np.zeros(channels)
        self._sum: Floats = np.zeros(channels)
        self._squares: Floats = np.zeros(channels)
        self._zeros = np.zeros(channels, dtype=np.int64)
        self._clipped = np.zeros(channels, dtype=np.int64)
        self._zero_windows = np.zeros(channels, dtype=np.int64)
        self._most_zero_windows = np.zeros(channels, dtype=np.int64)

    @property
    def seconds(self) -> float:
        """How much it has heard."""
        return self._frames / self._rate_hz

    def add(self, frames: Samples) -> None:
        """Take the next frames, shape `(n, channels)`. What is no number counts as full scale: no wave has it."""
        sound = np.clip(np.nan_to_num(frames, nan=1.0), -1.0, 1.0)
        if not len(sound):
            return
        self._frames += len(sound)
        self._peak = np.maximum(self._peak, np.abs(sound).max(axis=0))
        self._sum += sound.sum(axis=0, dtype=np.float64)
        self._squares += np.einsum("nc,nc->c", sound, sound, dtype=np.float64)
        self._zeros += (sound == 0.0).sum(axis=0)
        windows, self._rest = _whole(np.concatenate((self._rest, sound)), self._window_frames)
        for window in windows:
            wide = window.astype(np.float64)
            self._windows.append(wide.var(axis=0))
            nothing = ~window.any(axis=0)
            self._zero_windows = np.where(nothing, self._zero_windows + 1, 0)
            self._most_zero_windows = np.maximum(self._most_zero_windows, self._zero_windows)
        windows, self._clip_rest = _whole(np.concatenate((self._clip_rest, sound)), self._clip_frames)
        for window in windows:
            self._clipped += (np.abs(window) >= FULL_SCALE).sum(axis=0) >= CLIPPED_SAMPLES

    def latest(self) -> tuple[float, float]:
        """Return the level of the last window and the largest peak so far, of the loudest channel, in dBov and dBFS."""
        power = float(self._windows[-1].max()) if self._windows else 0.0
        return decibels(power), decibels(float(self._peak.max()) ** 2)

    def history_dbov(self) -> tuple[float, ...]:
        """Return the level of the loudest channel in each window so far."""
        return tuple(decibels(float(window.max())) for window in self._windows)

    def channels(self) -> tuple[ChannelLevels, ...]:
        """Return what each channel carried so far."""
        return tuple(self._channel(index) for index in range(self._channels))

    def _channel(self, index: int) -> ChannelLevels:
        frames = max(1, self._frames)
        mean = float(self._sum[index]) / frames
        power = max(0.0, float(self._squares[index]) / frames - mean**2)
        powers = [float(window[index]) for window in self._windows]
        loud = decibels(float(np.percentile(powers, LOUD_PERCENT))) if powers else float(SILENCE_DBOV)
        soft = decibels(float(np.percentile(powers, FLOOR_PERCENT))) if powers else float(SILENCE_DBOV)
        return ChannelLevels(
            peak_dbfs=decibels(float(self._peak[index]) ** 2),
            rms_dbov=decibels(power),
            loud_dbov=loud,
            floor_dbov=soft if loud - soft >= PAUSES_DB or loud < _QUIET_DBOV else None,
            offset=round(mean, 5),
            clipped_windows=int(self._clipped[index]),
            zero_share=round(float(self._zeros[index]) / frames, 6),
            longest_zeros_s=round(float(self._most_zero_windows[index]) * WINDOW_S, 3),
        )


_QUIET_DBOV: Final = -50.0
"""Softer than this all of it is the room."""


def decibels(power: float) -> float:
    """Return a power as dB, one decimal, -127 for none."""
    return (
        round(max(float(SILENCE_DBOV), 10.0 * math.log10(power)), 1) if power > 0.0 else float(SILENCE_DBOV)
    )


def _whole(frames: Samples, size: int) -> tuple[list[Samples], Samples]:
    """Cut whole windows off; return them and the rest."""
    count = len(frames) // size
    return [frames[index * size : (index + 1) * size] for index in range(count)], frames[count * size :]
