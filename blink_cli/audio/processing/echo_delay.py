"""By how much the echo at the microphone lags behind what is played: found in the sound itself, whatever the system says of its delays.

The phases of both spectra are compared over a third of a second, every quarter of one; loudness plays no part, so that the answer is sharp
even where a room rings. What several looks say is added up.

Source: C. H. Knapp, G. C. Carter, "The generalized correlation method for estimation of time delay", IEEE TASSP 24, 1976 (PHAT).
"""

from typing import Final, Protocol

import numpy as np

from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_SAMPLES

_THINNED: Final = 4
"""Samples that are made one: 12 kHz are enough for voices. Both sounds are thinned alike, so that no filter is needed."""

_MEAN: Final = np.full(_THINNED, 1.0 / _THINNED, dtype=np.float32)
_RATE_HZ: Final = SAMPLE_RATE_HZ // _THINNED
_LOOK: Final = 4096
LONGEST_S: Final = 0.55
EARLIEST_S: Final = 0.05
"""The echo may seem to come so much sooner than what is played: systems err about their delays in both directions."""

_LONGEST: Final = int(LONGEST_S * _RATE_HZ)
_SIZE: Final = 16384
_VOICE_HZ: Final = (250.0, 3800.0)
EVERY_BLOCKS: Final = 30
_MEMORY: Final = 0.6
_PLAYED: Final = 1e-6
"""Mean square from which on there is something to compare."""

_SHARP: Final = 7.0
"""How far the peak stands above the rest, in the rest's own deviation, to be believed."""

SAME_S: Final = 0.001
"""Looks one after the other must say the same: what one alone sees may be one voice's likeness to itself."""

AGREEING_LOOKS: Final = 2

_FIRST: Final = 0.6
"""The sound that comes first is the delay; what a wall sends behind it may be as strong. Share of the peak that counts as first."""

_BEFORE_PEAK: Final = _RATE_HZ // 50


class Played(Protocol):
    """What may be heard again at the microphone."""

    def since(self, from_s: float, samples: int) -> Samples:
        """Return what was played from `from_s` on, shape `(samples,)`."""


class EchoDelay:
    """Used by the capture thread alone."""

    def __init__(
        self,
        soonest_s: float = -EARLIEST_S,
        agreeing_looks: int = AGREEING_LOOKS,
        every_blocks: int = EVERY_BLOCKS,
    ) -> None:
        """Prepare.

        Args:
            soonest_s: No delay below this is looked for.
            agreeing_looks: How many looks one after the other must say the same.
            every_blocks: How often it is looked; a look costs 0.5 ms.

        """
        self._shortest = int(soonest_s * _RATE_HZ)
        self._agreeing_looks, self._every_blocks = agreeing_looks, every_blocks
        self._agreed = 0
        self._near: Samples = np.zeros(_LOOK, dtype=np.float32)
        self._blocks = 0
        hz = np.fft.rfftfreq(_SIZE, 1.0 / _RATE_HZ)
        first, behind = np.searchsorted(hz, _VOICE_HZ)
        self._voice = slice(int(first), int(behind))
        self._cross = np.zeros(int(behind - first), dtype=np.complex64)
        self._spectrum = np.zeros(len(hz), dtype=np.complex64)
        self._seen_s: float | None = None
        self.delay_s: float | None = None
        """By how much the echo lags behind the reference as it is placed by the clocks; None before it was found."""

    def take(self, near: Samples, until_s: float, played: Played) -> bool:
        """Take a block of the microphone whose last sample was captured at `until_s`; return whether the delay was found anew."""
        thin = TICK_SAMPLES // _THINNED
        self._near[:-thin] = self._near[thin:]
        self._near[-thin:] = near.reshape(thin, _THINNED) @ _MEAN
        self._blocks += 1
        if self._blocks % self._every_blocks:
            return False
        if not self._near.any():
            return False
        from_s = until_s - _LOOK / _RATE_HZ - LONGEST_S
        sound = played.since(from_s, (_LOOK + _LONGEST - self._shortest) * _THINNED)
        return self._look(sound.reshape(-1, _THINNED) @ _MEAN)

    def forget(self) -> None:
        """Take that the path is another one from now on."""
        self._cross[:] = 0.0
        self._near[:] = 0.0
        self._seen_s = self.delay_s = None
        self._agreed = 0

    def _look(self, played: Samples) -> bool:
        if float(np.mean(played[_LONGEST : _LONGEST + _LOOK] ** 2)) < _PLAYED:
            return False
        cross = np.fft.rfft(self._near, _SIZE)[self._voice].conj() * np.fft.rfft(played, _SIZE)[self._voice]
        self._cross *= _MEMORY
        self._cross += cross / (np.abs(cross) + 1e-12)
        self._spectrum[self._voice] = self._cross
        likeness = np.fft.irfft(self._spectrum, _SIZE)[: _LONGEST - self._shortest]
        peak = int(likeness.argmax())
        if likeness[peak] < _SHARP * float(likeness.std()):
            return False
        # Later in what was played is sooner at the microphone.
        until = min(peak + _BEFORE_PEAK, len(likeness))
        first = peak + int(np.flatnonzero(likeness[peak:until] >= _FIRST * likeness[peak])[-1])
        seen_s = (_LONGEST - first) / _RATE_HZ
        before_s, self._seen_s = self._seen_s, seen_s
        same = before_s is not None and abs(seen_s - before_s) <= SAME_S
        self._agreed = self._agreed + 1 if same else 1
        if self._agreed < self._agreeing_looks:
            return False
        self.delay_s = seen_s
        return True
