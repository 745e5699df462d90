"""Loudness over time: what stands in the rows is so, and other programs agree."""

import csv
import math
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.codec.loudness_over_time import Loudness, loudness
from blink_cli.codec.options import LoudnessMethod, RawForm, Source
from blink_cli.core.errors import UsageError
from blink_cli.lab.requirements import require_program
from tests.codec.round_trips import SPEECH, heard_in, speech

pytestmark = pytest.mark.no_clock(sockets=True)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def measured(
    source: Path, method: LoudnessMethod, out: Path | None = None, raw: RawForm | None = None
) -> Loudness:
    return loudness(Source(source, raw), method, out, None, lambda _: None)


def steps(path: Path, rate_hz: int = 44_100) -> Path:
    """A second of a sine at -20 dBFS (RMS), then one 6 dB softer, then silence."""
    time_s = np.arange(rate_hz) / rate_hz
    sine = 0.1 * math.sqrt(2) * np.sin(2 * np.pi * 997 * time_s)
    soundfile.write(path, np.concatenate((sine, sine / 2, np.zeros(rate_hz))), rate_hz, subtype="FLOAT")
    return path


def test_rms_of_each_tenth_of_a_second(tmp_path: Path) -> None:
    found = measured(steps(tmp_path / "steps.wav"), "rms", tmp_path / "out.csv")
    rows = rows_of(tmp_path / "out.csv")
    assert len(rows) == found.figures.rows == len(found.over_time) == 30
    assert [float(row["at_s"]) for row in rows] == pytest.approx([0.1 * n for n in range(1, 31)], abs=1e-4)
    assert float(rows[4]["rms_dbfs"]) == pytest.approx(-20, abs=0.05)
    assert float(rows[4]["rms"]) == pytest.approx(0.1, rel=0.005)
    assert float(rows[15]["rms_dbfs"]) == pytest.approx(-26.02, abs=0.05)
    assert rows[25]["rms_dbfs"] == ""
    assert found.over_time[25] is None
    # the moving one is in between just behind a step
    assert -24 < float(rows[11]["rms_400ms_dbfs"]) < -21
    assert float(rows[22]["rms_400ms_dbfs"]) == pytest.approx(-32.04, abs=0.1)


def test_momentary_and_short_term_agree_with_ffmpeg(tmp_path: Path) -> None:
    path = speech(tmp_path / "voice.wav", 6.0, 44_100)
    found = measured(path, "bs1770", tmp_path / "out.csv").figures
    ffmpeg = require_program("ffmpeg")
    told = subprocess.run(
        [ffmpeg, "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true", "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    theirs = re.findall(r"t: *([\d.]+) .*?M: *(-?[\d.]+) S: *(-?[\d.]+)", told)
    rows = rows_of(tmp_path / "out.csv")
    assert len(rows) == 60
    for row, (at_s, momentary, _) in zip(rows[4:], theirs[4:], strict=False):
        assert float(row["at_s"]) == pytest.approx(float(at_s), abs=0.001)
        assert float(row["momentary_lufs"]) == pytest.approx(float(momentary), abs=0.2)
    for row, (_, _, short_term) in zip(rows[30:], theirs[30:], strict=False):
        assert float(row["short_term_lufs"]) == pytest.approx(float(short_term), abs=0.15)
    integrated = re.search(r"I: *(-?[\d.]+) LUFS\n", told[told.index("Summary") :])
    peak = re.search(r"Peak: *(-?[\d.]+) dBFS", told)
    assert integrated is not None
    assert peak is not None
    assert found.integrated_lufs == pytest.approx(float(integrated[1]), abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(float(peak[1]), abs=0.15)


def test_any_file_and_samples_without_a_header(tmp_path: Path) -> None:
    samples = heard_in(SPEECH)[:, 0]
    (tmp_path / "in.raw").write_bytes(samples.astype("<f4").tobytes())
    plain = measured(SPEECH, "bs1770").figures
    raw = measured(tmp_path / "in.raw", "bs1770", raw=RawForm(16_000)).figures
    assert raw.integrated_lufs == plain.integrated_lufs
    assert (raw.input.kind, plain.input.kind) == ("raw", "FLAC")


def test_silence_is_no_loudness(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((48_000, 2)), 48_000)
    found = measured(tmp_path / "in.wav", "bs1770", tmp_path / "out.csv")
    assert (found.figures.integrated_lufs, found.figures.true_peak_dbtp) == (None, None)
    assert set(found.over_time) == {None}


def test_integers_taken_for_floating_point_are_told(tmp_path: Path) -> None:
    samples = (np.sin(np.arange(48_000) / 10) * 20_000).astype("<i2")
    (tmp_path / "in.raw").write_bytes(samples.tobytes())
    with pytest.raises(UsageError, match="no samples of f32"):
        measured(tmp_path / "in.raw", "bs1770", raw=RawForm(48_000))
    figures = measured(tmp_path / "in.raw", "bs1770", raw=RawForm(48_000, 1, "s16")).figures
    assert figures.integrated_lufs is not None


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    loudness(Source(steps(tmp_path / "in.wav")), "rms", None, tmp_path / "out.png", lambda _: None)
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    source = steps(tmp_path / "in.wav")
    with pytest.raises(UsageError, match="is what is read"):
        measured(source, "rms", source)
    soundfile.write(tmp_path / "low.wav", np.zeros(2_000), 2_000)
    with pytest.raises(UsageError, match="too few"):
        measured(tmp_path / "low.wav", "bs1770", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
