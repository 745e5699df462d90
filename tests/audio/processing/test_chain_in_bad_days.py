"""The chain in bad days: settings that change all the time, sound that is none, filters that are not there."""

import sys
from types import ModuleType

import numpy as np
import pytest

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.chain import CaptureChain
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import FilterName
from blink_cli.audio.processing.noise import NoiseFilter
from blink_cli.audio.samples import Samples
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings

pytestmark = pytest.mark.no_clock

BLOCKS = 300
NOTHING = ProcessingSettings(EchoCancel.OFF, NoiseSuppress.OFF, auto_gain=False)
EVERYTHING = ProcessingSettings(EchoCancel.ON, NoiseSuppress.HIGH, auto_gain=True)
NOISE = ProcessingSettings(EchoCancel.OFF, NoiseSuppress.LOW, auto_gain=False)


def chirps(blocks: int = BLOCKS) -> Samples:
    """Return a chirp of 0.1 s at each 0.2 s."""
    at = np.arange(4800) / 48_000
    chirp = 0.3 * np.sin(2 * np.pi * (300 * at + 12_000 * at**2)) * np.hanning(4800)
    return np.asarray(np.resize(np.concatenate((chirp, np.zeros(4800))), blocks * 480), np.float32)


def run(
    chain: CaptureChain, sound: Samples, changes: dict[int, ProcessingSettings] | None = None
) -> list[CapturedBlock]:
    done = []
    for index in range(len(sound) // 480):
        if changes and index in changes:
            chain.set_settings(changes[index])
        done += chain.process(sound[index * 480 : (index + 1) * 480], (index + 1) / 100)
    return done


def heard(blocks: list[CapturedBlock]) -> Samples:
    return np.concatenate([block.samples for block in blocks])


def lag(before: Samples, after: Samples) -> int:
    size = 2 * len(before)
    likeness = np.fft.irfft(np.fft.rfft(after, size) * np.fft.rfft(before, size).conj())
    at = int(likeness.argmax())
    return at if at < len(before) else at - len(likeness)


def test_settings_that_change_every_few_blocks_lose_no_block_and_no_place() -> None:
    choose = np.random.default_rng(5)
    sound = chirps(1000)
    changes = {
        index: ProcessingSettings(
            [EchoCancel.ON, EchoCancel.OFF][choose.integers(2)],
            list(NoiseSuppress)[choose.integers(3)],
            auto_gain=bool(choose.integers(2)),
        )
        for index in map(int, np.flatnonzero(choose.random(980) < 0.3))
    }
    changes[990] = NOTHING
    blocks = run(CaptureChain(FarReference(), NOTHING), sound, changes)
    assert [round(100 * block.captured_until) for block in blocks] == list(range(1, 1001))
    for start in range(0, 1000 * 480 - 9600, 9600):
        window = slice(start, start + 9600)
        assert abs(lag(sound[window], heard(blocks)[window])) <= 240, "5 ms"


@pytest.mark.parametrize("harm", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_sound_break_no_filter(harm: float) -> None:
    sound = chirps()
    sound[100 * 480 + 17] = harm
    chain = CaptureChain(FarReference(), EVERYTHING)
    given = heard(run(chain, sound))
    assert np.isfinite(given).all()
    assert chain.figures().unavailable == ()
    assert float(np.abs(given[150 * 480 :]).max()) > 0.05, "the voice goes on"


class _Unloadable:
    """Has the import of the library fail."""

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        if name == "pywebrtc_audio":
            raise ImportError("not here")


def test_without_the_library_the_voice_passes_and_each_filter_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "pywebrtc_audio", raising=False)
    monkeypatch.setattr(sys, "meta_path", [_Unloadable(), *sys.meta_path])
    sound = chirps()
    chain = CaptureChain(FarReference(), EVERYTHING)
    blocks = run(chain, sound)
    assert len(blocks) == BLOCKS
    assert {missing.name for missing in chain.figures().unavailable} == set(FilterName)


def test_a_filter_that_cannot_be_made_is_named_and_the_voice_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(strength: NoiseSuppress) -> NoiseFilter:
        raise RuntimeError("no memory for it")

    monkeypatch.setattr(NoiseFilter, "__init__", lambda _self, strength: fail(strength))
    sound = chirps()
    chain = CaptureChain(FarReference(), NOISE)
    assert np.array_equal(heard(run(chain, sound)), sound)
    (missing,) = chain.figures().unavailable
    assert missing.name is FilterName.NOISE
    assert "no memory for it" in missing.reason


def test_an_observer_that_fails_is_called_once() -> None:
    calls = list[CapturedBlock]()

    def fail(block: CapturedBlock) -> None:
        calls.append(block)
        raise RuntimeError("the disk is full")

    chain = CaptureChain(FarReference(), NOTHING)
    chain.observe(fail)
    assert len(run(chain, chirps(20))) == 20
    assert len(calls) == 1
