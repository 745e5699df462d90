"""Filters come and go; each block keeps its content and its time."""

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.filter import Filter
from blink_cli.audio.processing.stage import Stage
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK

pytestmark = pytest.mark.no_clock


class Late:
    """Passes sound on, so many samples late."""

    def __init__(self, delay_samples: int) -> None:
        self.delay_samples = delay_samples
        self._kept = np.zeros(delay_samples, dtype=np.float32)

    def process(self, block: CapturedBlock) -> Samples:
        both = np.concatenate((self._kept, block.samples))
        self._kept = both[480:]
        return both[:480]


class Failing(Late):
    """Fails at its third block."""

    calls = 0

    @override
    def process(self, block: CapturedBlock) -> Samples:
        self.calls += 1
        if self.calls > 2:
            raise ValueError("no more")
        return super().process(block)


SOUND = np.sin(np.arange(480 * 60) * 2 * np.pi * 200 / 48_000).astype(np.float32)


def run(changes: dict[int, Filter | None], blocks: int = 60) -> tuple[Samples, list[int]]:
    stage, given, counts, until = Stage(), [], [], []
    for index in range(blocks):
        if index in changes:
            stage.use(changes[index])
        block = SOUND[index * 480 : (index + 1) * 480]
        done = stage.process(CapturedBlock(block, block, SILENT_BLOCK, float(index)))
        counts.append(len(done))
        until += [one.captured_until for one in done]
        given += [one.samples for one in done]
    assert until == [float(index) for index in range(len(until))]
    return np.concatenate(given), counts


@pytest.mark.parametrize("delay", [0, 46, 334, 430, 480])
def test_a_filter_that_comes_and_goes_moves_no_sample(delay: int) -> None:
    sound, counts = run({10: Late(delay), 30: None})
    assert len(sound) == len(SOUND)
    assert np.allclose(sound, SOUND, atol=1e-6)
    held = 1 if delay else 0
    assert counts[10] == 1 - held
    assert counts[30] == 1 + held


@pytest.mark.parametrize(("first", "second"), [(430, 334), (430, 0), (0, 430), (0, 0)])
def test_one_filter_follows_another(first: int, second: int) -> None:
    sound, _ = run({10: Late(first), 30: Late(second), 50: None})
    assert len(sound) == len(SOUND)
    assert np.allclose(sound, SOUND, atol=1e-6)


def test_a_change_of_mind_loses_nothing() -> None:
    changes: dict[int, Filter | None] = {
        10: Late(430), 11: None, 12: Late(334), 13: Late(0), 14: Late(430), 15: None
    }  # fmt: skip
    sound, _ = run(changes)
    assert len(sound) == len(SOUND)


def test_without_a_filter_the_very_block_passes() -> None:
    stage = Stage()
    block = CapturedBlock(SOUND[:480], SOUND[:480], SILENT_BLOCK, 0.0)
    assert stage.process(block)[0] is block


def test_behind_a_gap_nothing_old_is_given() -> None:
    stage = Stage()
    stage.use(Late(430))
    blocks = [
        CapturedBlock(SOUND[i * 480 : (i + 1) * 480], SILENT_BLOCK, SILENT_BLOCK, float(i)) for i in range(20)
    ]
    for block in blocks[:10]:
        stage.process(block)
    assert stage.restart() == 1
    given = [done for block in blocks[15:] for done in stage.process(block)]
    assert [one.captured_until for one in given] == [15.0, 16.0, 17.0, 18.0]
    assert np.allclose(np.concatenate([one.samples for one in given]), SOUND[15 * 480 : 19 * 480], atol=1e-6)


def test_what_a_filter_that_fails_held_back_is_given_as_it_came() -> None:
    stage = Stage()
    stage.use(Failing(430))
    given: list[CapturedBlock] = []
    for index in range(4):
        block = CapturedBlock(
            SOUND[index * 480 : (index + 1) * 480], SILENT_BLOCK, SILENT_BLOCK, float(index)
        )
        try:
            given += stage.process(block)
        except ValueError:
            given += stage.abandon()
    assert [one.captured_until for one in given] == [0.0, 1.0, 2.0, 3.0]
    assert stage.idle


def test_a_filter_that_another_follows_before_any_block_is_passed_over() -> None:
    stage, given = Stage(), []
    for index in range(40):
        if index == 10:
            stage.use(Late(334))
        if index == 20:
            stage.use(Late(430))
            stage.use(Late(480))
        if index == 30:
            stage.use(Late(46))
            stage.use(None)
        block = SOUND[index * 480 : (index + 1) * 480]
        given += stage.process(CapturedBlock(block, block, SILENT_BLOCK, float(index)))
    assert [one.captured_until for one in given] == [float(index) for index in range(40)]
    assert stage.held_blocks == 0
    np.testing.assert_allclose(np.concatenate([one.samples for one in given]), SOUND[: 40 * 480], atol=1e-6)
