"""A loudness meter: sound in, ten readings a second out. No thread, no clock: its time is that of the sound.

Source: ITU-R BS.1770-4, annex 1; EBU Tech 3341 (momentary, short-term, integrated), Tech 3342 (range).
"""

from collections import deque
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from blink_cli.audio.loudness.gating import GatedBlocks, lufs
from blink_cli.audio.loudness.k_weighting import k_weighting
from blink_cli.audio.loudness.true_peak import TruePeak
from blink_cli.audio.samples import Samples

STEPS_A_SECOND: Final = 10
"""Blocks of 0.4 s overlap by three quarters (BS.1770-4), so there is one every 0.1 s."""

MOMENTARY_STEPS: Final = 4
SHORT_TERM_STEPS: Final = 30

RINGING_S: Final = 0.5
"""How long the filter is heard after the sound: it falls by 50 dB in 25 ms."""

_PIECE_S: Final = 0.1
"""Longer sound is taken in pieces: what is needed meanwhile stays in the processor's cache, and numpy's products on one thread."""

_SURROUND: Final = 1.41
_WEIGHTS: Final = {
    4: (1.0, 1.0, _SURROUND, _SURROUND),
    5: (1.0, 1.0, 1.0, _SURROUND, _SURROUND),
    6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND),
}
"""Of more than two channels, in the order of WAV and FLAC files: L R Ls Rs; L R C Ls Rs; L R C LFE Ls Rs."""

Floats = npt.NDArray[np.float64]


class LoudnessAt(msgspec.Struct, frozen=True):
    """The readings at one moment of the sound."""

    at_s: float
    """Since its beginning."""

    momentary_lufs: float | None
    """Of the 0.4 s before; None in silence, and before 0.4 s were heard."""

    short_term_lufs: float | None
    """Of the 3 s before; likewise."""


class LoudnessFigures(msgspec.Struct, frozen=True):
    """Of all sound so far. A figure that cannot be had, of silence or too short a sound, is None."""

    heard_s: float
    integrated_lufs: float | None
    """The mean of what is above -70 LUFS and not over 10 LU softer than the mean of that: speech without its pauses."""

    range_lu: float | None
    highest_momentary_lufs: float | None
    highest_short_term_lufs: float | None
    true_peak_dbtp: float | None
    """None too where it was not asked for."""


def channel_weights(channels: int) -> tuple[float, ...]:
    """How much each channel counts: those behind the listener 1.5 dB more, the LFE nothing. Of unknown layouts each counts the same.

    Source: BS.1770-4, annex 1, table 3.
    """
    return _WEIGHTS.get(channels, (1.0,) * channels)


class RunningLoudness:
    """Of one sound, how loud it is and was until now. One thread at a time. Its memory does not grow: some 130 kB."""

    def __init__(
        self,
        rate_hz: int,
        channels: int = 1,
        *,
        weights: Sequence[float] | None = None,
        true_peak: bool = False,
    ) -> None:
        """Hear nothing yet.

        Args:
            rate_hz: Of the sound, from 4,000 on.
            channels: Of the sound.
            weights: One for each channel; None: as `channel_weights` has them.
            true_peak: Whether it is measured too: as much work as all the rest.

        Raises:
            ValueError: The rate is too low.

        """
        self._rate_hz = rate_hz
        self._filter = k_weighting(rate_hz, channels)
        self._weights: Floats = np.array(channel_weights(channels) if weights is None else weights)
        self._peak = TruePeak(channels) if true_peak else None
        self._samples = 0
        self._steps = 0
        self._energy = 0.0
        """Of the step that has begun."""

        self._quiet_since = 0
        """The sample from which on all was silence."""

        self._recent: deque[float] = deque(maxlen=SHORT_TERM_STEPS)
        """Powers of the last steps."""

        self._blocks = GatedBlocks()
        self.latest = LoudnessAt(0.0, None, None)
        """The last reading."""

    @property
    def integrated_lufs(self) -> float | None:
        """Of all sound so far; see `LoudnessFigures`."""
        return self._blocks.gated_mean

    def add(self, samples: Samples) -> list[LoudnessAt]:
        """Take sound; return the readings of each 0.1 s that it completed.

        Args:
            samples: Full scale at +/-1.0, of any length, shape `(n,)` or `(n, channels)`. What is not finite counts as silence. Not modified.

        """
        piece = max(1, round(self._rate_hz * _PIECE_S))
        readings: list[LoudnessAt] = []
        for start in range(0, len(samples), piece):
            readings += self._add(samples[start : start + piece])
        return readings

    def add_silence(self, length: int) -> list[LoudnessAt]:
        """Take `length` samples of silence, which costs next to nothing however long it is; return the readings of its first 3 s."""
        ringing = min(length, max(0, self._quiet_since + round(RINGING_S * self._rate_hz) - self._samples))
        quiet_since = self._quiet_since
        readings = self.add(np.zeros((ringing, len(self._weights)), dtype=np.float32))
        self._quiet_since = quiet_since
        if ringing == length:
            return readings
        self._filter.reset()
        end = self._samples + length - ringing
        while self._step_end <= end and len(readings) < SHORT_TERM_STEPS:
            self._samples = self._step_end
            readings.append(self._finish_step())
        self._samples = end
        self._steps = end * STEPS_A_SECOND // self._rate_hz
        return readings

    @property
    def _step_end(self) -> int:
        """The sample before which the step in hand ends."""
        return self._start_of(self._steps + 1)

    def _start_of(self, step: int) -> int:
        """Its first sample; a tenth of a second need not be whole samples."""
        return -(-step * self._rate_hz // STEPS_A_SECOND)

    def _add(self, samples: Samples) -> list[LoudnessAt]:
        sound: Floats = np.atleast_2d(samples.T).astype(np.float64)
        if not np.isfinite(sound).all():
            sound = np.nan_to_num(sound, nan=0.0, posinf=0.0, neginf=0.0)
        if self._peak is not None:
            self._peak.add(sound)
        weighted = self._filter.process(sound)
        readings: list[LoudnessAt] = []
        begin, start = self._samples, 0
        length = weighted.shape[1]
        while (end := self._step_end - begin) <= length:
            self._energy += self._energy_of(weighted[:, start:end])
            self._samples = begin + end
            readings.append(self._finish_step())
            start = end
        if start < length:
            self._energy += self._energy_of(weighted[:, start:])
        self._samples = self._quiet_since = begin + length
        return readings

    def _energy_of(self, weighted: Floats) -> float:
        """Return the sum of the squares, each channel with its weight."""
        squares = (float(np.vdot(channel, channel)) for channel in weighted)
        return float(sum(weight * square for weight, square in zip(self._weights, squares, strict=True)))

    def _finish_step(self) -> LoudnessAt:
        self._recent.append(self._energy / (self._samples - self._start_of(self._steps)))
        self._energy = 0.0
        self._steps += 1
        momentary = self._mean_of_last(MOMENTARY_STEPS)
        if momentary is not None:
            self._blocks.add(momentary)
        short_term = self._mean_of_last(SHORT_TERM_STEPS)
        self._count(momentary, short_term)
        self.latest = LoudnessAt(
            at_s=self._samples / self._rate_hz,
            momentary_lufs=None if momentary is None else lufs(momentary),
            short_term_lufs=None if short_term is None else lufs(short_term),
        )
        return self.latest

    def _mean_of_last(self, steps: int) -> float | None:
        if len(self._recent) < steps:
            return None
        return sum(list(self._recent)[-steps:]) / steps

    def _count(self, momentary: float | None, short_term: float | None) -> None:
        """Learn the powers behind a reading."""


class LoudnessMeter(RunningLoudness):
    """The same, which tells of the whole sound how far its loudness goes too: of a file. Some 250 kB."""

    def __init__(
        self,
        rate_hz: int,
        channels: int = 1,
        *,
        weights: Sequence[float] | None = None,
        true_peak: bool = False,
    ) -> None:
        """Hear nothing yet. As `RunningLoudness`."""
        super().__init__(rate_hz, channels, weights=weights, true_peak=true_peak)
        self._short_terms = GatedBlocks()
        self._highest_momentary = 0.0
        self._highest_short_term = 0.0

    @property
    def figures(self) -> LoudnessFigures:
        """What is known of all sound so far. Costs some 0.1 ms."""
        return LoudnessFigures(
            heard_s=self._samples / self._rate_hz,
            integrated_lufs=self._blocks.gated_mean,
            range_lu=self._short_terms.gated_spread,
            highest_momentary_lufs=lufs(self._highest_momentary),
            highest_short_term_lufs=lufs(self._highest_short_term),
            true_peak_dbtp=None if self._peak is None else self._peak.dbtp,
        )

    @override
    def _count(self, momentary: float | None, short_term: float | None) -> None:
        if momentary is not None:
            self._highest_momentary = max(self._highest_momentary, momentary)
        if short_term is not None:
            self._highest_short_term = max(self._highest_short_term, short_term)
            self._short_terms.add(short_term)
