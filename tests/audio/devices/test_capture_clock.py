"""The clock of a microphone whose callbacks come at bad times, against the truth: a thread that gets no processor."""

import random

import numpy as np
import pytest

from blink_cli.audio.devices.capture_clock import ON_TIME_S, CaptureClock
from blink_cli.audio.source_track import OUT_OF_PLACE_S

pytestmark = pytest.mark.no_clock

RATE_HZ = 48_000
PERIOD_FRAMES = 240
MOST_FRAMES = 959
"""What a plugin of ALSA hands over at once."""

STARVED_S = 15.0
CALM_S = 1.0
PAUSES_S = (0.005, 0.01, 0.03, 0.06, 0.12, 0.3)


class Microphone:
    """Frame `n` is captured at `n` / 48 kHz, and none is lost; the system says truly how old the oldest frame is that waits."""

    def __init__(self, seed: int) -> None:
        self.clock = CaptureClock(RATE_HZ)
        self.random = random.Random(seed)
        self.starved = 0.0
        """How probable it is that the thread is stopped between two pieces."""

        self.now_s = 0.0
        self.read = 0
        self.off_s: list[float] = []
        self.early_s = 0.0
        """How much earlier than its capture a frame came, at worst: no frame does."""

        self.tells_latency = True
        self.placed = 0
        self.until_s = 0.0
        self.stream_s = 0.0
        """How long a stream is that has every frame at its place, as far as the clock tells the places: dropped where its time is over, with
        a gap where it is missing."""

    def true_s(self, frame: int) -> float:
        return frame / RATE_HZ

    def wake(self, after_s: float) -> None:
        """Let time pass, then take all that waits, a piece at a time."""
        self.now_s += after_s
        while True:
            waiting = int((self.now_s - self.true_s(self.read)) * RATE_HZ) // PERIOD_FRAMES * PERIOD_FRAMES
            if waiting <= 0:
                return
            frames = min(waiting, MOST_FRAMES)
            told_s = self.now_s - self.true_s(self.read) + self.random.uniform(-0.0005, 0.0005)
            before = self.clock.released
            self.read += frames
            self.clock.observe(self.read, frames, self.now_s, told_s if self.tells_latency else None)
            for frame in range(before, self.clock.released, PERIOD_FRAMES):
                said_s = self.clock.captured_at(frame)
                self.off_s.append(said_s - self.true_s(frame))
                self.early_s = max(self.early_s, said_s - self.now_s)
            self.place()
            self.now_s += self.random.choice(PAUSES_S) if self.random.random() < self.starved else 0.0001

    def place(self) -> None:
        """Put into the stream what was released."""
        while self.placed < self.clock.released:
            following = self.clock.break_behind(self.placed)
            frames = min(self.clock.released, following or self.clock.released) - self.placed
            at_s = self.clock.captured_at(self.placed)
            if self.placed == 0:
                self.until_s = at_s
            early_s = self.until_s - at_s
            if early_s > OUT_OF_PLACE_S:
                self.placed += min(frames, max(1, round(early_s * RATE_HZ)))
                continue
            if early_s < -OUT_OF_PLACE_S:
                self.stream_s -= early_s
            self.placed += frames
            self.until_s = at_s + frames / RATE_HZ
            self.stream_s += frames / RATE_HZ

    def calm(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.005)):
            self.wake(0.005)


@pytest.mark.parametrize("seed", range(8))
def test_a_thread_that_gets_no_processor_misses_nothing(seed: int) -> None:
    microphone = Microphone(seed)
    microphone.calm(CALM_S)
    microphone.starved = 0.1
    while microphone.now_s < STARVED_S:
        microphone.wake(microphone.random.choice(PAUSES_S))
    microphone.starved = 0.0
    microphone.calm(CALM_S)
    off_s = np.array(microphone.off_s)
    assert microphone.early_s < ON_TIME_S, "nothing is captured after it came"
    assert np.abs(off_s).max() < 2 * ON_TIME_S
    assert np.abs(off_s[-50:]).max() < ON_TIME_S


@pytest.mark.parametrize("tells_latency", [True, False], ids=["latency told", "latency unknown"])
def test_false_gaps_under_overload_do_not_add_up(tells_latency: bool) -> None:  # noqa: FBT001
    """No frame is ever missing: in the end the stream is as long as what was captured, whatever was taken for missing meanwhile."""
    too_long_ms: list[float] = []
    for seed in range(20):
        microphone = Microphone(seed)
        microphone.tells_latency = tells_latency
        microphone.calm(CALM_S)
        microphone.starved = 0.1
        while microphone.now_s < STARVED_S:
            microphone.wake(microphone.random.choice(PAUSES_S))
        microphone.starved = 0.0
        microphone.calm(CALM_S)
        too_long_ms.append((microphone.stream_s - microphone.true_s(microphone.placed)) * 1000)
    assert np.median(np.abs(too_long_ms)) < 5, too_long_ms
    assert np.abs(too_long_ms).max() < 20, too_long_ms
