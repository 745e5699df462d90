"""Gives back of a near voice what the canceller took: where the voice stands clearly above the echo, the microphone itself is the better sound.

    near ──> [as late as the canceller] ──> gain of each band: the voice's share, less what the canceller left ──> added to what is sent

While both talk AEC3 takes 3 to 10 dB of a near voice as loud as the echo. In bands where the microphone is at least 6 dB louder than the
echo can be, what it hears is the voice, up to that echo.
"""

from typing import Final

import numpy as np

from blink_cli.audio.processing.bands import BANDS, BandGains
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import TICK_SAMPLES

OVER: Final = 3.0
"""The echo counts 5 dB louder than expected: powers of 20 ms scatter so much."""

LEAST: Final = 0.5
"""A band whose voice would be less than that, as amplitude, is left to the canceller."""

MOST: Final = 0.7
"""No more than that is given back."""

RISES: Final = 0.5
"""How much of a change is made in a tick."""

_NOTHING: Final = 1e-9
_NONE: Final = np.zeros(BANDS, dtype=np.float32)


class NearShare:
    """Used by the capture thread alone."""

    def __init__(self, canceller_delay_samples: int) -> None:
        """Prepare.

        Args:
            canceller_delay_samples: By how much what the canceller gives lies behind what it was given.

        """
        self._late: Samples = np.zeros(canceller_delay_samples + TICK_SAMPLES, dtype=np.float32)
        self._gains = BandGains(0.0)
        self._shares: Samples = _NONE
        self._voice: Samples = _NONE
        """The voice's part of what was heard a tick ago, as amplitude: as old as what the canceller gives."""

        self._heard: Samples = np.ones(BANDS, dtype=np.float32)
        self._given = False

    def rest(self) -> None:
        """Take that nobody near talks."""
        self._shares = self._voice = _NONE

    def take(self, heard: Samples, expected: Samples, left: Samples) -> None:
        """Take the powers of what is heard, of the echo that is expected, and of what the canceller left; all `(BANDS,)`."""
        voice = np.sqrt(np.maximum(0.0, 1.0 - np.float32(OVER) * expected / (heard + np.float32(_NOTHING))))
        voice[voice < LEAST] = 0.0
        missing = self._voice - np.sqrt(left / (self._heard + np.float32(_NOTHING)))
        self._shares = self._shares + np.float32(RISES) * (np.clip(missing, 0.0, MOST) - self._shares)
        self._shares[self._shares < 1e-3] = 0.0
        self._voice, self._heard = voice, heard

    def pass_by(self, near: Samples) -> None:
        """Take a block that nothing is given back of."""
        self._late = np.concatenate((self._late[TICK_SAMPLES:], near))

    def added(self, near: Samples, out: Samples) -> Samples:
        """Take a block of the microphone and one that is to be sent, both shape (480,); return that with the share."""
        self.pass_by(near)
        any_ = bool(self._shares.any())
        if not any_ and not self._given:
            return out
        self._given = any_
        return out + self._gains.apply(self._late[:TICK_SAMPLES], self._shares if any_ else 0.0)
