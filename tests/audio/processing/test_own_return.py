"""Two sessions in one room hear each other's speakers: what they send comes back, and must not go round for good."""

from collections import deque

import numpy as np
import pytest

from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.own_return import OwnReturn
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.core.media.processing_settings import EchoCancel, ProcessingSettings
from blink_cli.lab.rooms import noise
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

QUEUED_TICKS = 3
"""From what a speaker is given to what is heard of it."""

SPOKEN_S = 4


class Side:
    """A session in the room."""

    def __init__(self, echo_cancel: EchoCancel, arrives_after_ticks: int, clock_error_s: float) -> None:
        self._reference = FarReference()
        self._chain = CaptureChain(self._reference, ProcessingSettings(echo_cancel=echo_cancel))
        self.arrives = deque([SILENT_BLOCK] * arrives_after_ticks)
        self._queue = deque([SILENT_BLOCK] * QUEUED_TICKS)
        self._clock_error_s = clock_error_s

    def play(self, tick: int, gain: float) -> Samples:
        """Play what has arrived; return what is heard of this side now."""
        block = np.clip(
            self.arrives.popleft() * np.float32(gain) if self.arrives else SILENT_BLOCK, -0.9, 0.9
        )
        self._reference.write(block, (tick + QUEUED_TICKS) * 0.01 + self._clock_error_s)
        self._queue.append(block)
        return self._queue.popleft()

    def capture(self, tick: int, heard: Samples) -> list[Samples]:
        return [block.samples for block in self._chain.process(heard, (tick + 1) * 0.01)]


def room(
    echo_cancel: EchoCancel, ticks: tuple[int, int], gain: float, level: float, errors_s: tuple[float, float]
) -> list[float]:
    """Return how loud the room is in each second, in dBFS. Somebody talks in the first four.

    Args:
        echo_cancel: Of both.
        ticks: From what one side sends until the other plays it.
        gain: Of both speakers: above 1 what goes round grows.
        level: Of the voice.
        errors_s: By how much each side errs about its devices' times.

    """
    sides = [Side(echo_cancel, wait, error_s) for wait, error_s in zip(ticks, errors_s, strict=True)]
    spoken = np.concatenate((voice(0, SPOKEN_S) * np.float32(level), np.zeros(4 * 48_000, np.float32)))
    spoken += noise(len(spoken), -80.0, 5)
    heard = []
    for tick in range(len(spoken) // 480):
        block = spoken[tick * 480 : (tick + 1) * 480] + sides[0].play(tick, gain) + sides[1].play(tick, gain)
        heard.append(np.clip(block, -1.0, 1.0).astype(np.float32))
        for side, other in (sides, sides[::-1]):
            other.arrives.extend(side.capture(tick, heard[-1]))
    sound = np.concatenate(heard)
    return [
        float(10 * np.log10(np.mean(sound[at : at + 48_000] ** 2))) for at in range(0, len(sound), 48_000)
    ]


ROOMS_WITH_TWO = pytest.mark.parametrize(
    ("ticks", "gain", "level", "errors_s"),
    [
        ((12, 6), 1.0, 0.5, (0.0, 0.0)),
        ((8, 8), 1.0, 2.0, (0.005, -0.005)),
        ((20, 5), 1.3, 0.5, (0.002, 0.007)),
    ],
    ids=["one way quicker", "loud, clocks that err", "amplified"],
)


@ROOMS_WITH_TWO
def test_the_room_falls_silent_after_the_last_word(
    ticks: tuple[int, int], gain: float, level: float, errors_s: tuple[float, float]
) -> None:
    levels = room(EchoCancel.ON, ticks, gain, level, errors_s)
    assert min(levels[:SPOKEN_S]) > -40.0, "the voice is heard"
    assert max(levels[-2:]) < -50.0


def test_without_it_the_same_room_rings() -> None:
    assert room(EchoCancel.OFF, (12, 6), 1.0, 0.5, (0.0, 0.0))[-1] > -30.0


def test_a_voice_is_not_taken_for_its_own_return() -> None:
    own = OwnReturn()
    for index in range(3):
        spoken = voice(index, 8.0) + noise(8 * 48_000, -70.0, index)
        for at in range(0, len(spoken), 480):
            block = spoken[at : at + 480]
            sent = own.send(block, block, 8.0 * index + (at + 480) / 48_000)
            assert sent is block
    assert own.delay_s is None


def test_a_way_back_that_ends_is_believed_for_half_a_minute() -> None:
    own = OwnReturn()
    spoken = voice(0, 3.0)
    late = deque([SILENT_BLOCK] * 12)
    for at in range(0, len(spoken), 480):
        block = spoken[at : at + 480]
        late.append(own.send(block + late.popleft(), block, (at + 480) / 48_000))
    assert own.delay_s == pytest.approx(0.12, abs=0.001)
    returned = own.returned(3.01, 0.006)
    assert returned is not None
    assert np.any(returned)
    assert own.returned(34.0, 0.006) is None
    assert own.delay_s is None


def test_the_canceller_tells_that_the_own_voice_comes_back_and_after_how_long() -> None:
    chain = CaptureChain(FarReference(), ProcessingSettings(echo_cancel=EchoCancel.ON))
    spoken = 0.1 * voice(0, 6)
    blocks = [spoken[at : at + 480] for at in range(0, len(spoken) - 479, 480)]
    sent: list[Samples] = []
    for tick, block in enumerate(blocks):
        heard = block + (np.float32(0.3) * sent[tick - 12] if tick >= 12 else SILENT_BLOCK)
        sent += [done.samples for done in chain.process(heard, (tick + 1) * 0.01)]
    figures = chain.figures().echo
    assert figures is not None
    assert figures.own_return_ms == pytest.approx(120.0, abs=15.0)
