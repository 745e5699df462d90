"""Two files against each other, whatever they are; and what is said of files that cannot be compared."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from blink_cli.audio.samples import Samples
from blink_cli.codec.figures import ScoreDone
from blink_cli.codec.options import RawForm, Source
from blink_cli.codec.pair_score import score
from blink_cli.commands.score_text import score_lines
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import UsageError
from blink_cli.lab import voice_metrics
from blink_cli.lab.voices import voice

pytestmark = pytest.mark.no_clock

LATE_MS = 150


@pytest.fixture(scope="module")
def sent() -> Samples:
    return voice(0, 8.0)


def written(
    path: Path, sound: Samples, rate_hz: int, channels: list[float], subtype: str | None = None
) -> Source:
    """A file whose channels carry the sound as loud as told."""
    resampled = np.asarray(soxr.resample(sound, SAMPLE_RATE_HZ, rate_hz), np.float32)
    soundfile.write(path, np.stack([resampled * gain for gain in channels], axis=1), rate_hz, subtype=subtype)
    return Source(path)


def scored(heard: Source, sent: Source) -> ScoreDone:
    return score(heard, sent, lambda _: None)


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels", "subtype"),
    [
        ("heard.wav", 48_000, [1.0], "FLOAT"),
        ("heard.flac", 44_100, [1.0, 1.0], "PCM_24"),
        ("heard.wav", 16_000, [0.0, 1.0, 0.0], "PCM_16"),
        ("heard.wav", 96_000, [1.0, -1.0], "PCM_16"),
        ("heard.ogg", 48_000, [1.0], "VORBIS"),
    ],
)
def test_any_rate_number_of_channels_and_kind(
    tmp_path: Path, sent: Samples, name: str, rate_hz: int, channels: list[float], subtype: str
) -> None:
    said = written(tmp_path / "sent.wav", sent, 44_100, [1.0], "PCM_16")
    late = np.concatenate((np.zeros(LATE_MS * SAMPLE_RATE_HZ // 1000, np.float32), sent))
    done = scored(written(tmp_path / name, late, rate_hz, channels, subtype), said)

    assert (done.heard.rate_hz, done.heard.channels) == (rate_hz, len(channels))
    assert done.delay is not None
    assert done.delay.median_ms == pytest.approx(LATE_MS, abs=0.3)
    assert done.delay.highest_ms - done.delay.lowest_ms < 0.3
    assert done.found_share == 1.0
    assert done.level_change_db == pytest.approx(0.0, abs=0.3)
    assert (done.gaps, done.clipped_starts, done.clicks) == ((), (), ())
    assert done.pesq_wb is not None
    assert done.pesq_wb > 4.3


def test_the_worst_piece_is_told_beside_the_mean(tmp_path: Path) -> None:
    spoken = voice(0, 30.0)
    noise = np.random.default_rng(1).normal(0, 0.02, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    heard = spoken.copy()
    heard[10 * SAMPLE_RATE_HZ : 20 * SAMPLE_RATE_HZ] += noise
    done = scored(
        written(tmp_path / "heard.wav", heard, 48_000, [1.0]),
        written(tmp_path / "sent.wav", spoken, 48_000, [1.0]),
    )
    assert done.judged_s == pytest.approx(30, abs=0.1)
    assert done.pesq_wb_lowest_at_s == pytest.approx(10, abs=0.1)
    assert done.pesq_wb_lowest is not None
    assert done.pesq_wb is not None
    assert done.pesq_wb_lowest < 3 < done.pesq_wb
    assert "lowest" in score_lines(done)[-1]


def test_samples_without_a_header_are_read_as_told(tmp_path: Path, sent: Samples) -> None:
    path = tmp_path / "heard.raw"
    path.write_bytes((sent * 2**15).astype("<i2").tobytes())
    done = scored(
        Source(path, RawForm(48_000, 1, "s16")), written(tmp_path / "sent.wav", sent, 48_000, [1.0])
    )
    assert done.delay is not None
    assert done.delay.median_ms == 0.0


def test_without_the_judge_all_else_is_told(
    tmp_path: Path, sent: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pesq", None)
    voice_metrics._pesq.cache_clear()
    said = written(tmp_path / "sent.wav", sent, 48_000, [1.0])
    done = scored(said, said)
    voice_metrics._pesq.cache_clear()
    assert (done.pesq_wb, done.judged_s, done.found_share) == (None, 0.0, 1.0)
    assert "pip install 'blink-cli[lab]'" in done.missing[0]


def test_nothing_heard_is_a_finding(tmp_path: Path, sent: Samples) -> None:
    silent = written(tmp_path / "heard.wav", np.zeros_like(sent), 48_000, [1.0])
    done = scored(silent, written(tmp_path / "sent.wav", sent, 48_000, [1.0]))
    assert (done.delay, done.found_share, done.level_change_db, done.pesq_wb) == (None, None, None, 1.0)
    assert "nothing of what was sent" in "\n".join(score_lines(done))


def test_nothing_sent_is_a_mistake(tmp_path: Path, sent: Samples) -> None:
    silent = written(tmp_path / "sent.wav", np.zeros_like(sent), 48_000, [1.0])
    with pytest.raises(UsageError, match="is silent"):
        scored(written(tmp_path / "heard.wav", sent, 48_000, [1.0]), silent)


@pytest.mark.parametrize("samples", [100, 4_800, 20_000])
def test_a_moment_of_sound_is_too_little_and_no_fault(tmp_path: Path, sent: Samples, samples: int) -> None:
    said = written(tmp_path / "sent.wav", sent, 48_000, [1.0])
    moment = written(tmp_path / "moment.wav", sent[40_000 : 40_000 + samples], 48_000, [1.0])
    for done in (scored(moment, said), scored(said, moment)):
        assert done.pesq_wb is None
        assert "half a second" in done.missing[0]
