"""The bands in which echo is weighed: narrow where voices have their tones, wide above, as ears hear."""

from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

EDGES_HZ: Final = (
    0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300,
    6400, 7700, 9500, 12000, 15500, 20000, 24001,
)  # fmt: skip
"""The critical bands of hearing. Source: E. Zwicker, JASA 33, 1961; above 15.5 kHz continued."""

BANDS: Final = len(EDGES_HZ) - 1
VOICE: Final = slice(2, 18)
"""Those in which a voice has nearly all of its power: 200 to 4,400 Hz."""

FILTER_DELAY_SAMPLES: Final = 50
"""By how much `BandGains` delays."""

_FRAME: Final = 2 * TICK_SAMPLES
_TAPS: Final = 2 * FILTER_DELAY_SAMPLES + 1
_DESIGN: Final = 1024
"""Points at which gains are laid out before the taps are cut: fine enough for the narrowest band to be met by some."""


def _sums() -> Samples:
    hz = np.fft.rfftfreq(_FRAME, 1.0 / SAMPLE_RATE_HZ)
    sums = np.zeros((len(hz), BANDS), dtype=np.float32)
    sums[np.arange(len(hz)), np.searchsorted(EDGES_HZ, hz, side="right") - 1] = 1.0 / (
        0.375 * _FRAME * TICK_SAMPLES
    )
    return sums


_MIDDLES_HZ: Final = np.sqrt(np.maximum(EDGES_HZ[:-1], 50.0) * np.array(EDGES_HZ[1:]))

RESOLUTION_HZ: Final = 600.0
"""What lies nearer to each other `BandGains` can hardly turn down one by one: its filter is 2.1 ms long."""

TOGETHER: Final = np.asarray(
    np.maximum(1.0 - np.abs(np.subtract.outer(_MIDDLES_HZ, _MIDDLES_HZ)) / RESOLUTION_HZ, 0.0), np.float32
)
"""How much one band has to do with another, shape `(BANDS, BANDS)`: 1 with itself, 0 beyond the resolution."""


def _designs() -> Samples:
    """The taps that one band alone would need, for each: the filter for gains is their sum, for it goes straight from band to band.

    Bands narrower than the filter's resolution share what they ask for, by their width.
    """
    hz = np.fft.rfftfreq(_DESIGN, 1.0 / SAMPLE_RATE_HZ)
    impulses = np.fft.irfft([np.interp(hz, _MIDDLES_HZ, one) for one in np.eye(BANDS)], _DESIGN)
    taps = np.roll(impulses, FILTER_DELAY_SAMPLES, axis=1)[:, :_TAPS] * np.hanning(_TAPS + 2)[1:-1]
    return np.asarray(taps, np.float32)


_SUMS: Final = _sums()
_DESIGNS: Final = _designs()
_WINDOW: Final = np.asarray(np.hanning(_FRAME), np.float32)
_RAMP: Final = np.linspace(0.0, 1.0, TICK_SAMPLES, endpoint=False, dtype=np.float32)


_IN_VOICE: Final = np.zeros(BANDS, dtype=np.float32)
_IN_VOICE[VOICE] = 1.0


def voice_power(powers: Samples) -> float:
    """Return the mean square in the bands of a voice, of powers of shape `(BANDS,)`."""
    return float(powers @ _IN_VOICE)


class BandPowers:
    """The powers in each band of some sounds that come block by block, side by side."""

    def __init__(self, sounds: int) -> None:
        self._frames: Samples = np.zeros((sounds, _FRAME), dtype=np.float32)

    def of(self, *blocks: Samples) -> Samples:
        """Return the mean squares of the last 20 ms, shape `(sounds, BANDS)`, with 10 ms of each, shape (480,), that are new."""
        frames = self._frames
        frames[:, :TICK_SAMPLES] = frames[:, TICK_SAMPLES:]
        for row, block in enumerate(blocks):
            frames[row, TICK_SAMPLES:] = block
        spectra = np.fft.rfft(frames * _WINDOW)
        powers = (spectra.real**2 + spectra.imag**2) @ _SUMS
        return np.asarray(powers, np.float32)


class BandGains:
    """Turns bands up and down from block to block, without a click. It delays by `FILTER_DELAY_SAMPLES`, whatever the gains are."""

    def __init__(self, gain: float) -> None:
        """Begin with one gain in all bands, 0 or 1."""
        self._taps = self._even(gain)
        self._past: Samples = np.zeros(_TAPS - 1, dtype=np.float32)
        self._gain: float | None = gain

    def apply(self, block: Samples, gains: Samples | float) -> Samples:
        """Return the block, shape (480,), with a gain for each band, shape `(BANDS,)`, or one for all."""
        sound = np.concatenate((self._past, block))
        self._past = sound[TICK_SAMPLES:]
        even = gains if isinstance(gains, float) else None
        if even is not None and even == self._gain:
            if even == 0.0:
                return np.zeros(TICK_SAMPLES, dtype=np.float32)
            middle = FILTER_DELAY_SAMPLES
            return sound[middle : middle + TICK_SAMPLES] * np.float32(even)
        before = np.convolve(sound, self._taps, mode="valid")
        if isinstance(gains, float):
            self._taps = self._even(gains)
        else:
            self._taps = gains @ _DESIGNS
        self._gain = even
        after = np.convolve(sound, self._taps, mode="valid")
        after -= before
        after *= _RAMP
        after += before
        return after

    @staticmethod
    def _even(gain: float) -> Samples:
        taps = np.zeros(_TAPS, dtype=np.float32)
        taps[FILTER_DELAY_SAMPLES] = gain
        return taps
