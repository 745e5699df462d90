"""What the canceller leaves of the echo is turned down here, by bands; while somebody near talks nothing is.

    near ──> powers ──────> NearVoice: does anybody near talk? ──no──> gain of each band ──> what the canceller gave ──(+)──> out
    far ───> EchoModel ──> early, tail ──'                    '──yes─> NearShare ──> near, where the voice stands out ──'

AEC3's filter is 52 ms long. Of a room that sounds for half a second it leaves the tail whenever what is played falls silent: 16 to 25 dB of
echo removed on average, where 40 are removed while it plays. The model knows how loud the tail should be. What is no louder than
expected is echo, and is turned down.

Source: E. A. P. Habets et al., "Joint dereverberation and residual echo suppression of speech signals in noisy environments", IEEE TASLP
16, 2008, for the residual of a late tail; the rest measured with `scripts/bench echo`.
"""

import math
from typing import Final

import numpy as np

from blink_cli.audio.processing.bands import BANDS, FILTER_DELAY_SAMPLES, TOGETHER, BandGains, BandPowers
from blink_cli.audio.processing.echo_model import LONGEST_DELAY_TICKS, TAIL_TICKS, EchoModel
from blink_cli.audio.processing.near_share import NearShare
from blink_cli.audio.processing.near_voice import NearVoice
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import TICK_MS

LEAK: Final = 0.05
"""How much the canceller leaves of the early part, as power."""

NEW_LEAK: Final = 0.5
"""The same while the canceller has only begun: it may well start anew once it is sure of the delay."""

NEW_TICKS: Final = 150
"""Of sound played, in which that falls to a third. If no delay was found by then there is no echo to speak of."""

EXPLAINED: Final = 0.5
"""Where nobody near talks what is left is echo, however much that is: so much of the share that the canceller leaves counts as its leak."""

OVER: Final = 4.0
"""What is left is up to 6 dB above what is expected."""

NEW_OVER: Final = 16.0
"""The same against what is expected while no delay is known, which is a guess."""

TAIL: Final = 1.5
"""The tail scatters more than what is early."""

LEAST_POWER: Final = 2.5e-3
"""No band is turned down farther: -26 dB."""

NEW_LEAST_POWER: Final = 1e-3
"""Nor at first: -30 dB."""

AGREES: Final = 0.01
"""Nothing of the microphone is given back where the canceller leaves less than that of its power: it found echo alone."""

RECOVERS: Final = 0.5
"""By how much a gain rises in a tick at most."""

SAME_TICKS: Final = 0.8
"""A delay is another one from that difference on: so none goes to and fro between two ticks."""

LOOKS_EVERY_TICKS: Final = 10
"""How often it is asked whether a delay that jumped is what stands out."""

SETTLING_TICKS: Final = 120
"""For so long after a jump what is measured may still be of before."""

_NOTHING: Final = 1e-10
_NEW_LEAST, _NEW_MOST = 0.1, 4.0
_ALL: Final = np.ones(BANDS, dtype=np.float32)


class EchoRemainder:
    """Behind a canceller. Used by the capture thread alone."""

    def __init__(self, canceller_delay_samples: int) -> None:
        """Prepare.

        Args:
            canceller_delay_samples: By how much what the canceller gives lies behind what it was given.

        """
        self._powers = BandPowers(3)
        self.model = EchoModel()
        self.near_voice = NearVoice()
        self._left_gains = BandGains(1.0)
        self._share = NearShare(canceller_delay_samples)
        self._gains: Samples = _ALL
        self._smeared_weights: Samples = np.full(BANDS, 0.5, dtype=np.float32)
        self._before: tuple[Samples, Samples] | None = None
        self._silent_ticks = _FORGOTTEN_TICKS
        self._ticks = 0
        self._settling_ticks = 0

    delay_samples: Final = FILTER_DELAY_SAMPLES

    @property
    def echo_alone(self) -> bool:
        """Whether what the microphone hears now is echo, and clearly so."""
        return self.model.audible and not self.near_voice.talks and not self.model.new

    def forget(self) -> None:
        """Take that the room is another one."""
        self.model.forget()
        self.near_voice = NearVoice()
        self._smeared_weights[:] = 0.5
        self._before = None
        self._ticks = 0

    def use_delay(self, delay_s: float) -> None:
        """Take that the echo was measured to come so long behind what is played."""
        ticks, known = delay_s * 1000 / TICK_MS, self.model.delay_ticks
        if known is None or (abs(ticks - known) > SAME_TICKS and self._settling_ticks <= 0):
            self.model.use_delay(round(ticks))

    def process(self, near: Samples, far: Samples, left: Samples) -> Samples:
        """Return what is left of `left`, which the canceller made of `near` and `far`. All have shape (480,)."""
        if self._silent(far):
            self._gains = _ALL
            self._share.rest()
            return self._share.added(near, self._left_gains.apply(left, 1.0))
        heard, played, remains = self._powers.of(near, far, left)
        self.model.take(played, heard)
        self._gains = np.minimum(self._wanted(heard, remains), self._gains + np.float32(RECOVERS))
        open_ = float(self._gains.min()) > 0.999
        out = self._left_gains.apply(left, 1.0 if open_ else self._gains)
        return self._share.added(near, out)

    def _silent(self, far: Samples) -> bool:
        """Whether nothing was played for so long that nothing is left to weigh."""
        self._silent_ticks = 0 if far.any() else self._silent_ticks + 1
        return self._silent_ticks > _FORGOTTEN_TICKS

    def _wanted(self, heard: Samples, remains: Samples) -> Samples:
        """Return by how much each band should be turned down."""
        model = self.model
        if not model.audible:
            self._before = None
            self.near_voice.rest()
            self._share.rest()
            return _ALL
        self._ticks += 1
        if model.delay_ticks is None:
            return self._wanted_without_delay(heard, remains)
        early, tail = model.expected()
        talks = self.near_voice.take(model.excess_db(heard), model.ticks, heard, remains)
        self._settling_ticks -= 1
        if talks and not model.new and self._ticks % LOOKS_EVERY_TICKS == 0:
            talks = not self._jumped()
        if model.new or not talks:
            model.learn(heard, self.near_voice.left_share)
        before_early, before_tail = self._before or (early, tail)
        self._before = early, tail
        if talks and not model.new:
            if self.near_voice.left_share > AGREES:
                self._share.take(heard, early + tail + model.noise, remains)
            else:
                self._share.rest()
            return _ALL
        self._share.rest()
        # What the canceller gives is up to 10 ms older than what the microphone hears.
        leak = max(
            LEAK,
            NEW_LEAK * math.exp(-self._ticks / NEW_TICKS),
            EXPLAINED * min(1.0, self.near_voice.left_share),
        )
        residual = np.maximum(early, before_early) * np.float32(OVER * leak)
        residual += np.maximum(tail, before_tail) * np.float32(OVER * TAIL)
        return _gains(residual, remains, LEAST_POWER)

    def _jumped(self) -> bool:
        """Whether it is no voice that stands out: the echo comes with another delay than it did."""
        delay_ticks = self.model.other_delay()
        if delay_ticks is None:
            return False
        self.model.use_delay(delay_ticks)
        self.near_voice.rest()
        self._settling_ticks = SETTLING_TICKS
        return True

    def _wanted_without_delay(self, heard: Samples, remains: Samples) -> Samples:
        if self._ticks > NEW_TICKS:
            return _ALL
        smeared = self.model.smeared()
        expected = self._smeared_weights * smeared
        ratio = heard / (expected + self.model.noise)
        self._smeared_weights *= np.clip(ratio, 0.5, 2.0) ** 0.3
        np.clip(self._smeared_weights, _NEW_LEAST, _NEW_MOST, out=self._smeared_weights)
        expected *= np.float32(NEW_OVER)
        return _gains(expected, remains, NEW_LEAST_POWER)


_FORGOTTEN_TICKS: Final = LONGEST_DELAY_TICKS + TAIL_TICKS


def _gains(residual: Samples, remains: Samples, least_power: float) -> Samples:
    wanted = np.maximum(1.0 - residual / (remains + np.float32(_NOTHING)), least_power)
    # Of bands that the filter cannot tell apart the loudest decides: one in which nothing is expected, and that stays open, lets the tone beside it through.
    weight = remains + np.float32(_NOTHING)
    together = (TOGETHER @ (wanted * weight)) / (TOGETHER @ weight)
    return np.asarray(np.sqrt(np.minimum(wanted, together)), np.float32)
