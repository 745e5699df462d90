"""A device that stands still while echo, noise and level are taken care of: what is sent stands where it was captured, whatever the chain holds back.

Bursts of noise, no two alike, say where they belong. All kinds of devices, virtual time.
"""

from collections.abc import Callable

import numpy as np
import pytest

from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.samples import Samples
from blink_cli.audio.source_track import SourceTrack
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings
from blink_cli.core.media.rtp import EncodedFrame
from tests.audio.manual_clock import ManualClock
from tests.audio.parts import PlainEncoder, StallingInput, SystemInput, sound_of

pytestmark = pytest.mark.no_clock

EVERYTHING = ProcessingSettings(EchoCancel.ON, NoiseSuppress.HIGH, auto_gain=True)

EVERY_S = 0.1
LONG_S = 0.03
AWAY_S = 0.005
WARM_UP_S = 1.5
AFTERWARDS_S = 1.5


class Bursts:
    """A `Sound` at one rate: burst k begins k * `EVERY_S` behind its beginning."""

    def __init__(self, rate_hz: int = 48_000) -> None:
        self.rate_hz = rate_hz
        self._period = round(EVERY_S * rate_hz)
        self._next = 0

    def burst(self, number: int) -> Samples:
        """One of them, at this rate, the same in every rate as far as voices go."""
        noise = np.random.default_rng(number).normal(0, 1.0, round(LONG_S * 8_000))
        grid = np.arange(round(LONG_S * self.rate_hz)) / self.rate_hz
        sound = np.interp(grid, np.arange(len(noise)) / 8_000, noise) * np.hanning(len(grid))
        return np.asarray(0.15 * sound, dtype=np.float32)

    def rewind(self) -> None:
        self._next = 0

    def next(self, count: int) -> Samples:
        sound = np.zeros(count, dtype=np.float32)
        first, last = self._next // self._period, (self._next + count) // self._period
        for number in range(first, last + 1):
            burst = self.burst(number)
            at = number * self._period - self._next
            start, end = max(0, at), min(count, at + len(burst))
            if start < end:
                sound[start:end] = burst[start - at : end - at]
        self._next += count
        return sound

    def skip(self, count: int) -> None:
        self._next += count

    def close(self) -> None:
        pass

    def channels(self) -> None:
        return None


Device = StallingInput | SystemInput

DEVICES: dict[str, Callable[[], Device]] = {
    "virtual, 200 ppm fast": lambda: StallingInput("bursts", Bursts(), drift_ppm=200.0),
    "ten callbacks together each 50 ms": lambda: SystemInput(Bursts(), together=10),
    "8 kHz": lambda: SystemInput(Bursts(8_000), rate_hz=8_000, callback_frames=80),
    "44.1 kHz, 8 channels": lambda: SystemInput(
        Bursts(44_100), rate_hz=44_100, channels=8, callback_frames=256
    ),
    "96 kHz, says 30 ms of latency, give or take 5": lambda: SystemInput(
        Bursts(96_000), rate_hz=96_000, callback_frames=480, latency_s=0.03, latency_noise_s=0.005
    ),
}


def sent(frames: list[EncodedFrame]) -> Samples:
    """What was sent, by RTP time."""
    sound = np.zeros(frames[-1].timestamp + 960, dtype=np.float32)
    for frame in frames:
        sound[frame.timestamp : frame.timestamp + frame.duration_samples] = sound_of(frame)
    return sound


def places_s(frames: list[EncodedFrame], until_s: float) -> dict[int, float]:
    """Where each burst that was sent stands, less where it was captured; by its number."""
    sound = sent(frames)
    found = {}
    for number in range(1, int(until_s / EVERY_S)):
        burst = Bursts().burst(number)
        at = round(number * EVERY_S * 48_000)
        window = sound[max(0, at - 2_000) : at + len(burst) + 2_000]
        if len(window) <= len(burst) or float(np.abs(window).max()) < 0.01:
            continue
        likeness = np.correlate(window, burst, mode="valid")
        energies = np.convolve(window**2, np.ones(len(burst)), mode="valid") * float(np.dot(burst, burst))
        likeness /= np.sqrt(np.maximum(energies, 1e-6))
        if float(likeness.max()) > 0.5:
            found[number] = (max(0, at - 2_000) + int(likeness.argmax()) - at) / 48_000
    return found


@pytest.mark.parametrize(("stall_s", "held_back"), [(0.05, 1.0), (0.16, 1.0), (0.4, 0.5), (10.0, 0.0)])
@pytest.mark.parametrize("kind", DEVICES)
def test_what_is_sent_stands_where_it_was_captured(kind: str, stall_s: float, held_back: float) -> None:
    device = DEVICES[kind]()
    clock = ManualClock()
    frames: list[EncodedFrame] = []
    left_s: list[float] = []
    start_s = clock.now_s()

    def take(frame: EncodedFrame) -> None:
        frames.append(frame)
        assert frame.captured_at is not None
        left_s.append(clock.now_s() - frame.captured_at)

    chain = CaptureChain(FarReference(), EVERYTHING)
    track = SourceTrack(device, PlainEncoder(), take, first_timestamp=0, chain=chain, clock=clock)
    track.start()
    try:
        clock.advance(WARM_UP_S)
        device.stand_still(clock.now_s(), stall_s, held_back)
        clock.advance(stall_s + AFTERWARDS_S)
        end_s = clock.now_s() - start_s
    finally:
        clock.release()
        track.stop()

    found = places_s(frames, end_s - 0.1)
    usual_s = float(np.median([at for number, at in found.items() if number * EVERY_S < WARM_UP_S]))
    assert len(found) >= 20, found
    assert max(abs(at - usual_s) for at in found.values()) < AWAY_S, found
    behind = [number for number in found if number * EVERY_S > WARM_UP_S + stall_s]
    assert len(behind) >= 11, "what is said after it is heard"
    # The account of each frame agrees with its RTP time.
    apart_s = np.array([(one.captured_at or 0.0) - start_s - one.timestamp / 48_000 for one in frames])
    assert float(np.ptp(apart_s)) < AWAY_S
    assert max(left_s[-20:]) < max(left_s[:60]) + 0.011, "nobody waits longer afterwards"
    assert track.statistics(0.0).reading.failure is None
    assert chain.figures().unavailable == ()
