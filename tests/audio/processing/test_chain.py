"""The chain as a whole: what it does, what it says, and that the voice goes on whatever fails."""

import logging

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.processing import chain as chain_module
from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import FilterName
from blink_cli.audio.processing.noise import NoiseFilter
from blink_cli.audio.samples import Samples
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings
from blink_cli.lab.rooms import noise
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

OFF = ProcessingSettings(echo_cancel=EchoCancel.OFF)
ALL = ProcessingSettings(EchoCancel.ON, NoiseSuppress.HIGH, auto_gain=True)


def run(chain: CaptureChain, sound: Samples, from_block: int = 0) -> list[CapturedBlock]:
    return [
        done
        for index in range(len(sound) // 480)
        for done in chain.process(sound[index * 480 : (index + 1) * 480], (from_block + index + 1) * 0.01)
    ]


def test_with_everything_off_the_very_block_passes() -> None:
    chain = CaptureChain(FarReference(), OFF)
    loud = np.full(480, 1.5, np.float32)
    (done,) = chain.process(loud, 0.01)
    assert done.samples is loud


def test_filters_come_and_go_in_the_middle_of_a_voice_and_no_time_is_lost() -> None:
    chain = CaptureChain(FarReference(), OFF)
    sound = voice(0, 3.0)
    given: list[CapturedBlock] = []
    for part, settings in enumerate((OFF, ALL, OFF)):
        chain.set_settings(settings)
        given += run(chain, sound[part * 48_000 : (part + 1) * 48_000], part * 100)
    assert [one.captured_until for one in given] == pytest.approx([(n + 1) * 0.01 for n in range(300)])
    assert chain.held_blocks == 0
    out = np.concatenate([one.samples for one in given])
    assert np.abs(np.diff(out)).max() < 2.0 * np.abs(np.diff(sound)).max()


def test_noise_is_taken_out_and_the_figure_says_how_much() -> None:
    chain = CaptureChain(FarReference(), ProcessingSettings(EchoCancel.OFF, NoiseSuppress.HIGH))
    hiss = noise(5 * 48_000, -50.0, 3)
    out = np.concatenate([one.samples for one in run(chain, hiss)])
    removed_db = 10 * np.log10(np.mean(hiss[-48_000:] ** 2) / np.mean(out[-48_000:] ** 2))
    told_db = chain.figures().noise_removed_db
    assert removed_db > 10.0
    assert told_db == pytest.approx(removed_db, abs=4.0)


def test_a_soft_voice_is_raised_and_its_pauses_are_not() -> None:
    chain = CaptureChain(FarReference(), ProcessingSettings(EchoCancel.OFF, auto_gain=True))
    soft = voice(0, 8.0) * np.float32(0.1) + noise(8 * 48_000, -75.0, 4)
    out = np.concatenate([one.samples for one in run(chain, soft)])
    gain_db = 10 * np.log10(np.mean(out[-96_000:] ** 2) / np.mean(soft[-96_000:] ** 2))
    assert gain_db > 6.0
    assert chain.figures().gain_db is not None
    pause = np.concatenate([one.samples for one in run(chain, noise(96_000, -75.0, 5), 800)])
    assert 10 * np.log10(np.mean(pause[-48_000:] ** 2)) < -45.0


def test_a_filter_that_fails_is_taken_out_once_and_the_voice_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[NoiseFilter] = []

    class Failing(NoiseFilter):
        def __init__(self, strength: NoiseSuppress) -> None:
            super().__init__(strength)
            made.append(self)

        @override
        def process(self, block: CapturedBlock) -> Samples:
            if block.captured_until > 0.5:
                raise ValueError("no more")
            return super().process(block)

    monkeypatch.setattr(chain_module, "NoiseFilter", Failing)
    monkeypatch.setattr(chain_module, "_NAMES", {Failing: FilterName.NOISE})
    chain = CaptureChain(FarReference(), ProcessingSettings(EchoCancel.OFF, NoiseSuppress.LOW))
    sound = voice(0, 2.0)
    with caplog.at_level(logging.CRITICAL):
        given = run(chain, sound)
    assert [one.captured_until for one in given] == pytest.approx([(n + 1) * 0.01 for n in range(200)])
    assert len(made) == 1
    (unavailable,) = chain.figures().unavailable
    assert unavailable.name == "noise"


def test_an_observer_sees_near_far_and_what_was_made_of_them_and_cannot_disturb() -> None:
    reference = FarReference()
    far, near = voice(0, 1.0), voice(1, 1.0)
    for index in range(100):
        reference.write(far[index * 480 : (index + 1) * 480], index * 0.01)
    chain = CaptureChain(reference, ProcessingSettings(echo_cancel=EchoCancel.ON))
    seen: list[CapturedBlock] = []

    def fail(_: CapturedBlock) -> None:
        raise ValueError("an observer's own trouble")

    chain.observe(fail)
    chain.observe(seen.append)
    run(chain, near)
    assert np.array_equal(np.concatenate([one.near for one in seen]), near[: len(seen) * 480])
    assert np.allclose(np.concatenate([one.far for one in seen]), far[: len(seen) * 480], atol=1e-4)
