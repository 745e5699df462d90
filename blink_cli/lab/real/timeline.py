"""Where the sound of a session's devices lies in the scenario's time, by the clocks that its `status` tells.

A `file:` microphone and a `wav:` loudspeaker run exactly with the monotonic clock from their start on, so one reading places all of a file.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from blink_cli.core.api.replies import Clocks
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.files.reading import open_reading
from blink_cli.lab.envelopes import Samples


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece of sound from a moment on, in seconds of the scenario; a later piece takes the place of the rest of an earlier one."""

    start_s: float
    sound: Samples


def input_start_s(clocks: Clocks) -> float | None:
    """Return when the microphone's first sample was captured, monotonic; None while it does not run."""
    return None if clocks.input_position_s is None else clocks.monotonic_s - clocks.input_position_s


def output_start_s(clocks: Clocks) -> float | None:
    """Return when the loudspeaker's first sample was played, monotonic; None while it does not run."""
    return None if clocks.output_position_s is None else clocks.monotonic_s - clocks.output_position_s


def laid(pieces: list[Placed], total: int) -> Samples:
    """Return the pieces in their places, so many samples from the scenario's second 0 on; where there is none it is silent."""
    sound = np.zeros(total, np.float32)
    for piece in sorted(pieces, key=lambda one: one.start_s):
        first = round(piece.start_s * SAMPLE_RATE_HZ)
        part = piece.sound[max(-first, 0) :]
        start = max(first, 0)
        sound[start : start + len(part)] = part[: max(total - start, 0)]
    return sound


def read_heard(path: Path) -> Samples:
    """Read what a `wav:` device wrote; nothing if it was never used."""
    if not path.exists() or path.stat().st_size == 0:
        return np.zeros(0, np.float32)
    with open_reading(path) as file:
        frames, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(frames[:, 0], np.float32)
