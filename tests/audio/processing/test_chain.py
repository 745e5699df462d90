"""The chain as a whole: what it does, what it says, and that the voice goes on whatever fails."""

import logging
from typing import ClassVar

import numpy as np
import pytest
from typing_extensions import override

from blink_cli.audio.processing import chain as chain_module
from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.echo import EchoFilter
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import FilterName
from blink_cli.audio.processing.high_pass import HighPass
from blink_cli.audio.processing.noise import NoiseFilter
from blink_cli.audio.samples import Samples
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings
from blink_cli.lab.echo_path import RoomMicrophone, RoomSpeaker, Situation
from blink_cli.lab.rooms import ROOMS, noise
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

OFF = ProcessingSettings(echo_cancel=EchoCancel.OFF)
SILENCE = np.zeros(48_000, np.float32)
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


def test_whole_frames_pass_by_and_a_filter_that_comes_begins_with_their_end() -> None:
    sound = voice(0, 2.0)
    given = []
    for frame_samples in (480, 960, 2880):
        chain = CaptureChain(FarReference(), OFF)
        assert chain.passes_blocks_by()
        for end in range(frame_samples, 43_200 + 1, frame_samples):
            frame = sound[end - frame_samples : end]
            (done,) = chain.process(frame, end / 48_000)
            assert done.samples is frame
        chain.set_settings(ProcessingSettings(EchoCancel.OFF, NoiseSuppress.HIGH))
        assert not chain.passes_blocks_by()
        given.append(np.concatenate([one.samples for one in run(chain, sound[43_200:], 90)]))
    assert np.array_equal(given[0], given[1])
    assert np.array_equal(given[0], given[2])


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


class _Failing(NoiseFilter):
    """Fails at the moments of `fails_at`, a second each."""

    fails_at: ClassVar[tuple[int, ...]] = ()
    made: ClassVar[list[NoiseFilter]] = []

    def __init__(self, strength: NoiseSuppress) -> None:
        super().__init__(strength)
        self.made.append(self)

    @override
    def process(self, block: CapturedBlock) -> Samples:
        if int(block.captured_until) in self.fails_at:
            raise ValueError("no more")
        return super().process(block)


def failing_chain(monkeypatch: pytest.MonkeyPatch, *fails_at: int) -> CaptureChain:
    monkeypatch.setattr(_Failing, "fails_at", fails_at)
    monkeypatch.setattr(_Failing, "made", [])
    monkeypatch.setattr(chain_module, "NoiseFilter", _Failing)
    monkeypatch.setattr(chain_module, "_NAMES", {_Failing: FilterName.NOISE})
    return CaptureChain(FarReference(), ProcessingSettings(EchoCancel.OFF, NoiseSuppress.LOW))


def test_a_filter_that_fails_is_taken_out_and_the_voice_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chain = failing_chain(monkeypatch, 1)
    with caplog.at_level(logging.CRITICAL):
        given = run(chain, voice(0, 3.0))
    assert [one.captured_until for one in given] == pytest.approx([(n + 1) * 0.01 for n in range(300)])
    assert len(_Failing.made) == 1
    (unavailable,) = chain.figures().unavailable
    assert unavailable.name == "noise"
    assert "after 20 s" in unavailable.reason


def test_a_filter_that_failed_comes_back_and_one_that_fails_again_and_again_does_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chain = failing_chain(monkeypatch, 1, 22, 23, 50)
    hiss = noise(48_000, -50.0, 3)
    out: list[bool] = []
    with caplog.at_level(logging.CRITICAL):
        for second in range(100):
            assert len(run(chain, hiss, second * 100)) in (99, 100, 101)
            out.append(bool(chain.figures().unavailable))
    # Out from 1 to 21 s, from 22 to 42 s, and from 50 s on for good.
    assert not out[0]
    assert out[1:20] == [True] * 19
    assert out[23:42] == [True] * 19
    assert not any(out[44:50])
    assert all(out[51:])
    assert len(_Failing.made) == 3
    assert "a new session" in chain.figures().unavailable[0].reason


def test_beside_the_echo_canceller_no_second_high_pass_runs() -> None:
    chain = CaptureChain(FarReference(), ALL)
    run(chain, voice(0, 0.1))
    # The library's own is in the canceller; a second one would take 3 dB more at the edge, and cost a matrix a block.
    assert chain._high_pass.filter is None
    chain.set_settings(ProcessingSettings(EchoCancel.OFF, NoiseSuppress.HIGH))
    run(chain, voice(0, 0.1), 10)
    assert isinstance(chain._high_pass.filter, HighPass)


def test_another_microphone_or_speaker_is_another_room(monkeypatch: pytest.MonkeyPatch) -> None:
    forgot: list[EchoFilter] = []

    def forget(echo: EchoFilter) -> None:
        forgot.append(echo)

    monkeypatch.setattr(EchoFilter, "forget", forget)
    reference = FarReference()
    chain = CaptureChain(reference, ProcessingSettings(echo_cancel=EchoCancel.ON))
    rooms = [Situation(ROOMS[index], SILENCE, SILENCE) for index in range(2)]
    speakers = [RoomSpeaker(0.0), RoomSpeaker(1.0)]
    microphones = [RoomMicrophone(room, speaker) for room, speaker in zip(rooms, speakers, strict=True)]
    reference.speaker = speakers[0]
    chain.use_microphone(microphones[0])
    run(chain, voice(0, 1.2))
    assert not forgot
    reference.speaker = speakers[1]
    run(chain, voice(0, 1.2), 120)
    assert len(forgot) == 1
    chain.use_microphone(microphones[1])
    run(chain, voice(0, 1.2), 240)
    assert len(forgot) == 2


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
