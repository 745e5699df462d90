"""The door to the library: what passes it, what it refuses, and how late each filter is."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from blink_cli.audio.processing.echo import CANCELLER_DELAY_SAMPLES
from blink_cli.audio.processing.noise import NOISE_DELAY_SAMPLES
from blink_cli.audio.processing.webrtc import (
    UnfitBlockError,
    WebrtcEchoCanceller,
    WebrtcGainController,
    WebrtcNoiseSuppressor,
)
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK

pytestmark = pytest.mark.no_clock

NOISE = (np.random.default_rng(1).standard_normal(48_000) * 0.05).astype(np.float32)


def lag(process: Callable[[Samples], Samples]) -> int:
    """By how many samples what comes out lies behind what went in."""
    out = np.concatenate([process(NOISE[at : at + 480]) for at in range(0, 48_000, 480)])
    agreement = np.fft.irfft(np.fft.rfft(out) * np.fft.rfft(NOISE).conj())
    return int(np.abs(agreement).argmax())


def test_each_filter_is_as_late_as_the_chain_reckons() -> None:
    canceller, suppressor = WebrtcEchoCanceller(), WebrtcNoiseSuppressor(1)
    assert lag(lambda block: canceller.process(block, SILENT_BLOCK)) == CANCELLER_DELAY_SAMPLES
    assert lag(suppressor.process) == NOISE_DELAY_SAMPLES
    assert lag(WebrtcGainController(10.0, -50.0).process) == 0


@pytest.mark.parametrize(
    "block",
    [
        np.zeros(479, np.float32),
        np.zeros(960, np.float32),
        np.zeros((480, 1), np.float32),
        np.zeros(480, np.float64),
        np.zeros(480, np.int16),
        np.full(480, np.nan, np.float32),
        np.full(480, np.inf, np.float32),
        np.full(480, 1e9, np.float32),
    ],
    ids=["short", "long", "two dimensions", "float64", "int16", "not a number", "infinite", "far too loud"],
)
def test_what_would_spoil_the_library_is_refused(block: Samples) -> None:
    canceller = WebrtcEchoCanceller()
    with pytest.raises(UnfitBlockError):
        canceller.process(block, SILENT_BLOCK)
    with pytest.raises(UnfitBlockError):
        canceller.process(SILENT_BLOCK, block)
    assert np.isfinite(canceller.process(SILENT_BLOCK, SILENT_BLOCK)).all()


def test_silence_behind_a_voice_costs_no_more_than_the_voice() -> None:
    """Left to itself the library takes ten times as long, in numbers too small for the processor, once exact zeros follow sound."""
    canceller = WebrtcEchoCanceller()

    def cheapest_s(far: Samples) -> float:
        costs = []
        for at in range(0, 48_000, 480):
            began_s = time.thread_time()
            canceller.process(NOISE[at : at + 480], far)
            costs.append(time.thread_time() - began_s)
        return min(costs)

    sounding_s = cheapest_s(NOISE[4800:5280])
    for _ in range(5):
        silent_s = cheapest_s(SILENT_BLOCK)
    assert silent_s < 3.0 * sounding_s
