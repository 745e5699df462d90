"""Where the sound of a session's devices lies in the scenario's time, by the clocks that its `status` tells.

A `file:` microphone and a `wav:` loudspeaker run exactly with the monotonic clock from their start on, so one reading places all of a file.
"""

from pathlib import Path

import numpy as np
import soundfile

from blink_cli.core.api.replies.devices import Clocks
from blink_cli.files.reading import open_reading
from blink_cli.lab.envelopes import Samples


def input_start_s(clocks: Clocks) -> float | None:
    """Return when the microphone's first sample was captured, monotonic; None while it does not run."""
    return None if clocks.input_position_s is None else clocks.monotonic_s - clocks.input_position_s


def output_start_s(clocks: Clocks) -> float | None:
    """Return when the loudspeaker's first sample was played, monotonic; None while it does not run."""
    return None if clocks.output_position_s is None else clocks.monotonic_s - clocks.output_position_s


def read_heard(path: Path) -> Samples:
    """Read what a `wav:` device wrote; nothing if it was never used."""
    if not path.exists() or path.stat().st_size == 0:
        return np.zeros(0, np.float32)
    with open_reading(path) as file:
        frames, _ = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(frames[:, 0], np.float32)
