"""What the speaker plays, and when: the reference of the echo canceller.

    [playout thread] write(block, heard_at) ──> the last seconds, by the moment at which they are heard ──> [capture thread] between

One thread writes and one reads, without a lock: samples are in place before the writer's counter moves, and the reader looks at it once.
Where nothing was written nothing was played: that is silence here too.

The reader asks for what was heard while a block was captured. Both devices' clocks are known only to a fraction of a millisecond, and an echo
path's filter is disturbed by a hundredth: so the place at which the reader reads moves on by whole blocks and is led towards the place
that the clocks name, by at most `FOLLOWS` and between samples. Only where sound is missing on one side, or a device was changed, it
jumps.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.audio.devices.interface import OutputDevice
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ, TICK_MS, TICK_SAMPLES

CAPACITY: Final = 4 * SAMPLE_RATE_HZ
"""More than any speaker's queue and the longest echo together."""

PLACES: Final = 512
"""Blocks of which the moment is remembered: as many as the capacity holds, and some."""

SAME_PLACE_S: Final = 0.001
"""A block that is heard so much sooner or later than right behind the one before it does not follow it."""

FOLLOWS: Final = 0.0005
"""How far the reader's place is led, in samples a sample: 500 ppm, more than two sound cards drift apart."""

LOOP_HZ: Final = 0.05
"""How quickly the place follows: slower than the clocks' noise, quicker than sound cards change their pace."""

JUMPS_S: Final = 0.004
"""A difference that is no drift: the place is taken anew."""

TAPS: Final = 16
"""Of the interpolation between samples: flat to 16 kHz within 0.1 dB."""

FRACTIONS: Final = 256
"""Places between two samples that are told apart."""

WHOLE: Final = 0.5 / FRACTIONS
"""Nearer than this to a sample, a place is that sample's."""

_BEFORE: Final = TAPS // 2 - 1
_TICK_S: Final = TICK_MS / 1000
_LOOP: Final = 2.0 * math.pi * LOOP_HZ * _TICK_S
_PLACE_GAIN: Final = 2.0 * _LOOP
_PACE_GAIN: Final = _LOOP**2
"""A delay-locked loop of the second order, critically damped. Source: F. Adriaensen, "Using a DLL to filter time", 2005."""

_RAMP: Final = np.linspace(0.0, 1.0, TICK_SAMPLES, endpoint=False, dtype=np.float32)


def _interpolations() -> list[Samples]:
    """For each fraction, the taps that give the value so far behind the sample under tap `_BEFORE`: a sinc under a Kaiser window."""
    fractions = np.arange(FRACTIONS + 1)[:, np.newaxis] / FRACTIONS
    at = np.arange(TAPS) - _BEFORE - fractions
    taps = np.sinc(at) * np.i0(6.0 * np.sqrt(np.maximum(0.0, 1.0 - (at / (TAPS / 2)) ** 2)))
    return list(np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float32))


_TAPS: Final = _interpolations()


@dataclass(slots=True)
class _Place:
    """Where one block lies."""

    sample: int
    heard_at: float


class FarReference:
    """Between a playout thread and a capture thread."""

    def __init__(self) -> None:
        self._samples: Samples = np.zeros(CAPACITY, dtype=np.float32)
        self._places: list[_Place] = [_Place(0, 0.0)] * PLACES
        self.speaker: OutputDevice | None = None
        """What plays it. Set by the playout thread, read by any."""

        self.is_read = True
        """Whether anybody reads it; else it need not be written. Set by who reads, read by the playout thread."""

        self._blocks = 0
        self._until = 0
        """The number of the sample behind the last one. The writer's."""

        self._until_s: float | None = None
        self._place: float | None = None
        """Where the next block is read. The reader's, as all below."""

        self._pace = 0.0
        """How many samples more than 480 pass at the speaker while 480 pass at the microphone."""

        self._last_place, self._last_led = -1.0 * CAPACITY, 0.0
        self._expected_s = 0.0
        self._searched = 0

    # The playout thread.

    def write(self, block: Samples, heard_at: float) -> None:
        """Take what the device was given, shape `(n,)` at 48 kHz, n at most 480, whose first sample will be heard at `heard_at`."""
        start = self._until
        if self._until_s is not None:
            later_s = heard_at - self._until_s
            if abs(later_s) > SAME_PLACE_S:
                later = round(later_s * SAMPLE_RATE_HZ)
                if later > 0:
                    self._put(start, np.zeros(min(later, CAPACITY), dtype=np.float32))
                # What was to be heard later on another device, and is not, is written over.
                start = max(0, start + later)
        self._put(start, block)
        self._places[self._blocks % PLACES] = _Place(start, heard_at)
        self._until = start + len(block)
        self._until_s = heard_at + len(block) / SAMPLE_RATE_HZ
        self._blocks += 1

    def _put(self, start: int, samples: Samples) -> None:
        at = start % CAPACITY
        if at + len(samples) <= CAPACITY:
            self._samples[at : at + len(samples)] = samples
            return
        first = CAPACITY - at
        self._samples[at : at + first] = samples[:first]
        self._samples[: len(samples) - first] = samples[first:]

    # The capture thread.

    def since(self, from_s: float, samples: int) -> Samples:
        """Return what was heard from `from_s` on, shape `(samples,)`, placed by what the last `between` followed, to the sample."""
        if self._place is None:
            return np.zeros(samples, dtype=np.float32)
        place = self._place + (from_s - self._expected_s) * SAMPLE_RATE_HZ
        return self._window(round(place), samples)

    def earlier(self, samples: int) -> Samples:
        """Return what was heard so many samples before what the last `between` returned, shape (480,)."""
        return self._read(self._last_place - samples, self._last_led)

    def between(self, from_s: float) -> Samples:
        """Return what was heard in the 10 ms from `from_s` on, shape (480,)."""
        named = self._named(from_s)
        if named is None:
            self._place = None
            self._last_place = -1.0 * CAPACITY
            return np.zeros(TICK_SAMPLES, dtype=np.float32)
        place, following = self._place, abs(from_s - self._expected_s) < SAME_PLACE_S
        if place is None or not following or abs(named - place) > JUMPS_S * SAMPLE_RATE_HZ:
            place = named
            self._pace = 0.0
        self._pace = _limited(self._pace + _PACE_GAIN * (named - place))
        led = _limited(self._pace + _PLACE_GAIN * (named - place))
        self._last_place, self._last_led = place, led
        out = self._read(place, led)
        self._place = place + TICK_SAMPLES + led
        self._expected_s = from_s + _TICK_S
        return out

    def _named(self, at_s: float) -> float | None:
        """Return the place of what is heard at `at_s` by the clocks; None if nothing was ever written, or not for long."""
        blocks = self._blocks
        if not blocks:
            return None
        # Nearly always the block behind the one of the last time.
        searched = max(self._searched, blocks - PLACES + 8)
        while searched + 1 < blocks and self._places[(searched + 1) % PLACES].heard_at <= at_s:
            searched += 1
        while searched > max(0, blocks - PLACES + 8) and self._places[searched % PLACES].heard_at > at_s:
            searched -= 1
        self._searched = searched
        known = self._places[searched % PLACES]
        return known.sample + (at_s - known.heard_at) * SAMPLE_RATE_HZ

    def _read(self, place: float, led: float) -> Samples:
        """Return 480 samples from `place` on, whose last one lies `led` farther than it would by whole samples."""
        whole = math.floor(place + WHOLE)
        fraction = place - whole
        if abs(fraction) < WHOLE and abs(led) < WHOLE:
            return self._window(whole, TICK_SAMPLES)
        samples = self._window(whole - _BEFORE - 1, TICK_SAMPLES + TAPS + 2)
        if not samples.any():
            return samples[_BEFORE + 1 : _BEFORE + 1 + TICK_SAMPLES]
        begins = _interpolated(samples, fraction)
        if led == 0.0:
            return begins
        return begins + _RAMP * (_interpolated(samples, fraction + led) - begins)

    def _window(self, start: int, count: int) -> Samples:
        """Return samples by their numbers; what is not there any more, or not yet, is silence."""
        out = np.zeros(count, dtype=np.float32)
        until = self._until
        first, last = max(start, until - CAPACITY + SAMPLE_RATE_HZ // 2, 0), min(start + count, until)
        if last > first:
            at, length = first % CAPACITY, last - first
            head = min(length, CAPACITY - at)
            out[first - start : first - start + head] = self._samples[at : at + head]
            out[first - start + head : last - start] = self._samples[: length - head]
        return out


def _limited(samples: float) -> float:
    most = FOLLOWS * TICK_SAMPLES
    return min(max(samples, -most), most)


def _interpolated(samples: Samples, fraction: float) -> Samples:
    """Return 480 values of a `_window`, each `fraction` behind a sample; -1 to 2."""
    whole = math.floor(fraction)
    taps = _TAPS[round((fraction - whole) * FRACTIONS)]
    return np.correlate(samples[1 + whole : whole + TICK_SAMPLES + TAPS], taps, mode="valid")
