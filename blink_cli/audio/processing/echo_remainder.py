"""What the canceller leaves of the echo is taken out here, by bands; and what it takes of a near voice is given back.

    near ──────────────────────────> powers ──────┐
    far ───────> EchoModel ──> direct, tail ──────┼──> gain of each band ──> what the canceller gave ──(+)──> out
    cancelled ─────────────────────> powers ──────┘──> share of each band ─> near, as it was ──────────┘

AEC3's filter is 52 ms long. Of a room that sounds for half a second it leaves the tail whenever what is played falls silent: 16 to 25 dB of
echo removed on average, where 40 are removed while it plays. The model knows how loud the tail should be. What is no louder than
expected is echo, and is turned down; what is louder is a voice, and stays.

While both talk the canceller takes most of the near voice (PESQ 1.3 where no treatment at all would give 1.6). Where the microphone is
clearly louder than the echo should be, and the canceller agrees that something is left, a part of the microphone is given back in the
bands that stand out.

Source: E. A. P. Habets et al., "Joint dereverberation and residual echo suppression of speech signals in noisy environments", IEEE TASLP
16, 2008, for the residual of a late tail; the rest measured with `scripts/bench echo`.
"""

import math
from typing import Final

import numpy as np

from blink_cli.audio.processing.bands import (
    BANDS,
    FILTER_DELAY_SAMPLES,
    VOICE,
    BandGains,
    BandPowers,
    voice_power,
)
from blink_cli.audio.processing.echo_model import LAGS, EchoModel
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import TICK_SAMPLES

LEAK: Final = 0.02
"""How much the canceller leaves of the direct part, as power."""

NEW_LEAK: Final = 0.5
"""The same while the canceller has only begun: it may well start anew once it is sure of the delay."""

NEW_TICKS: Final = 150
"""Of sound played, in which that falls to a third."""

OVER: Final = 4.0
"""What is left is up to 6 dB above what is expected."""

LEAST_POWER: Final = 1e-3
"""No band is turned down farther: -30 dB."""

RECOVERS: Final = 0.5
"""By how much a gain rises in a tick at most."""

STANDS_OUT_DB: Final = 3.0
"""So much louder than usual against the model, on the middle of the voice's bands, the microphone hears more than echo."""

LEFT: Final = 0.15
"""And so much of the power must be left by the canceller: of echo alone it leaves less."""

EXPLAINED_DB: Final = 0.5
EXPLAINED: Final = 0.5
CLEAN: Final = 0.05
"""If it leaves so little there is nobody near."""

SYLLABLE_TICKS: Final = 3
"""For so long a voice stands out before it is believed: the edge of a louder echo does not."""

BOTH_TICKS: Final = 12
"""A voice is believed for so long after it stood out: syllables."""

GIVEN_BACK: Final = 0.2
BOTH_OVER: Final = 1.0
BOTH_LEAST_POWER: Final = 0.1
BOTH_TAIL: Final = 0.3

DIRECT: Final = 1.0
"""Where the direct part is so much of what is expected, the canceller shows whether there is more than echo."""

SURE_TICKS: Final = 25
"""For so long the model may learn after the canceller showed that there was echo alone."""

_NOTHING: Final = 1e-10
_FLOOR: Final = 1e-9
_VOICE_BANDS: Final = VOICE.stop - VOICE.start
_LOWEST_DB: Final = -10.0
_HIGHEST_DB: Final = 15.0


class EchoRemainder:
    """Behind a canceller. Used by the capture thread alone."""

    def __init__(self, canceller_delay_samples: int) -> None:
        """Prepare.

        Args:
            canceller_delay_samples: By how much what the canceller gives lies behind what it was given.

        """
        self._powers = BandPowers(3)
        self.model = EchoModel()
        self._left_gains, self._near_gains = BandGains(1.0), BandGains(0.0)
        self._late_near: Samples = np.zeros(canceller_delay_samples + TICK_SAMPLES, dtype=np.float32)
        self._gains: Samples = np.ones(BANDS, dtype=np.float32)
        self._shares: Samples = np.zeros(BANDS, dtype=np.float32)
        self._before: list[tuple[Samples, Samples]] = []
        self._heard_before: Samples = np.zeros(BANDS, dtype=np.float32)
        self._heard = self._left = _FLOOR
        self._above_db = 0.0
        self._usual_db = -3.0
        self._sharing = False
        self._silent_ticks = LAGS + 10
        self._sure = self._both = self._standing_out = 0

    delay_samples: Final = FILTER_DELAY_SAMPLES

    @property
    def echo_alone(self) -> bool:
        """Whether what the microphone hears now is echo, and clearly so."""
        return self.model.audible and self._both <= 0 and not self.model.new

    def process(self, near: Samples, far: Samples, left: Samples) -> Samples:
        """Return what is left of `left`, which the canceller made of `near` and `far`. All have shape (480,)."""
        self._late_near = np.concatenate((self._late_near[TICK_SAMPLES:], near))
        near_then = self._late_near[:TICK_SAMPLES]
        if self._silent(far):
            return self._left_gains.apply(left, 1.0)
        heard, played, remains = self._powers.of(near, far, left)
        self.model.take(played)
        if not self.model.audible:
            self._both = 0
            self._before.clear()
            self._gains = np.minimum(1.0, self._gains + RECOVERS)
            self._shares = np.zeros(BANDS, dtype=np.float32)
        else:
            self._weigh(heard, remains)
        quiet = bool(self._gains.min() > 0.999)
        out = self._left_gains.apply(left, 1.0 if quiet else self._gains)
        shared = bool(self._shares.any())
        if shared or self._sharing:
            self._sharing = shared
            out = out + self._near_gains.apply(near_then, self._shares if shared else 0.0)
        return out

    def _silent(self, far: Samples) -> bool:
        """Whether nothing was played for so long that nothing is left to weigh."""
        self._silent_ticks = 0 if far.any() else self._silent_ticks + 1
        return self._silent_ticks > LAGS + 10

    def _weigh(self, heard: Samples, remains: Samples) -> None:
        direct, tail = self.model.expected()
        expected = direct + tail
        self._heard = 0.7 * self._heard + voice_power(self._heard_before)
        self._left = 0.7 * self._left + voice_power(remains)
        self._heard_before = heard
        above_db = np.asarray(10.0 * np.log10((heard + _FLOOR) / (expected + _FLOOR)), np.float32)
        self._notice(above_db, direct, tail)
        if self.model.new or (self._sure > 0 and self._both <= 0 and self.model.ticks % 2):
            self.model.learn(heard, expected)

        # What the canceller gives is up to 10 ms older than what the microphone hears.
        self._before = [*self._before[-1:], (direct, tail)]
        direct = np.maximum(direct, self._before[0][0])
        tail = np.maximum(tail, self._before[0][1])
        leak = max(LEAK, NEW_LEAK * math.exp(-self.model.ticks / NEW_TICKS))
        both = self._both > 0
        if not both and self._above_db < self._usual_db + EXPLAINED_DB:
            # All that is heard is explained by what is played: so is what is left, however much that is.
            leak = max(leak, EXPLAINED * min(1.0, self._left / self._heard))
        residual = leak * direct + (BOTH_TAIL if both else 1.0) * tail
        powers = 1.0 - (BOTH_OVER if both else OVER) * residual / (remains + _NOTHING)
        wanted = np.sqrt(np.maximum(powers, BOTH_LEAST_POWER if both else LEAST_POWER))
        self._gains = np.asarray(np.minimum(wanted, self._gains + RECOVERS), np.float32)
        shares = (
            GIVEN_BACK * np.minimum(np.maximum((above_db - self._usual_db - 2.0) / 4.0, 0.0), 1.0)
            if both
            else 0.0
        )
        self._shares = np.asarray(0.5 * self._shares + 0.5 * shares, np.float32)
        self._shares[self._shares < 1e-3] = 0.0

    def _notice(self, above_db: Samples, direct: Samples, tail: Samples) -> None:
        """See who is heard: the speaker alone, or a near voice too."""
        self._sure -= 1
        self._both -= 1
        if voice_power(direct) > DIRECT * voice_power(tail) and self._left < LEFT * self._heard:
            self._sure = SURE_TICKS
        now_db = float(np.minimum(np.maximum(above_db[VOICE], _LOWEST_DB), _HIGHEST_DB).sum()) / _VOICE_BANDS
        self._above_db = 0.8 * self._above_db + 0.2 * now_db
        if self.model.new:
            return
        # The level that three of ten ticks stay below.
        if self.model.playing:
            self._usual_db += 0.006 if self._above_db > self._usual_db else -0.014
        if self._left < CLEAN * self._heard:
            self._both = 0
        if self._above_db > self._usual_db + STANDS_OUT_DB and self._left > LEFT * self._heard:
            self._standing_out += 1
            if self._standing_out >= SYLLABLE_TICKS:
                self._both = BOTH_TICKS
        else:
            self._standing_out = 0
