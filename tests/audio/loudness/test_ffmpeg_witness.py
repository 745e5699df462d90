"""FFmpeg's `ebur128` filter, which is another one's reading of the same recommendation, must agree on five sounds of five formats."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.audio.loudness.meter import LoudnessMeter
from blink_cli.audio.samples import Samples
from blink_cli.lab.requirements import require_program
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock(sockets=True)


def _bursts(rate_hz: int, channels: int) -> Samples:
    """Noise that is louder or softer each half second, not the same in each channel."""
    rng = np.random.default_rng(rate_hz + channels)
    loudness = np.repeat(10.0 ** (rng.uniform(-45, -5, (40, channels)) / 20), rate_hz // 2, axis=0)
    return (loudness * rng.standard_normal(loudness.shape) * 0.2).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels"),
    [
        ("speech", 48_000, 1),
        ("speech and pauses", 48_000, 1),
        ("noise", 44_100, 2),
        ("noise", 96_000, 2),
        ("noise", 48_000, 6),
        ("noise", 16_000, 1),
    ],
)
def test_the_figures_are_those_of_ffmpeg(name: str, rate_hz: int, channels: int, tmp_path: Path) -> None:
    match name:
        case "speech":
            sound = voice(0, 20.0)[:, None]
        case "speech and pauses":
            one, pause = voice(1, 8.0), np.zeros(rate_hz * 5, dtype=np.float32)
            sound = np.concatenate([one, pause, 0.05 * one, pause, 0.5 * one])[:, None]
        case _:
            sound = _bursts(rate_hz, channels)
    path = tmp_path / "sound.wav"
    soundfile.write(path, sound, rate_hz, subtype="FLOAT")
    said = subprocess.run(
        [
            *(require_program("ffmpeg"), "-hide_banner", "-nostats", "-i", path),
            *("-filter_complex", "ebur128=peak=true", "-f", "null", "-"),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    told = dict(re.findall(r"(I|LRA|Peak): +(-?[\d.]+)", said[said.rindex("Summary:") :]))

    meter = LoudnessMeter(rate_hz, channels, true_peak=True)
    meter.add(sound)
    figures = meter.figures
    # It prints one decimal: half of one is rounding.
    assert figures.integrated_lufs == pytest.approx(float(told["I"]), abs=0.06)
    assert figures.range_lu == pytest.approx(float(told["LRA"]), abs=0.5)
    if rate_hz >= 44_100:
        # Another filter makes the samples between; the recommendation lets each be 0.4 dB off at most.
        assert figures.true_peak_dbtp == pytest.approx(float(told["Peak"]), abs=0.4)

    # Its frames of 0.1 s tell the readings at their ends; of the first it has more silence than sound.
    frames = re.findall(r"t: *([\d.]+) .*?M: *(-?[\d.]+|-inf|nan) +S: *(-?[\d.]+|-inf|nan)", said)
    mine = {
        round(reading.at_s, 1): reading
        for reading in LoudnessMeter(rate_hz, channels).add(sound)
        if reading.at_s > 3.0
    }
    compared = 0
    for time, momentary, short_term in frames:
        reading = mine.get(round(float(time), 1))
        if reading is None or reading.momentary_lufs is None or reading.momentary_lufs < -69.0:
            continue
        assert reading.momentary_lufs == pytest.approx(float(momentary), abs=0.1)
        assert reading.short_term_lufs == pytest.approx(float(short_term), abs=0.1)
        compared += 1
    assert compared > 100
