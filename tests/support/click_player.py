"""A program that plays a click every `PERIOD_S`, counted in samples: when each is on the sound card is for a `ClickWitness` to say.

    python -m tests.support.click_player DEVICE

It prints a line as soon as it plays, and ends by SIGTERM. By the latency that a sound server tells it could place its clicks on the monotonic clock
itself, but for seconds after a stall, and on a loaded machine, that is up to 30 ms off.
"""

import sys
import threading
from typing import Any, Final

import numpy as np
import sounddevice

PERIOD_S: Final = 0.25
CLICK_SAMPLES: Final = 96
RATE_HZ: Final = 48_000


def _play(device: str) -> None:
    samples = np.arange(CLICK_SAMPLES)
    period = np.zeros(round(PERIOD_S * RATE_HZ), dtype=np.float32)
    period[:CLICK_SAMPLES] = 0.8 * np.sin(2 * np.pi * 1500 * samples / RATE_HZ) * np.hanning(CLICK_SAMPLES)
    played = 0

    def wanted(block: Any, frames: int, _times: Any, _status: Any) -> None:
        nonlocal played
        block[:, 0] = period[(played + np.arange(frames)) % len(period)]
        played += frames

    with sounddevice.OutputStream(
        device=device, samplerate=RATE_HZ, channels=1, dtype="float32", latency=0.02, callback=wanted
    ):
        sys.stdout.write("playing\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    _play(sys.argv[1])
