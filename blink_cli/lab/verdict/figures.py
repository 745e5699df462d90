"""The figures of one voice at one listener, from what an engine saw. Each can be asked of a part of the time.

Sound tells of PESQ, delay, level, gaps and whether somebody was heard; the line tells of loss and bit rate; the listener's own counters tell of
concealment, late packets, jitter and round trip, which nobody else knows.
"""

import bisect
import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import soxr

from blink_cli.core.analysis.e_model import estimate
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.expectation.expectation import Expectation, Window
from blink_cli.core.expectation.judgement import Measured, of_series
from blink_cli.lab.envelopes import Samples
from blink_cli.lab.scenario.observation import Observation, PairObservation, PictureReading, Reading, Span
from blink_cli.lab.verdict.speech import (
    FRAME_S,
    active,
    gate,
    levels,
    stretches,
    wider,
    without,
)
from blink_cli.lab.voice_metrics import RATE_HZ, pesq_wideband, spoken_windows

LEAST_JUDGED_S: Final = 1.0
"""Of speech: PESQ of less is chance."""

ECHO_OF_OTHERS_S: Final = 0.45
"""For so long behind another's word it may still be heard in a mix."""

OTHERS_SOONER_S: Final = 0.1
"""Another's word may be heard so much sooner than ours: its delay is less."""

LINK_S: Final = 0.1
"""One end of a link may stand so much earlier than the other; and what is said right before it ends is not heard any more."""

EDGE_S: Final = 0.05

TALKING_KNOWN_S: Final = 2.0
"""Who is not told to talk so long after a word is not told at all."""

ALIKE_MS: Final = 60.0
"""So much does the delay of two windows beside each other differ at most: a playout that makes up for a freeze gains 33 ms in a tenth of a second."""

SILENT_RMS: Final = 10 ** (-65 / 20)
LOUD_RMS: Final = 10 ** (-40 / 20)
GAP_FRAMES: Final = 4

ALL: Final = Window()
"""All of the time."""

Series = list[tuple[float, float]]
"""Moments in s, with a value each."""


class PairFigures:
    """Computed when asked for, once."""

    def __init__(self, seen: Observation, pair: PairObservation) -> None:
        self.pair = pair
        self._seen = seen
        self._microphone = seen.microphones[pair.speaker]
        self._audible = self._audible_spans()
        self._scores: dict[Window, float | None] = {}
        """Each takes a second of a processor."""

    def _audible_spans(self) -> list[Span]:
        """When this voice should be heard, and can be told from others."""
        linked = [(start_s + LINK_S, end_s - LINK_S) for start_s, end_s in self.pair.connected]
        spans = without(linked, self._seen.silenced[self.pair.speaker])
        if self._seen.mixed:
            for name, sound in self._seen.microphones.items():
                if name not in (self.pair.speaker, self.pair.listener):
                    spans = without(spans, wider(stretches(active(sound)), OTHERS_SOONER_S, ECHO_OF_OTHERS_S))
        return spans

    @cached_property
    def _edges(self) -> list[Span]:
        """Where a mute or a link begins or ends, to a frame or so: what is heard there says nothing of quality."""
        mutes = [moment for span in self._seen.silenced[self.pair.speaker] for moment in span]
        around = [(moment - EDGE_S, moment + 2 * EDGE_S) for moment in mutes]
        for start_s, end_s in self.pair.connected:
            around += [(start_s - LINK_S, start_s + LINK_S), (end_s - LINK_S, end_s + LINK_S)]
        return around

    # sound

    @cached_property
    def said(self) -> Samples:
        """What should have been heard, 48 kHz."""
        return self._microphone * gate(self._audible, len(self._microphone))

    @cached_property
    def windows(self) -> list[tuple[float, float | None]]:
        """Every window of what the microphone heard, muted or not: when, and how many ms later it was heard; None if it was not.

        One that is found where none of those beside it is was taken for another: vowels are alike.
        """
        found = spoken_windows(_at_16_khz(self._microphone), _at_16_khz(self.pair.heard))
        delays = {round(10 * at_s): delay_ms for at_s, delay_ms in found}
        return [
            (at_s, delay_ms if delay_ms is not None and _is_confirmed(delays, round(10 * at_s)) else None)
            for at_s, delay_ms in found
        ]

    @cached_property
    def delay(self) -> Series:
        """From mouth to ear, in s."""
        return [
            (at_s, delay_ms / 1000)
            for at_s, delay_ms in self.windows
            if delay_ms is not None and _within(self._audible, at_s)
        ]

    @cached_property
    def level(self) -> Series:
        """How loud the windows that were found again are heard, in dBFS."""
        found: Series = []
        for at_s, delay_s in self.delay:
            first = round((at_s + delay_s) * SAMPLE_RATE_HZ)
            window = self.pair.heard[first : first + round(0.4 * SAMPLE_RATE_HZ)].astype(np.float64)
            power = float(np.mean(window**2)) if len(window) else 0.0
            if power > 0:
                found.append((at_s, 10 * float(np.log10(power))))
        return found

    def pesq(self, window: Window = ALL) -> float | None:
        """PESQ-WB of what was heard against what was said; None of too little speech, or of a voice that is never alone."""
        if window not in self._scores:
            self._scores[window] = self._score(window)
        return self._scores[window]

    def _score(self, window: Window) -> float | None:
        start = round((window.start_s or 0.0) * SAMPLE_RATE_HZ)
        end = len(self.said) if window.end_s is None else round(window.end_s * SAMPLE_RATE_HZ)
        judged = without(self._audible, self._edges)
        said = (self._microphone * gate(judged, len(self._microphone)))[start:end]
        if float(np.sum(active(said))) * FRAME_S < LEAST_JUDGED_S:
            return None
        delays = [delay_s for at_s, delay_s in self.delay if window.holds(at_s)]
        late = round(statistics.median(delays) * SAMPLE_RATE_HZ) if delays else 0
        came = self.pair.heard
        # What is heard of it comes later than it was said. In a mix the others' words are taken out.
        if self._seen.mixed:
            came = came * gate(self._later(judged), len(came))
        else:
            came = came * (1.0 - gate(self._later(self._edges), len(came)))
        came = came[start + late : end + late]
        came = np.pad(came, (0, len(said) - len(came)))
        return pesq_wideband(_at_16_khz(said), _at_16_khz(came))

    def _later(self, spans: list[Span]) -> list[Span]:
        """Return when what was said in these spans was heard."""
        return [
            (start_s + self._delay_at(start_s), end_s + self._delay_at(end_s)) for start_s, end_s in spans
        ]

    def _delay_at(self, at_s: float) -> float:
        """Return the delay of the window that is nearest to a moment; 0 where nothing was found."""
        return min(self.delay, key=lambda one: abs(one[0] - at_s), default=(0.0, 0.0))[1]

    def gaps(self, window: Window = ALL) -> list[Span]:
        """Stretches of 40 ms and more that were silent where there should have been a voice."""
        if not self.delay:
            return []
        late = round(statistics.median(delay_s for _, delay_s in self.delay) / FRAME_S)
        loud = levels(self.said) > LOUD_RMS
        silent = levels(self.pair.heard)[late:] < SILENT_RMS
        count = min(len(loud), len(silent))
        places = np.flatnonzero(loud[:count] & silent[:count])
        groups = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if len(places) else []
        spans = [
            (float(group[0]) * FRAME_S, float(group[-1] + 1) * FRAME_S)
            for group in groups
            if len(group) >= GAP_FRAMES
        ]
        return [span for span in spans if window.holds(span[0])]

    def heard(self, window: Window = ALL) -> Measured:
        """After how many seconds a voice that spoke came through; False if it did not, None if nothing was said."""
        spoken = [(at_s, delay_ms) for at_s, delay_ms in self.windows if window.holds(at_s)]
        if not spoken:
            return None
        first_s = spoken[0][0]
        found = next(((at_s, delay_ms) for at_s, delay_ms in spoken if delay_ms is not None), None)
        return False if found is None else found[0] + (found[1] or 0.0) / 1000 - first_s

    # talking

    def talking(self, window: Window = ALL) -> Measured:
        """After how many seconds, at most, the listener was told that this one talks.

        False if it was not told of a word; of somebody who says nothing, whether it was told all the same. None while there was no link.
        """
        first_s, last_s = window.start_s or 0.0, math.inf if window.end_s is None else window.end_s
        if not any(start_s < last_s and end_s > first_s for start_s, end_s in self.pair.connected):
            return None
        onsets = [
            start_s
            for start_s, end_s in stretches(active(self.said))
            if window.holds(start_s) and _within(self._audible, start_s + FRAME_S) and end_s - start_s > 0.2
        ]
        if not onsets:
            told = any(on and window.holds(at_s) for at_s, on in self.pair.talking)
            return told or self._talks_at(first_s)
        waits = [self._told_after(onset) for onset in onsets]
        late = [wait for wait in waits if wait is None or wait > TALKING_KNOWN_S]
        return False if late else max(wait for wait in waits if wait is not None)

    def _talks_at(self, at_s: float) -> bool:
        before = [on for told_s, on in self.pair.talking if told_s <= at_s]
        return bool(before) and before[-1]

    def _told_after(self, onset_s: float) -> float | None:
        if self._talks_at(onset_s):
            return 0.0
        return next((at_s - onset_s for at_s, on in self.pair.talking if on and at_s >= onset_s), None)

    # packets

    def packets(self, window: Window = ALL) -> tuple[int, int]:
        """How many packets were given to the line, and how many of them never came out."""
        first, last = self._packet_range(window)
        arrived = self.pair.arrived[first:last]
        return len(arrived), len(arrived) - sum(arrived)

    def bitrate_bps(self, window: Window = ALL) -> float | None:
        """Payload bits a second, copies included, while there was a link."""
        first, last = self._packet_range(window)
        times = self.pair.sent_at[first:last]
        if len(times) < 2:
            return None
        return 8 * sum(self.pair.sent_bytes[first : last - 1]) / (times[-1] - times[0])

    def _packet_range(self, window: Window) -> tuple[int, int]:
        times = self.pair.sent_at
        first = 0 if window.start_s is None else bisect.bisect_left(times, window.start_s)
        last = len(times) if window.end_s is None else bisect.bisect_left(times, window.end_s)
        return first, max(first, last)

    # the listener's counters

    def share(self, name: str, of: str, window: Window = ALL) -> float | None:
        """How much of one counter there is of another; None before anything is counted."""
        whole = self.counted(of, window)
        return None if whole == 0 else self.counted(name, window) / whole

    def counted(self, name: str, window: Window = ALL) -> float:
        """How much a counter of the listener's grew; of pictures it is named `pictures.frames_decoded`."""
        return _grown(self.pair.readings, name, window)

    def series(self, name: str) -> Series:
        """Return the readings of a gauge, in s."""
        return [
            (reading.at_s, value)
            for reading in self.pair.readings
            if (value := getattr(reading, name)) is not None
        ]

    def mos(self, window: Window = ALL) -> float | None:
        """What the E-model makes of concealment and delay."""
        delays = [delay_s for at_s, delay_s in self.delay if window.holds(at_s)]
        concealed = self.share("concealed_samples", "total_samples", window)
        if not delays or concealed is None:
            return None
        return estimate(
            lost_share=concealed, burst_ratio=1.0, one_way_delay_ms=1000 * statistics.median(delays)
        ).mos

    # pictures

    @cached_property
    def shown_spans(self) -> list[Span]:
        """When pictures should have come: the camera was on, and there was a link."""
        on = self._seen.cameras[self.pair.speaker]
        return [
            (max(start_s, first_s), min(end_s, last_s))
            for start_s, end_s in on
            for first_s, last_s in self.pair.connected
            if max(start_s, first_s) < min(end_s, last_s)
        ]

    def shown_s(self, window: Window = ALL) -> float:
        """For how long pictures should have come."""
        first_s, last_s = window.start_s or 0.0, math.inf if window.end_s is None else window.end_s
        return sum(
            max(min(end_s, last_s) - max(start_s, first_s), 0.0) for start_s, end_s in self.shown_spans
        )

    @property
    def frames_sent(self) -> float:
        """How many pictures went to the listener, by the speaker's own counters."""
        back = next(
            one
            for one in self._seen.pairs
            if (one.speaker, one.listener) == (self.pair.listener, self.pair.speaker)
        )
        return _grown(back.readings, "pictures.frames_sent", ALL)

    def picture_rate(self, name: str, window: Window = ALL) -> float | None:
        """How much a counter of pictures grew in a second; None where none should have come."""
        over_s = self.shown_s(window)
        if over_s <= 0:
            return None
        last_s = max(end_s for _, end_s in self.shown_spans)
        shown = Window(window.start_s, last_s if window.end_s is None else min(window.end_s, last_s))
        return self.counted(f"pictures.{name}", shown) / over_s

    @property
    def last_pictures(self) -> PictureReading:
        """The last reading."""
        return self.pair.readings[-1].pictures if self.pair.readings else PictureReading()

    def picture_bps(self, window: Window = ALL) -> float | None:
        """Bits a second of payloads, of what came."""
        bytes_s = self.picture_rate("bytes_received", window)
        return None if bytes_s is None else 8 * bytes_s

    @property
    def picture_delay(self) -> Series:
        """From camera to screen, in s, of each picture that was shown."""
        return [(one.at_s, one.delay_s) for one in self.pair.pictures]

    @property
    def ssim(self) -> Series:
        """Of the pictures that were held against what the camera saw."""
        return [(one.at_s, one.likeness[0]) for one in self.pair.pictures if one.likeness is not None]

    @property
    def psnr_db(self) -> Series:
        """Likewise."""
        return [(one.at_s, one.likeness[1]) for one in self.pair.pictures if one.likeness is not None]

    # what is expected

    def measured(self, expectation: Expectation) -> Measured:
        """Return what an expectation asks for."""
        name, window = expectation.figure.name, expectation.window
        if expectation.figure.is_series:
            values = [value for at_s, value in _SERIES[name](self) if window.holds(at_s)]
            return of_series(values, expectation.statistic)
        return _MEASURES[name](self, window)

    def loss(self, window: Window = ALL) -> float | None:
        """Share of packets that never came out of the line; None if none was sent."""
        sent, lost = self.packets(window)
        return lost / sent if sent else None


_SERIES: Final[dict[str, Callable[[PairFigures], Series]]] = {
    "delay": lambda figures: figures.delay,
    "level": lambda figures: figures.level,
    "jitter": lambda figures: figures.series("jitter_s"),
    "rtt": lambda figures: figures.series("rtt_s"),
    "picture_delay": lambda figures: figures.picture_delay,
    "ssim": lambda figures: figures.ssim,
    "psnr": lambda figures: figures.psnr_db,
}

_MEASURES: Final[dict[str, Callable[[PairFigures, Window], Measured]]] = {
    "pesq": PairFigures.pesq,
    "mos": PairFigures.mos,
    "loss": PairFigures.loss,
    "late": lambda figures, window: figures.share("packets_discarded", "packets_received", window),
    "recovered": lambda figures, window: figures.share("packets_recovered", "packets_received", window),
    "concealed": lambda figures, window: figures.share("concealed_samples", "total_samples", window),
    "bitrate": PairFigures.bitrate_bps,
    "gaps": lambda figures, window: float(len(figures.gaps(window))) if figures.delay else None,
    "frames": lambda figures, window: figures.counted("pictures.frames_decoded", window),
    "frames_dropped": lambda figures, window: figures.counted("pictures.frames_dropped", window),
    "frozen": lambda figures, window: figures.counted("pictures.total_freezes_s", window),
    "picture_bitrate": PairFigures.picture_bps,
    "heard": PairFigures.heard,
    "talking": PairFigures.talking,
}
"""Every figure of pairs in the vocabulary that is no series."""


def _grown(readings: Sequence[Reading], name: str, window: Window) -> float:
    value_of = operator.attrgetter(name)
    total, last = 0.0, 0.0
    for reading in readings:
        value = value_of(reading)
        if window.holds(reading.at_s):
            # A session that was started again counts anew.
            total += value - last if value >= last else value
        last = value
    return total


def _is_confirmed(delays: Mapping[int, float | None], place: int) -> bool:
    """Tell whether a window beside this one, a tenth of a second away, is heard as late."""
    own = delays[place]
    beside = (delays.get(place - 1), delays.get(place + 1))
    return own is not None and any(other is not None and abs(other - own) <= ALIKE_MS for other in beside)


def _within(spans: list[Span], at_s: float) -> bool:
    return any(start_s <= at_s < end_s for start_s, end_s in spans)


def _at_16_khz(samples: Samples) -> Samples:
    return np.asarray(soxr.resample(samples, SAMPLE_RATE_HZ, RATE_HZ), np.float32)
