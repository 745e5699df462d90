"""How loud the echo is that the microphone should hear now, band by band, from what the speaker played in the last 0.8 s.

    power of what is played, in bands, 80 ticks ──weights──> expected power of the echo: its direct part, and the room's tail

The weights are the room's decay as powers, learnt while nobody near talks. They know nothing of phases, so they need no exact delay, follow
no drift, and are right within a second; a linear filter of that length would need half a minute. What they tell is what the canceller's own
filter (52 ms long) does not see: how long a room goes on sounding.

The update is that of non-negative matrix factorisation under the Itakura-Saito divergence, which weighs quiet moments as much as loud ones.
Source: C. Févotte, N. Bertin, J.-L. Durrieu, Neural Computation 21, 2009.
"""

from collections import deque
from typing import Final

import numpy as np

from blink_cli.audio.processing.bands import BANDS, VOICE, voice_power
from blink_cli.audio.samples import Samples

LAGS: Final = 80
"""Ticks of what was played that are remembered: 450 ms of delay and 350 ms of the room."""

DIRECT_TICKS: Final = 5
"""How much of the echo behind its strongest tick a canceller's filter covers."""

PLAYED: Final = 1e-6
"""Mean square (-60 dBFS) from which on what is played counts."""

LOUDEST: Final = 30.0
"""No echo is more than 15 dB louder than what is played; where nothing is played, as above a narrow voice, the weights mean nothing."""

FIRST_TICKS: Final = 100
"""Of sound: so long everything is learnt, since nothing is known yet."""

LOOKS_EVERY_TICKS: Final = 5
_NEW_MEMORY: Final = 0.98
_NEW_STEP: Final = 0.3
_MEMORY: Final = 0.995
_STEP: Final = 0.1
_HIGHEST: Final = 4.0
_NOTHING: Final = 1e-9
_SPARE: Final = 1e-7


class EchoModel:
    """One for each echo path. Used by the capture thread alone."""

    def __init__(self) -> None:
        self._weights: Samples = np.full((LAGS, BANDS), 1.0 / LAGS, dtype=np.float32)
        self._raised: Samples = np.zeros((LAGS, BANDS), dtype=np.float32)
        self._weighed: Samples = np.zeros((LAGS, BANDS), dtype=np.float32)
        self._twice: Samples = np.zeros((2 * LAGS, BANDS), dtype=np.float32)
        self._newest = LAGS
        self._strongest = 0
        self._powers: deque[float] = deque(maxlen=LAGS)
        self.ticks = 0
        """In which something was played."""

        self.playing = False
        """Whether something is played now."""

        self.audible = False
        """Whether anything was played that can still be heard."""

    @property
    def new(self) -> bool:
        """Whether too little was heard to be sure of anything."""
        return self.ticks < FIRST_TICKS

    def take(self, played: Samples) -> None:
        """Take the powers of the newest tick of what is played, shape `(BANDS,)`."""
        self._newest = (self._newest or LAGS) - 1
        self._twice[self._newest] = self._twice[self._newest + LAGS] = played
        power = voice_power(played)
        self._powers.append(power)
        self.playing = power > PLAYED
        self.audible = sum(self._powers) > 10.0 * PLAYED
        if self.audible:
            self.ticks += 1

    @property
    def _played(self) -> Samples:
        """The newest tick first."""
        return self._twice[self._newest : self._newest + LAGS]

    def expected(self) -> tuple[Samples, Samples]:
        """Return the power of the echo now: its direct part, which a canceller can predict, and the room's tail. Both `(BANDS,)`."""
        parts = self._weights * self._played
        until = self._strongest + DIRECT_TICKS
        return np.add.reduce(parts[:until]), np.add.reduce(parts[until:])

    def learn(self, heard: Samples, expected: Samples) -> None:
        """Correct the weights by what the microphone heard, where that is echo alone."""
        ratio = np.minimum(heard / (expected + _NOTHING), 50.0 if self.new else _HIGHEST)
        played = self._played
        memory, step = (_NEW_MEMORY, _NEW_STEP) if self.new else (_MEMORY, _STEP)
        self._raised *= memory
        self._raised += played * ratio
        self._weighed *= memory
        self._weighed += played
        change = self._raised + _SPARE
        change /= self._weighed + _SPARE
        np.minimum(change, _HIGHEST, out=change)
        change *= step
        change += 1.0 - step
        self._weights *= change
        np.minimum(self._weights, LOUDEST, out=self._weights)
        if self.ticks % LOOKS_EVERY_TICKS == 0:
            self._strongest = int(self._weights[:, VOICE].sum(axis=1).argmax())
