"""Finds one's own voice again in what came back from an echo peer, and measures how late, how loud and how good it is.

          |<-- listens ------------>|            |<-- says what it heard ---->|
    rising beep                 falling beep
          ^ a                            ^ b          ends of the beeps, as they are heard here

The echo peer says at b + p what it heard at a + p, by its own clock. So sound that is captured at c here, and heard again at h, was under way for
h - c - (b - a), there and back: no clock but this one is needed, and how long the echo peer kept it falls out.
"""

import math
from typing import Final

import msgspec
import numpy as np
import soxr

from blink_cli.audio.device_test.levels import decibels
from blink_cli.audio.devices.echo_beeps import BEEP_SAMPLES, LISTENING, SPEAKING, find
from blink_cli.audio.devices.echo_loop import LIVE_LAG_S
from blink_cli.audio.echo.timelines import Timeline
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

RATE_HZ: Final = 16_000
"""Of what is compared: PESQ's wideband, and enough for a place to 0.06 ms."""

LONGEST_WAY_S: Final = 2.0
"""There and back: two playout buffers of 400 ms and a satellite."""

WINDOW: Final = RATE_HZ // 2
STEP: Final = RATE_HZ // 4
VOICE_DBOV: Final = -50.0
ALIKE: Final = 0.5
"""Least normalised correlation of a window that counts as found."""

LEAST_PESQ_S: Final = 2.0
"""Of found voice: less is judged by chance."""


class Piece(msgspec.Struct, frozen=True):
    """A piece of what came back, and what it should be, aligned, at 16 kHz."""

    reference: Samples
    heard: Samples


class Comparison(msgspec.Struct, frozen=True):
    """What came back of what was sent."""

    beeps: int
    """That were heard."""

    spoke: bool
    """Whether the echo peer came to say anything: after a falling beep, or at once."""

    sent_dbov: float
    """How loud the loud parts of it were sent."""

    voice_s: float
    """How much voice should have come back."""

    found_s: float
    """How much of it was found."""

    found_share: float | None
    """Of the windows with voice; None if none was to be expected."""

    way_s: float | None
    """There and back: the median over the windows; None if nothing was found."""

    change_db: float | None
    """How much louder it came back."""

    pieces: tuple[Piece, ...]
    """What came back behind each falling beep, or the rising one of an echo at once: only those in which voice was found."""


def compare(sent: Timeline, heard: Timeline) -> Comparison:
    """Compare them. A second for each minute; for a worker thread."""
    rising, falling = find(LISTENING, heard.samples), find(SPEAKING, heard.samples)
    pieces: list[Piece] = []
    ways: list[float] = []
    windows = voiced = 0
    sent_power = heard_power = 0.0
    loudest = 0.0
    for start, kept in _returns(rising, falling):
        end = min((place for place in (*rising, *falling) if place > start), default=len(heard.samples))
        begins_at = heard.began_at + start / SAMPLE_RATE_HZ
        came = _at_16_khz(heard.samples[start:end])
        longest = round(LONGEST_WAY_S * SAMPLE_RATE_HZ)
        expected = _at_16_khz(
            sent.between(begins_at - kept / SAMPLE_RATE_HZ - LONGEST_WAY_S, end - start + longest)
        )
        found_here: list[float] = []
        for at in range(0, len(came) - WINDOW, STEP):
            window = came[at : at + WINDOW]
            area = expected[at : at + WINDOW + round(LONGEST_WAY_S * RATE_HZ)]
            # What lies farther back was hardly meant: said before the beep, or before somebody muted.
            power = _loudest_power(area[len(area) // 2 :])
            loudest = max(loudest, power)
            if power < 10 ** (VOICE_DBOV / 10):
                continue
            voiced += 1
            lag, alike = _best(window, area)
            if alike >= ALIKE:
                windows += 1
                found_here.append(LONGEST_WAY_S - lag / RATE_HZ)
                there = area[lag : lag + WINDOW]
                sent_power += float(np.dot(there, there))
                heard_power += float(np.dot(window, window))
        if found_here:
            way_s = float(np.median(found_here))
            first = round((LONGEST_WAY_S - way_s) * RATE_HZ)
            pieces.append(Piece(expected[first : first + len(came)], came))
            ways += found_here
    step_s = STEP / RATE_HZ
    return Comparison(
        beeps=len(rising) + len(falling),
        spoke=bool(_returns(rising, falling)),
        sent_dbov=decibels(loudest),
        voice_s=round(voiced * step_s, 2),
        found_s=round(windows * step_s, 2),
        found_share=round(windows / voiced, 3) if voiced else None,
        way_s=float(np.median(ways)) if ways else None,
        change_db=round(10 * math.log10(heard_power / sent_power), 1) if heard_power and sent_power else None,
        pieces=tuple(pieces),
    )


def _returns(rising: list[int], falling: list[int]) -> list[tuple[int, int]]:
    """Where the echo peer begins to say what it heard, and for how long it kept it, in samples."""
    if rising and not falling:
        return [(rising[0] + BEEP_SAMPLES, round(LIVE_LAG_S * SAMPLE_RATE_HZ))]
    places = []
    for place in falling:
        before = [other for other in rising if other < place]
        if before:
            places.append((place + BEEP_SAMPLES, place - before[-1]))
    return places


def _at_16_khz(samples: Samples) -> Samples:
    lower: Samples = np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ, RATE_HZ), dtype=np.float32)
    return lower


def _loudest_power(samples: Samples) -> float:
    """The power of the loudest tenth of a second."""
    size = RATE_HZ // 10
    whole = len(samples) // size * size
    if not whole:
        return 0.0
    return float((samples[:whole].reshape(-1, size).astype(np.float64) ** 2).mean(axis=1).max())


def _best(window: Samples, area: Samples) -> tuple[int, float]:
    """Where in the area the window fits best, and how well: 1 for a copy, however loud."""
    size = 1 << (len(area) + len(window)).bit_length()
    products = np.fft.irfft(np.fft.rfft(area, size) * np.conj(np.fft.rfft(window, size)), size)
    count = len(area) - len(window) + 1
    squares = np.concatenate(([0.0], np.cumsum(area.astype(np.float64) ** 2)))
    energies = squares[len(window) :] - squares[: -len(window)]
    energy = float(np.dot(window, window))
    if energy <= 0.0:
        return 0, 0.0
    # Where hardly anything was sent everything looks alike.
    least = max(float(energies.max()) * 1e-3, 1e-9)
    alike = products[:count] / np.sqrt(energy * np.maximum(energies, least))
    best = int(np.argmax(alike))
    return best, float(alike[best])
