"""Of several channels, one voice: as loud as the loudest channel, whichever of them carry it.

    (frames, channels) ──> power of each, and how they go with the loudest ──> a weight for each ──> (frames,)

The mean of all channels is right for the same sound in each, and wrong for anything else: a microphone on one of eight inputs comes out
18 dB softer, and a cable with one side reversed comes out silent. So:

- channels are added up that are within `HEARD_DB` of the loudest: the others carry noise, or nothing;
- one that goes against the loudest (a correlation below `-OPPOSED`) is turned round before it is added;
- the sum is made as loud as the loudest channel: the same sound in two channels is halved, as the mean does; two people with a microphone
  each are added as they are.

Powers are those of the loudest moments, and are forgotten at `FORGET_DB_S`: weights stand still in pauses and between words, and the same person
has the same loudness for as long as he talks on the same channels. A change of weights takes one block; nothing clicks.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from blink_cli.audio.channel_reading import ChannelReading
from blink_cli.audio.samples import Samples

HEARD_DB: Final = 30.0
"""A channel that is so much softer than the loudest is not heard beside it."""

HYSTERESIS_DB: Final = 4.0
FORGET_DB_S: Final = 0.5
OPPOSED: Final = 0.4
OTHER_REFERENCE_DB: Final = 6.0
"""So much louder must another channel be to become the one with which the others are compared."""

CANCELLED_DB: Final = 3.0
"""If the sum is so much softer than the loudest channel, what they carry cancels out, and the loudest is taken alone."""

JUDGED_FROM_DBFS: Final = -60.0
"""Softer channels carry noise: how loud their mix is says nothing."""

_CORRELATED_OVER_S: Final = 0.5
_LEAST: Final = 1e-12

Floats = npt.NDArray[np.float64]


class ChannelMix:
    """One for each device. Belongs to the thread that reads the device; `reading` to any."""

    def __init__(self, channels: int, sample_rate_hz: int, chosen: int | None = None) -> None:
        """Begin with nothing heard.

        Args:
            channels: How many.
            sample_rate_hz: Theirs.
            chosen: The only channel to hear, from 1.

        """
        self.channels = channels
        self._rate_hz = sample_rate_hz
        self._chosen = chosen
        self._block_frames = max(1, sample_rate_hz // 100)
        self._powers: Floats = np.zeros(channels)
        self._mix_power = 0.0
        self._sum_power = 0.0
        self._signs: Floats = np.ones(channels)
        self._heard = np.zeros(channels, dtype=bool)
        self._reference = 0
        self._products: Floats = np.zeros(channels)
        self._energies: Floats = np.zeros(channels)
        self._weights: Samples | None = None
        if chosen is not None:
            self._weights = np.zeros(channels, dtype=np.float32)
            self._weights[chosen - 1] = 1.0

    def mix(self, frames: Samples) -> Samples:
        """Return the voice of `frames`, shape `(n, channels)`, as `(n,)`, contiguous."""
        if self.channels == 1:
            return np.ascontiguousarray(frames[:, 0])
        step = self._block_frames
        if len(frames) <= step:
            return self._mix_block(frames)
        return np.concatenate([self._mix_block(frames[at : at + step]) for at in range(0, len(frames), step)])

    def reading(self) -> ChannelReading:
        """Return what became of the channels. Any thread."""
        loudest = int(np.argmax(self._powers))
        power, mix = float(self._powers[loudest]), self._mix_power
        judged = power > 10 ** (JUDGED_FROM_DBFS / 10)
        below_db = 10 * np.log10(power / max(mix, power * 1e-6)) if judged else 0.0
        return ChannelReading(self.channels, self._chosen, loudest + 1, max(0.0, round(float(below_db), 1)))

    def _mix_block(self, frames: Samples) -> Samples:
        count = len(frames)
        if not count:
            return np.zeros(0, dtype=np.float32)
        kept = 10 ** (-FORGET_DB_S * count / self._rate_hz / 10)
        powers = _powers(frames)
        if not np.isfinite(powers.sum()):
            # One NaN from a driver would stay for good.
            frames = np.nan_to_num(np.clip(frames, -1.0, 1.0))
            powers = _powers(frames)
        self._powers = np.maximum(powers, self._powers * kept)
        if self._chosen is None:
            wanted = self._wanted_weights(frames, powers, kept)
        else:
            assert self._weights is not None, "set from the beginning"
            wanted = self._weights
        before = wanted if self._weights is None else self._weights
        self._weights = wanted
        voice: Samples = frames @ wanted
        if before is not wanted and not np.array_equal(before, wanted):
            rising = np.arange(1, count + 1, dtype=np.float32) / count
            voice *= rising
            voice += frames @ before * (1.0 - rising)
        power = float(np.dot(voice, voice)) / count
        self._mix_power = max(power, self._mix_power * kept)
        if power > 0.1 and np.abs(voice).max() > 1.0:
            voice = np.clip(voice, -1.0, 1.0)
        return voice

    def _wanted_weights(self, frames: Samples, powers: Floats, kept: float) -> Samples:
        loudest = float(self._powers.max())
        if loudest < _LEAST:
            return np.full(self.channels, 1.0 / self.channels, dtype=np.float32)
        changed = self._choose_heard(loudest) | self._turn_round(frames, powers)
        signed = self._signs * self._heard
        added: Samples = frames @ signed.astype(np.float32)
        power = float(np.dot(added, added)) / len(added)
        if changed:
            # What is known of the loudness of another sum says nothing of this one; how this block compares does.
            now = float(powers.max())
            self._sum_power = loudest * power / now if now > _LEAST else loudest
        self._sum_power = max(power, self._sum_power * kept)
        if self._sum_power < loudest * 10 ** (-CANCELLED_DB / 10):
            alone = np.zeros(self.channels, dtype=np.float32)
            alone[self._reference] = self._signs[self._reference]
            return alone
        gain = min(1.0, (loudest / max(self._sum_power, _LEAST)) ** 0.5)
        weights: Samples = (gain * signed).astype(np.float32)
        return weights

    def _choose_heard(self, loudest: float) -> bool:
        """Add the channels up that carry something; return whether that is new."""
        enters = self._powers > loudest * 10 ** (-HEARD_DB / 10)
        stays = self._powers > loudest * 10 ** (-(HEARD_DB + HYSTERESIS_DB) / 10)
        heard = enters | (self._heard & stays)
        changed = not np.array_equal(heard, self._heard)
        self._heard = heard
        return changed

    def _turn_round(self, frames: Samples, powers: Floats) -> bool:
        """Turn channels round that go against the loudest; return whether one was turned."""
        highest = int(np.argmax(self._powers))
        if self._powers[highest] > self._powers[self._reference] * 10 ** (OTHER_REFERENCE_DB / 10):
            self._reference = highest
            self._products[:] = 0.0
            self._energies[:] = 0.0
        kept = np.exp(-len(frames) / self._rate_hz / _CORRELATED_OVER_S)
        together = (frames.T @ frames[:, self._reference]).astype(np.float64) / len(frames)
        self._products = self._products * kept + together * (1.0 - kept)
        self._energies = self._energies * kept + powers * (1.0 - kept)
        both = np.sqrt(self._energies * self._energies[self._reference])
        correlation = np.where(both > _LEAST, self._products / np.maximum(both, _LEAST), 0.0)
        turned = correlation * self._signs * self._signs[self._reference] < -OPPOSED
        turned &= self._heard
        if not turned.any():
            return False
        self._signs = np.where(turned, -self._signs, self._signs)
        return True


def _powers(frames: Samples) -> Floats:
    powers: Floats = np.einsum("nc,nc->c", frames, frames).astype(np.float64) / len(frames)
    return powers
