"""What a session hears becomes what it says: the devices of an echo peer.

    playout thread ──> EchoEar ──> HeardSound, the last seconds by the moment at which they were heard ──> EchoVoice ──> capture thread

In turns (`echo:10`): a rising beep, then it listens; a falling beep, then it says what it heard while it listened; and again. So nobody's loudspeaker
can feed his microphone through it. At once (`echo:live`): one rising beep, and from then on everything comes back.

Where the parts lie is known to the sample: what was heard p seconds after the end of the rising beep is said p seconds after the end of the falling one.
The caller, who hears both beeps, learns from that how long sound is under way there and back (`audio/echo/comparison.py`).
"""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

import numpy as np
from typing_extensions import override

from blink_cli.audio.devices.echo_beeps import BEEP_SAMPLES, LISTENING, SPEAKING
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.devices.virtual_output import VirtualOutput
from blink_cli.core.api.device_name import ECHO_LONGEST_S
from blink_cli.core.audio_format import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from blink_cli.audio.channel_reading import ChannelReading
    from blink_cli.audio.samples import Samples

LIVE_LAG_S: Final = 0.02
"""Between hearing and saying, at once: two ticks, so that what is heard is always there."""

LEAD_SAMPLES: Final = SAMPLE_RATE_HZ
"""Of silence before the first beep: the other end's link may stand a moment later, and the first sound of a stream meets an untried buffer."""

KEPT_S: Final = 2 * ECHO_LONGEST_S + 5.0
"""A stretch is read while the next seconds are heard."""


class HeardSound:
    """The last seconds of what was heard. One thread writes, one reads, without a lock: samples are in place before the count moves."""

    def __init__(self, seconds: float = KEPT_S) -> None:
        self._size = round(seconds * SAMPLE_RATE_HZ)
        self._samples: Samples = np.zeros(0, dtype=np.float32)
        self._began_at = 0.0
        self._written = 0

    def begin(self, at_s: float) -> None:
        """Forget everything; sample 0 is heard at `at_s`. Not while another thread reads."""
        self._samples = _borrowed(self._size)
        self._written = 0
        self._began_at = at_s

    def write(self, samples: Samples) -> None:
        """Add what is heard next."""
        first = self._written % self._size
        count = min(len(samples), self._size - first)
        self._samples[first : first + count] = samples[:count]
        self._samples[: len(samples) - count] = samples[count:]
        self._written += len(samples)

    def between(self, at_s: float, count: int) -> Samples:
        """Return `count` samples that were heard from `at_s` on; zeros where nothing was, or is not any more."""
        sound = np.zeros(count, dtype=np.float32)
        first = round((at_s - self._began_at) * SAMPLE_RATE_HZ)
        kept_from, kept_until = max(0, self._written - self._size + SAMPLE_RATE_HZ), self._written
        start, end = max(first, kept_from), min(first + count, kept_until)
        if start < end:
            sound[start - first : end - first] = self._samples.take(np.arange(start, end), mode="wrap")
        return sound


def _borrowed(count: int) -> Samples:
    """Return zeros that are the system's: it gives a page when it is written to, and has all of them back with the last view of them.

    What is as large and taken anew for each call must not come from the heap: once one such piece was given back, glibc keeps the next ones
    (its threshold for mmap grows up to 32 MB), so that an echo peer grew by 5 MB a call.
    """
    return np.frombuffer(mmap.mmap(-1, count * np.dtype(np.float32).itemsize), dtype=np.float32)


class _Listener:
    """Implements `virtual_output.Listener` by keeping what it hears."""

    heard_before = 0
    dropped_samples = 0
    failure: str | None = None

    def __init__(self, heard: HeardSound) -> None:
        self._heard = heard

    def begin(self) -> None:
        """The device says when."""

    def hear(self, samples: Samples) -> None:
        """Keep it."""
        self._heard.write(samples)

    def hear_nothing(self, count: int) -> None:
        """Keep as much silence."""
        self._heard.write(np.zeros(count, dtype=np.float32))

    def end(self) -> None:
        """What was heard may still be said."""


class EchoEar(VirtualOutput):
    """The output `echo`."""

    def __init__(self, heard: HeardSound) -> None:
        super().__init__("echo", _Listener(heard))
        self._heard = heard

    @override
    def start(self, now_s: float) -> None:
        """Hear from `now_s` on."""
        self._heard.begin(now_s)
        super().start(now_s)


class EchoVoice:
    """Implements `virtual_input.Sound`: beeps, silence, and what was heard. Used by the capture thread."""

    def __init__(self, heard: HeardSound, stretch_s: float | None) -> None:
        self._heard = heard
        self._stretch = 0 if stretch_s is None else round(stretch_s * SAMPLE_RATE_HZ)
        self._next = 0
        self.started_at = 0.0
        """When sample 0 is said."""

    def rewind(self) -> None:
        """Begin with a beep."""
        self._next = 0

    def next(self, count: int) -> Samples:
        """Return what is said next."""
        parts: list[Samples] = []
        while count:
            part = self._part(count)
            parts.append(part)
            count -= len(part)
            self._next += len(part)
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)

    def skip(self, count: int) -> None:
        """Say nothing of the next samples."""
        self._next += count

    def close(self) -> None:
        """Nothing is open."""

    def channels(self) -> ChannelReading | None:
        """It has but one."""
        return None

    def _part(self, most: int) -> Samples:  # noqa: PLR0911 - one row for each part of a turn
        """Return the next samples, at most `most`, all of the same kind."""
        since = self._next - LEAD_SAMPLES
        if since < 0:
            return np.zeros(min(most, -since), dtype=np.float32)
        if not self._stretch:
            if since < BEEP_SAMPLES:
                return LISTENING[since : since + most]
            return self._heard.between(self._at(self._next) - LIVE_LAG_S, most)
        turn = since % (2 * (BEEP_SAMPLES + self._stretch))
        turn_began = self._next - turn
        half = BEEP_SAMPLES + self._stretch
        if turn < BEEP_SAMPLES:
            return LISTENING[turn : turn + most]
        if turn < half:
            return np.zeros(min(most, half - turn), dtype=np.float32)
        if turn < half + BEEP_SAMPLES:
            return SPEAKING[turn - half : turn - half + most]
        behind = turn - half - BEEP_SAMPLES
        heard_at = self._at(turn_began + BEEP_SAMPLES + behind)
        return self._heard.between(heard_at, min(most, self._stretch - behind))

    def _at(self, sample: int) -> float:
        return self.started_at + sample / SAMPLE_RATE_HZ


class EchoMicrophone(VirtualInput):
    """The input `echo:`."""

    def __init__(self, name: str, voice: EchoVoice) -> None:
        super().__init__(name, voice)
        self._voice = voice

    @override
    def start(self, now_s: float) -> None:
        """Speak from `now_s` on."""
        self._voice.started_at = now_s
        super().start(now_s)


class EchoLoop:
    """The devices of one session that belong together."""

    def __init__(self) -> None:
        self._heard = HeardSound()

    @property
    def ear(self) -> EchoEar:
        """Its output."""
        return EchoEar(self._heard)

    def microphone(self, name: str, stretch_s: float | None) -> EchoMicrophone:
        """Return its input, which says what the ear hears in stretches so long, or at once."""
        return EchoMicrophone(name, EchoVoice(self._heard, stretch_s))
