"""Simulated rooms: what a microphone hears of a loudspeaker in the same room, late, reflected and distorted.

    what is played ──> loudspeaker (band, distortion) ──> walls (image sources) ──> system's delay ──> microphone (noise)

Deterministic: a room is its numbers, and the same ones sound the same.

Source: J. B. Allen, D. A. Berkley, "Image method for efficiently simulating small-room acoustics", JASA 65, 1979.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.high_pass import HighPass
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Samples

SOUND_SPEED_M_S: Final = 343.0
_FRACTIONAL: Final = 8
"""Taps on each side by which an arrival between two samples is placed."""


@dataclass(frozen=True)
class Room:
    """A rectangular room with a loudspeaker and a microphone, and the sound system between them and us."""

    name: str
    size_m: tuple[float, float, float] = (4.2, 3.3, 2.6)
    reverberation_s: float = 0.3
    """RT60: in which sound falls by 60 dB."""

    speaker_m: tuple[float, float, float] = (1.1, 1.2, 0.9)
    microphone_m: tuple[float, float, float] = (1.5, 1.6, 0.95)
    echo_db: float = -6.0
    """How loud the echo is at the microphone, against what is played."""

    delay_ms: float = 20.0
    """Of the sound system, both ways together, that it does not tell."""

    distortion: float = 0.0
    """How hard the loudspeaker is driven: 0 is linear, 1 a small one at its limit."""

    noise_dbfs: float = -72.0
    """RMS of the microphone's own noise and the room's."""

    seed: int = 1

    @cached_property
    def response(self) -> Samples:
        """The impulse response from loudspeaker to microphone, without the system's delay; its energy is one."""
        size, source, ear = (np.array(vector) for vector in (self.size_m, self.speaker_m, self.microphone_m))
        volume = float(np.prod(size))
        surface = 2.0 * float(size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
        # Eyring's formula, solved for what a wall takes.
        absorption = 1.0 - np.exp(
            -24.0 * np.log(10.0) * volume / (SOUND_SPEED_M_S * surface * self.reverberation_s)
        )
        reflection = float(np.sqrt(1.0 - min(absorption, 0.99)))
        farthest_m = SOUND_SPEED_M_S * min(self.reverberation_s, 0.5)
        counts = np.ceil(farthest_m / (2.0 * size)).astype(int)
        grids = np.meshgrid(*(np.arange(-count, count + 1) for count in counts), indexing="ij")
        turns = np.stack([grid.ravel() for grid in grids], axis=1)
        response = np.zeros(int(min(self.reverberation_s, 0.5) * SAMPLE_RATE_HZ) + 64 * _FRACTIONAL)
        for mirrored in np.ndindex(2, 2, 2):
            flip = np.array(mirrored)
            images = (1 - 2 * flip) * source + 2 * turns * size
            distance_m = np.linalg.norm(images - ear, axis=1)
            near = distance_m < farthest_m
            # Each wall once for its reflections: |n - q| + |n| along each axis.
            walls = (np.abs(turns[near] - flip) + np.abs(turns[near])).sum(axis=1)
            _place(
                response,
                distance_m[near] / SOUND_SPEED_M_S * SAMPLE_RATE_HZ,
                reflection**walls / distance_m[near],
            )
        return np.asarray(response / np.sqrt(np.sum(response**2)), np.float32)

    def reflected(self, radiated: Samples, at: npt.NDArray[np.float64]) -> Samples:
        """Return what the microphone hears, at moments told as places in what was radiated, about a sample apart."""
        response = self.response
        first, last = math.floor(at[0]) - _FRACTIONAL, math.floor(at[-1]) + _FRACTIONAL + 1
        begin = first - len(response)
        piece = np.zeros(last - begin, dtype=np.float32)
        known = radiated[max(begin, 0) : max(last, 0)]
        piece[max(-begin, 0) : max(-begin, 0) + len(known)] = known
        if not piece.any():
            return np.zeros(len(at), dtype=np.float32)
        size = 1 << (len(piece) + len(response) - 1).bit_length()
        echo = np.fft.irfft(np.fft.rfft(piece, size) * self._spectrum(size), size)[: len(piece)]
        return between_samples(np.asarray(echo * 10.0 ** (self.echo_db / 20.0), np.float32), at - begin)

    def _spectrum(self, size: int) -> npt.NDArray[np.complex64]:
        spectra: dict[int, npt.NDArray[np.complex64]] = self._spectra
        if size not in spectra:
            spectra[size] = np.asarray(np.fft.rfft(self.response, size), np.complex64)
        return spectra[size]

    @cached_property
    def _spectra(self) -> dict[int, npt.NDArray[np.complex64]]:
        return {}

    def noise(self, samples: int) -> Samples:
        """Return the room's noise."""
        return noise(samples, self.noise_dbfs, self.seed)


def noise(samples: int, dbfs: float, seed: int) -> Samples:
    """Return a room's noise, falling by 3 dB an octave as most do."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), max(1, samples // 1000)))
    colored = np.fft.irfft(spectrum, samples)
    return np.asarray(colored * (10.0 ** (dbfs / 20.0) / np.sqrt(np.mean(colored**2))), np.float32)


class Loudspeaker:
    """What a small loudspeaker makes of what is played: nothing below 180 Hz, and bent where it is driven hard."""

    def __init__(self, drive: float) -> None:
        self._drive = drive
        self._band = HighPass(180.0)

    def radiate(self, played: Samples) -> Samples:
        """Return what it radiates of the next block, shape (480,)."""
        sound = self._band.process(CapturedBlock(played, played, played, 0.0))
        if self._drive == 0.0:
            return sound
        # Not the same both ways: even harmonics too, as cones make them.
        bent = np.tanh(4.0 * self._drive * sound) / (4.0 * self._drive)
        return np.asarray(bent + 0.3 * self._drive * bent * np.abs(bent), np.float32)


def between_samples(sound: Samples, at: npt.NDArray[np.float64]) -> Samples:
    """Return the values of `sound` at places between its samples."""
    whole = np.floor(at).astype(int)
    part = at - whole
    out = np.zeros(len(at))
    for tap in range(-_FRACTIONAL + 1, _FRACTIONAL + 1):
        out += _weight(part - tap) * sound[np.clip(whole + tap, 0, len(sound) - 1)]
    return np.asarray(out, np.float32)


def _weight(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    weight = np.sinc(distance) * np.cos(np.pi * distance / (2 * _FRACTIONAL + 1)) ** 2
    return np.asarray(weight, np.float64)


def _place(
    response: npt.NDArray[np.float64], at: npt.NDArray[np.float64], strength: npt.NDArray[np.float64]
) -> None:
    whole = np.floor(at).astype(int)
    part = at - whole
    for tap in range(-_FRACTIONAL + 1, _FRACTIONAL + 1):
        where = np.clip(whole + tap, 0, len(response) - 1)
        np.add.at(response, where, strength * _weight(part - tap))


ROOMS: Final = (
    Room("desk, 20 ms"),
    Room("office, 60 ms", (5.5, 4.1, 2.7), 0.45, (2.0, 2.0, 1.0), (2.6, 2.9, 1.1), 0.0, 60.0, 0.1, -66.0, 2),
    Room("kitchen, 120 ms", (3.6, 2.8, 2.5), 0.6, (1.0, 1.0, 1.0), (2.2, 1.7, 1.2), -3.0, 120.0, 0.2, -64.0, 3),
    Room("laptop, 200 ms, driven hard", (4.0, 3.0, 2.4), 0.25, (1.6, 1.4, 0.8), (1.75, 1.5, 0.82), 3.0, 200.0, 0.6, -70.0, 4),
    Room("hall, 300 ms", (9.0, 7.0, 3.4), 0.7, (3.0, 3.0, 1.2), (4.5, 4.0, 1.3), -9.0, 300.0, 0.1, -68.0, 5),
    Room("television, 450 ms", (5.0, 4.0, 2.6), 0.4, (0.5, 2.0, 1.0), (3.2, 2.2, 1.0), -6.0, 450.0, 0.3, -68.0, 6),
)  # fmt: skip
"""From the laptop on the table to the television with its picture processing."""
