"""How loud the echo is that the microphone should hear now, band by band, from what the speaker played before.

    power of what is played, in bands ──delay──> 4 ticks ──────────────> 4 weights a band ──(+)──> expected power of the echo
                                          '────> 4 decays of a room ──> 4 weights a band ──'

A room's echo, seen as power in bands, is a few early ticks and a tail that decays exponentially. So eight weights a band tell a whole room,
and are learnt within a second of sound; they know nothing of phases, so drift and distortion do not disturb them. What they tell is what the
canceller's own filter (52 ms long) does not see: how long a room goes on sounding. And where the microphone hears more, somebody near talks.

The update is that of non-negative matrix factorisation under the Itakura-Saito divergence, which weighs quiet moments as much as loud ones.
Source: C. Févotte, N. Bertin, J.-L. Durrieu, Neural Computation 21, 2009. For a room as decays of powers: E. A. P. Habets, S. Gannot, I. Cohen,
"Late reverberant spectral variance estimation based on a statistical model", IEEE Signal Processing Letters 16, 2009.
"""

from collections import deque
from typing import Final

import numpy as np

from blink_cli.audio.processing.bands import BANDS, VOICE, voice_power
from blink_cli.audio.samples import Samples

EARLY: Final = 4
"""Ticks whose power is weighed one by one: what a canceller's filter covers."""

REVERBERATION_S: Final = (0.12, 0.25, 0.5, 1.0)
"""The decays of which a room's tail is a mixture, as RT60."""

LEAD_TICKS: Final = 1
"""The powers are those of 20 ms: an echo begins to show a tick before its delay."""

LONGEST_DELAY_TICKS: Final = 60
TAIL_TICKS: Final = 80
"""For so long a tail can be heard after what was played."""

LATER_TICKS: Final = 12
SOONER_TICKS: Final = 6
"""How far a delay that jumped is looked for."""

LOOKED_AT_TICKS: Final = 20
"""How much of what was heard must agree with another delay."""

PLAYED: Final = 1e-6
"""Mean square (-60 dBFS) from which on what is played counts."""

LOUDEST: Final = 30.0
"""No echo is more than 15 dB louder than what is played; where nothing is played, as above a narrow voice, the weights mean nothing."""

FIRST_TICKS: Final = 60
"""Of sound with a known delay: so long everything is learnt quickly, since nothing is known yet."""

EXCESS_FROM_DB: Final = 4.0
"""So much above what is expected, a band is within what powers of 20 ms scatter by."""

EXCESS_MOST_DB: Final = 20.0

_HISTORY: Final = LONGEST_DELAY_TICKS + TAIL_TICKS + LATER_TICKS + LOOKED_AT_TICKS + EARLY + 8
_DECAYS: Final = np.array([[10.0 ** (-6.0 / (100.0 * rt60_s))] for rt60_s in REVERBERATION_S], np.float32)
_ENTERS: Final = np.asarray(1.0 - _DECAYS, np.float32)
_KERNELS: Final = np.asarray(_ENTERS * _DECAYS ** np.arange(TAIL_TICKS), np.float32)
_PARTS: Final = EARLY + len(REVERBERATION_S)
_FIRST_WEIGHT: Final = 0.1
DOUBTED: Final = 0.1
"""A canceller that leaves a tenth of the power leaves the tail of the room, or a voice."""

_DOUBTED_HIGHEST: Final = 2.5
_MEMORY, _STEP, _HIGHEST = 0.99, 0.05, 6.0
_NEW_MEMORY, _NEW_STEP, _NEW_HIGHEST = 0.95, 0.3, 50.0
_PRIOR: Final = 2.0
"""Ticks of agreement that a weight is given before it is heard of."""

_NOISE_RISES: Final = 1.003
_FLOOR: Final = 1e-9


class EchoModel:
    """One for each echo path. Used by the capture thread alone."""

    def __init__(self) -> None:
        self._weights: Samples = np.full((_PARTS, BANDS), _FIRST_WEIGHT, dtype=np.float32)
        self._raised: Samples = np.zeros((_PARTS, BANDS), dtype=np.float32)
        self._weighed: Samples = np.zeros((_PARTS, BANDS), dtype=np.float32)
        self._features: Samples = np.zeros((_PARTS, BANDS), dtype=np.float32)
        self._parts: Samples = np.zeros((_PARTS, BANDS), dtype=np.float32)
        self._twice: Samples = np.zeros((2 * _HISTORY, BANDS), dtype=np.float32)
        self._newest = _HISTORY
        self._powers: deque[float] = deque(
            [0.0] * (LONGEST_DELAY_TICKS + TAIL_TICKS), LONGEST_DELAY_TICKS + TAIL_TICKS
        )
        self._power_sum = 0.0
        self._noise: Samples = np.full(BANDS, 1e-7, dtype=np.float32)
        self._smooth: Samples | None = None
        self._heard: deque[Samples] = deque(maxlen=LOOKED_AT_TICKS)
        self._expected: Samples = np.zeros(BANDS, dtype=np.float32)
        self.delay_ticks: int | None = None
        """Of the echo behind what is played; None before it is known."""

        self.ticks = 0
        """In which something was played, or still heard, and the delay was known."""

        self.audible = False
        """Whether anything was played that can still be heard."""

    @property
    def new(self) -> bool:
        """Whether too little was heard to be sure of anything."""
        return self.ticks < FIRST_TICKS

    def use_delay(self, ticks: int) -> None:
        """Take that the echo comes so many ticks behind what is played: the room stays, whatever was learnt of it."""
        self.delay_ticks = min(max(ticks, 0), LONGEST_DELAY_TICKS)
        from_tick = self._begin + EARLY
        self._features[EARLY:] = np.einsum("rt,tb->rb", _KERNELS, self._played(from_tick, TAIL_TICKS))

    def forget(self) -> None:
        """Take that the room is another one."""
        self._weights[:] = _FIRST_WEIGHT
        self._raised[:] = self._weighed[:] = 0.0
        self._heard.clear()
        self.delay_ticks = None
        self.ticks = 0

    def take(self, played: Samples, heard: Samples) -> None:
        """Take the powers of the newest tick of what is played, and of what the microphone hears. Both `(BANDS,)`."""
        self._newest = (self._newest or _HISTORY) - 1
        self._twice[self._newest] = self._twice[self._newest + _HISTORY] = played
        power = voice_power(played)
        self._power_sum = max(0.0, self._power_sum + power - self._powers[0])
        self._powers.append(power)
        self.audible = self._power_sum > 10.0 * PLAYED
        # The quietest that was heard of late is noise.
        self._smooth = heard if self._smooth is None else 0.7 * self._smooth + 0.3 * heard
        self._noise = np.minimum(_NOISE_RISES * self._noise + 1e-11, 1.3 * self._smooth)
        if self.delay_ticks is None:
            return
        early = self._played(self._begin, EARLY + 1)
        self._features[:EARLY] = early[:EARLY]
        tails = self._features[EARLY:]
        tails *= _DECAYS
        tails += _ENTERS * early[EARLY]
        np.multiply(self._weights, self._features, out=self._parts)
        if self.audible:
            self.ticks += 1
            self._heard.append(heard)

    @property
    def _begin(self) -> int:
        """How many ticks ago what comes first in the echo of now was played."""
        assert self.delay_ticks is not None, "asked for with a known delay alone"
        return max(self.delay_ticks - LEAD_TICKS, 0)

    def _played(self, ago_ticks: int, ticks: int) -> Samples:
        """Return what was played, the newest tick first."""
        begin = self._newest + ago_ticks
        return self._twice[begin : begin + ticks]

    def expected(self) -> tuple[Samples, Samples]:
        """Return the power of the echo now: its early part, which a canceller can predict, and the room's tail. Both `(BANDS,)`."""
        early = np.add.reduce(self._parts[:EARLY])
        tail = np.add.reduce(self._parts[EARLY:])
        self._expected = early + tail + self._noise
        return early, tail

    def smeared(self) -> Samples:
        """Return what can be expected while no delay is known: what was played in the last 0.6 s, `(BANDS,)`."""
        return np.asarray(self._played(0, LONGEST_DELAY_TICKS).sum(axis=0) / 8.0, np.float32)

    @property
    def noise(self) -> Samples:
        """The power of what the microphone hears when nobody is heard, `(BANDS,)`."""
        return self._noise

    def excess_db(self, heard: Samples) -> float:
        """Return how far what is heard stands above what is expected, beyond what such powers scatter by; the mean of a voice's bands."""
        return _excess_db(heard[VOICE], self._expected[VOICE])

    def learn(self, heard: Samples, left_share: float) -> None:
        """Correct the weights by what the microphone heard, where that is echo alone.

        Args:
            heard: The powers of it, `(BANDS,)`.
            left_share: How much of it the canceller leaves: if that is much it may be a voice that was not noticed, and little is learnt of it.

        """
        memory, step, highest = (
            (_NEW_MEMORY, _NEW_STEP, _NEW_HIGHEST) if self.new else (_MEMORY, _STEP, _HIGHEST)
        )
        if left_share > DOUBTED and not self.new:
            highest = _DOUBTED_HIGHEST
        share = self._parts / self._expected
        self._weighed *= memory
        self._weighed += share
        share *= np.minimum(heard / self._expected, highest)
        self._raised *= memory
        self._raised += share
        change = (self._raised + _PRIOR) / (self._weighed + _PRIOR)
        self._weights *= change**step
        np.minimum(self._weights, LOUDEST, out=self._weights)

    def other_delay(self) -> int | None:
        """Return the delay that explains what was heard of late, where the one that is used does not and another one does.

        Costs 0.1 ms.
        """
        if self.delay_ticks is None or len(self._heard) < LOOKED_AT_TICKS:
            return None
        soonest = min(SOONER_TICKS, self._begin)
        kernel = np.concatenate(
            (self._weights[:EARLY], np.einsum("rb,rt->tb", self._weights[EARLY:], _KERNELS))
        )
        ticks = soonest + LATER_TICKS + LOOKED_AT_TICKS
        played = self._played(self._begin - soonest, ticks + len(kernel) - 1)
        windows = np.lib.stride_tricks.sliding_window_view(played, len(kernel), axis=0)
        expected = np.einsum("tbk,kb->tb", windows[:, VOICE], kernel[:, VOICE]) + self._noise[VOICE]
        heard = np.stack(self._heard)[::-1, VOICE]
        levels_db, heard_db = 10.0 * np.log10(expected + _FLOOR), 10.0 * np.log10(heard + _FLOOR)
        off_db = [
            float(np.abs(heard_db - levels_db[shift : shift + LOOKED_AT_TICKS]).mean())
            for shift in range(soonest + LATER_TICKS + 1)
        ]
        best = int(np.argmin(off_db))
        if off_db[best] > AGREES_DB or off_db[soonest] - off_db[best] < BETTER_DB:
            return None
        return self.delay_ticks + best - soonest


AGREES_DB: Final = 3.3
"""What was heard is explained by a delay under which it is no farther off, on the mean of a voice's bands: powers of 20 ms scatter by 2.5; voices leave 4 and more."""

BETTER_DB: Final = 1.5
"""And by which it is so much nearer than under the one that is used."""


def _excess_db(heard: Samples, expected: Samples) -> float:
    above_db = 10.0 * np.log10((heard + _FLOOR) / (expected + _FLOOR)) - EXCESS_FROM_DB
    return float(np.minimum(np.maximum(above_db, 0.0), EXCESS_MOST_DB).sum()) / above_db.size
