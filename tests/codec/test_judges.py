"""Judges of quality that a plain install leaves out: what they say where they are installed, and what is said where they are not."""

import importlib.util
import json
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from blink_cli.core.errors import NotInstalledError
from blink_cli.lab.alignment import fit
from blink_cli.lab.voices import voice
from tests.codec.round_trips import speech, told
from tests.support.witnesses import python_with, run_python

pytestmark = pytest.mark.no_clock(sockets=True)

VISQOL: Final = ("visqol-python==3.8.0", "ai-edge-litert==2.3.0")
"""Without numba: a few seconds of speech take no longer than compiling it would."""

without_visqol = pytest.mark.skipif(
    importlib.util.find_spec("visqol") is not None, reason="the extra visqol is installed"
)

ASK = """
import json, sys
from blink_cli.commands.main import main
sys.exit(main(["codec", "roundtrip", *sys.argv[1:], "--score", "visqol", "--json"]))
"""


@pytest.mark.timeout(300)
def test_visqol_hears_what_loss_does(tmp_path: Path) -> None:
    folder = python_with(*VISQOL)
    source = speech(tmp_path / "voice.wav", 3.0)
    scores = [
        json.loads(run_python(folder, ASK, str(source), str(tmp_path / "out.wav"), "--loss", loss))["quality"]
        for loss in ("0", "20%")
    ]
    clean, lossy = (score["visqol"] for score in scores)
    assert scores[0]["pesq_wb"] is None  # nobody asked it
    assert 4.0 < clean <= 5.0
    assert lossy < clean - 0.5


@without_visqol
def test_a_judge_that_is_not_installed_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    source = speech(tmp_path / "voice.wav", 1.0)
    done = told(source, tmp_path / "out.wav", scores=("pesq", "visqol"))
    assert done.quality.pesq_wb is not None
    assert done.quality.visqol is None
    (missing,) = done.quality.missing
    assert "ViSQOL needs" in missing
    assert "pip install 'blink-cli[visqol]'" in missing


@without_visqol
def test_a_judge_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    source = speech(tmp_path / "voice.wav", 1.0)
    with pytest.raises(NotInstalledError):
        told(source, tmp_path / "out.wav", scores=("visqol",), scores_required=True)
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize("delay", [0.0, 12.0, 100.37, 4_321.75])
@pytest.mark.parametrize("gain", [1.0, 0.3, -0.5])
def test_a_moved_and_scaled_waveform_is_fitted_to_a_fraction_of_a_sample(delay: float, gain: float) -> None:
    said = voice(0, 1.0)
    moved = np.fft.irfft(
        np.fft.rfft(said, 1 << 17) * np.exp(-2j * np.pi * np.arange((1 << 16) + 1) * delay / (1 << 17))
    )
    noise = np.random.default_rng(1).normal(0, 0.001, 58_000)
    heard = np.asarray(gain * moved[:58_000] + noise, np.float32)
    found = fit(said, heard, longest_delay=9_600)
    assert found is not None
    assert found.delay_samples == pytest.approx(delay, abs=0.02)
    assert found.gain_db == pytest.approx(20 * np.log10(abs(gain)), abs=0.05)
    assert found.inverted == (gain < 0)
    # -20 dBFS of voice, scaled, over noise at -60
    assert found.snr_db == pytest.approx(40 + 20 * np.log10(abs(gain)), abs=0.5)


def test_silence_fits_nothing() -> None:
    said = voice(0, 0.5)
    assert fit(said, np.zeros(30_000, np.float32), longest_delay=100) is None
    assert fit(np.zeros(24_000, np.float32), said, longest_delay=100) is None
