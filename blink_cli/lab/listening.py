"""What a session heard, put beside what another said, by the clocks in `status`.

`clocks` says which second of the input was captured, and which second of the output was played, at one reading of the
machine's monotonic clock. Two readings so place two files on one time axis, to the millisecond.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.lab.envelopes import Heard, Samples, hear
from blink_cli.lab.voices import loop_slice, read_mono


@dataclass(frozen=True, slots=True)
class Clocks:
    """One reading. Positions are seconds since the device's first sample."""

    monotonic_s: float
    input_position_s: float | None
    output_position_s: float | None

    @classmethod
    def of(cls, status: Any) -> Self:
        """Take them from a `status --json` document."""
        clocks = status["clocks"]
        return cls(clocks["monotonic_s"], clocks["input_position_s"], clocks["output_position_s"])

    def input_at(self, monotonic_s: float) -> float:
        """Return the second of the input that was captured at a time."""
        assert self.input_position_s is not None, "the input does not run"
        return self.input_position_s + monotonic_s - self.monotonic_s

    def output_at(self, monotonic_s: float) -> float:
        """Return the second of the output that was played at a time."""
        assert self.output_position_s is not None, "the output does not run"
        return self.output_position_s + monotonic_s - self.monotonic_s


@dataclass(frozen=True, slots=True)
class Speaker:
    """Someone's microphone: a file that loops, and where it stood."""

    clocks: Clocks
    said: Samples

    def between(self, start_s: float, duration_s: float) -> Samples:
        """Return what was said during some seconds of the monotonic clock."""
        return loop_slice(self.said, self.clocks.input_at(start_s), duration_s)


@dataclass(frozen=True, slots=True)
class Listener:
    """Someone's speaker: what was written, and where it stood."""

    clocks: Clocks
    heard: Samples

    @classmethod
    def of(cls, status: Any, path: Path) -> Self:
        """Take a session's `wav:` file, once the session has ended or left that device."""
        return cls(Clocks.of(status), read_mono(path))

    def between(self, start_s: float, duration_s: float) -> Samples:
        """Return what was heard during some seconds of the monotonic clock; what is not in the file is silence."""
        first = round(self.clocks.output_at(start_s) * SAMPLE_RATE_HZ)
        wanted = np.zeros(round(duration_s * SAMPLE_RATE_HZ), np.float32)
        source = self.heard[max(first, 0) : max(first + len(wanted), 0)]
        wanted[max(-first, 0) : max(-first, 0) + len(source)] = source
        return wanted


def who_is_heard(
    listener: Listener,
    speakers: dict[str, Speaker],
    start_s: float,
    duration_s: float,
    *,
    max_delay_s: float = 0.5,
) -> dict[str, Heard]:
    """Compare what a listener heard during some seconds with what each speaker said."""
    return hear(
        listener.between(start_s, duration_s),
        {
            name: speaker.between(start_s - max_delay_s, duration_s + max_delay_s)
            for name, speaker in speakers.items()
        },
        max_delay_s=max_delay_s,
    )
