"""What is asked for is done: every option of a round trip has its effect on recorded speech."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.audio.samples import Samples
from blink_cli.codec.options import CoderOptions, HeardForm, LineOptions, RawForm, Source, share
from blink_cli.codec.roundtrip import RoundTrip, round_trip
from blink_cli.core.errors import BlinkError, NotFoundError, UsageError
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.requirements import require_program
from tests.codec.round_trips import heard_in, speech, told

pytestmark = pytest.mark.no_clock(sockets=True)  # `ctypes` looks for libopus by a compiler's help


@pytest.fixture(scope="module")
def voice_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return speech(tmp_path_factory.mktemp("speech") / "voice.wav")


def power_above(samples: Samples, rate_hz: int, cut_hz: float) -> float:
    """Share of the power above a frequency, in dB."""
    spectrum = np.abs(np.fft.rfft(samples[:, 0].astype(np.float64))) ** 2
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate_hz)
    return float(10 * np.log10(spectrum[frequencies > cut_hz].sum() / spectrum.sum() + 1e-20))


def test_it_comes_back_in_its_place_as_long_and_as_loud(voice_file: Path, tmp_path: Path) -> None:
    done = told(voice_file, tmp_path / "out.wav", scores=("pesq",), bitrate_bps=48_000)
    sent, heard = heard_in(voice_file), heard_in(tmp_path / "out.wav")
    assert heard.shape == sent.shape
    assert done.path == "direct"
    assert done.output.duration_s == done.input.duration_s == 6.0
    assert done.output.level_dbfs == pytest.approx(done.input.level_dbfs, abs=0.2)
    assert done.packets.encoded == done.packets.sent == 301  # 6 s, and what the encoder looks ahead
    assert done.delay.algorithmic_ms == 26.5
    assert done.delay.measured_ms == pytest.approx(6.5, abs=0.3)
    assert done.quality.snr_db is not None
    assert done.quality.snr_db > 14
    assert done.quality.pesq_wb is not None
    assert done.quality.pesq_wb > 4.4
    # OUT stands where IN stood: no delay that makes them more alike.
    spectrum = np.fft.rfft(heard[:, 0], 1 << 20) * np.conj(np.fft.rfft(sent[:, 0], 1 << 20))
    at = int(np.argmax(np.fft.irfft(spectrum)))
    assert min(at, (1 << 20) - at) <= 12


@pytest.mark.parametrize("bitrate_bps", [12_000, 32_000, 96_000])
def test_the_bit_rate_is_what_was_asked_for(voice_file: Path, tmp_path: Path, bitrate_bps: int) -> None:
    done = told(voice_file, tmp_path / "out.wav", bitrate_bps=bitrate_bps)
    assert done.bitrate.mean_bps == pytest.approx(bitrate_bps, rel=0.2)
    assert done.bitrate.peak_bps >= done.bitrate.mean_bps
    constant = told(voice_file, tmp_path / "out.wav", bitrate_bps=bitrate_bps, cbr=True)
    assert constant.bitrate.peak_bps == pytest.approx(bitrate_bps, rel=0.02)
    assert constant.packets.largest_bytes == pytest.approx(constant.packets.mean_bytes, rel=0.01)


@pytest.mark.parametrize(("bandwidth", "cut_hz"), [("narrow", 4_000), ("medium", 6_000), ("wide", 8_000)])
def test_a_bandwidth_is_not_left(tmp_path: Path, bandwidth: str, cut_hz: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 96_000).astype(np.float32)
    soundfile.write(tmp_path / "noise.wav", noise, 48_000)
    told(tmp_path / "noise.wav", tmp_path / "full.wav", bandwidth="full", bitrate_bps=64_000)
    assert power_above(heard_in(tmp_path / "full.wav"), 48_000, cut_hz * 1.1) > -6
    told(tmp_path / "noise.wav", tmp_path / "cut.wav", bandwidth=bandwidth, bitrate_bps=64_000)
    assert power_above(heard_in(tmp_path / "cut.wav"), 48_000, cut_hz * 1.1) < -30


@pytest.mark.parametrize("frame_ms", [2.5, 5, 10, 20, 40, 60])
def test_frames_are_as_long_as_asked_for(voice_file: Path, tmp_path: Path, frame_ms: float) -> None:
    done = told(voice_file, tmp_path / "out.wav", frame_ms=frame_ms)
    assert done.packets.encoded == pytest.approx(6_006.5 / frame_ms, abs=1)
    assert done.delay.algorithmic_ms == frame_ms + 6.5


def test_lowdelay_looks_ahead_less(voice_file: Path, tmp_path: Path) -> None:
    done = told(voice_file, tmp_path / "out.wav", application="lowdelay", frame_ms=10)
    assert done.delay.algorithmic_ms == 12.5
    assert done.delay.measured_ms == pytest.approx(2.5, abs=0.1)


def test_dtx_leaves_silence_out(tmp_path: Path) -> None:
    spoken, _ = soundfile.read(speech(tmp_path / "voice.wav", 2.0), dtype="float32")
    soundfile.write(tmp_path / "pause.wav", np.concatenate((spoken, np.zeros(96_000, np.float32))), 48_000)
    always = told(tmp_path / "pause.wav", tmp_path / "out.wav")
    seldom = told(tmp_path / "pause.wav", tmp_path / "out.wav", dtx=True)
    assert always.packets.unsent == 0
    assert seldom.packets.unsent > 60
    assert seldom.packets.sent + seldom.packets.unsent == always.packets.sent
    assert seldom.output.duration_s == 4.0


def test_complexity_costs_quality(voice_file: Path, tmp_path: Path) -> None:
    best, least = (
        told(voice_file, tmp_path / "out.wav", complexity=complexity, bitrate_bps=16_000).quality.snr_db
        for complexity in (10, 0)
    )
    assert best is not None
    assert least is not None
    assert best > least


def test_loss_costs_quality_and_fec_helps(voice_file: Path, tmp_path: Path) -> None:
    clean, lossy, helped = (
        told(voice_file, tmp_path / "out.wav", scores=("pesq",), loss=loss, fec=fec)
        for loss, fec in ((0.0, "off"), (0.1, "off"), (0.1, "on"))
    )
    assert lossy.packets.lost == helped.packets.lost > 15
    assert lossy.packets.recovered_by_fec == 0
    assert helped.packets.recovered_by_fec > lossy.packets.lost / 2
    assert helped.packets.concealed_ms < lossy.packets.concealed_ms / 2
    scores = [one.quality.pesq_wb for one in (clean, lossy, helped)]
    assert scores[0] is not None
    assert scores[1] is not None
    assert scores[2] is not None
    assert scores[0] - 0.3 > scores[2] > scores[1] + 0.5


def test_a_seed_loses_the_same_packets(voice_file: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("same", 7), ("other", 8)):
        told(voice_file, tmp_path / f"{name}.wav", loss=0.2, seed=seed)
    one, same, other = (heard_in(tmp_path / f"{name}.wav") for name in ("one", "same", "other"))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(("rate_hz", "channels"), [(8_000, 1), (16_000, 2), (24_000, 1), (48_000, 2)])
def test_it_is_decoded_at_another_rate_and_to_other_channels(
    voice_file: Path, tmp_path: Path, rate_hz: int, channels: int
) -> None:
    done = told(voice_file, tmp_path / "out.wav", decode_rate=rate_hz, decode_channels=channels)
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.channels, info.frames) == (rate_hz, channels, 6 * rate_hz)
    assert (done.output.rate_hz, done.output.channels) == (rate_hz, channels)
    assert done.output.level_dbfs == pytest.approx(done.input.level_dbfs, abs=0.7)


def test_two_channels_stay_two(tmp_path: Path) -> None:
    time_s = np.arange(96_000) / 48_000
    left, right = np.sin(2 * np.pi * 300 * time_s), np.sin(2 * np.pi * 900 * time_s)
    soundfile.write(tmp_path / "in.wav", 0.2 * np.stack((left, right), axis=1), 48_000)
    done = told(tmp_path / "in.wav", tmp_path / "out.wav", bitrate_bps=96_000, application="audio")
    assert done.coding.channels == 2
    heard = heard_in(tmp_path / "out.wav")
    assert np.corrcoef(heard[4800:-4800, 0], left[4800:-4800])[0, 1] > 0.99
    assert np.corrcoef(heard[4800:-4800, 1], right[4800:-4800])[0, 1] > 0.99


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 44_100, 96_000])
def test_files_of_any_rate_are_taken(tmp_path: Path, rate_hz: int) -> None:
    done = told(speech(tmp_path / "in.wav", 2.0, rate_hz), tmp_path / "out.wav")
    assert done.input.rate_hz == rate_hz
    assert done.output.duration_s == pytest.approx(done.input.duration_s, abs=0.0001)
    assert done.delay.measured_ms == pytest.approx(6.5, abs=0.5)


def test_samples_without_a_header_go_in_and_out(voice_file: Path, tmp_path: Path) -> None:
    samples = heard_in(voice_file)[:, 0]
    (tmp_path / "in.raw").write_bytes((samples * 32_767).astype("<i2").tobytes())
    source = Source(tmp_path / "in.raw", RawForm(48_000, 1, "s16"))
    told(source, tmp_path / "out.raw", decode_rate=16_000)
    heard = np.frombuffer((tmp_path / "out.raw").read_bytes(), "<f4")
    assert len(heard) == 6 * 16_000
    told(voice_file, tmp_path / "same.wav", decode_rate=16_000, sample_format="f32")
    assert np.corrcoef(heard, heard_in(tmp_path / "same.wav")[:, 0])[0, 1] > 0.99
    with pytest.raises(UsageError, match="no header"):
        told(tmp_path / "in.raw", tmp_path / "x.wav")


def test_nothing_half_written_stays(voice_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "kept.wav").write_bytes(b"as it was")
    torn = tmp_path / "torn.flac"
    soundfile.write(torn, heard_in(voice_file)[:, 0], 48_000)
    torn.write_bytes(torn.read_bytes()[:100_000])
    with pytest.raises(BlinkError, match="damaged"):
        told(torn, folder / "kept.wav")
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("kept.wav", b"as it was")]


def test_what_cannot_be_is_said(voice_file: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="There is no file"):
        told(tmp_path / "nowhere.wav", tmp_path / "out.wav")
    with pytest.raises(UsageError, match="is what is read"):
        told(voice_file, voice_file)
    with pytest.raises(UsageError, match="no ending"):
        told(voice_file, tmp_path / "out.xyz")
    with pytest.raises(BlinkError, match="There is no folder"):
        told(voice_file, tmp_path / "nowhere" / "out.wav")
    with pytest.raises(UsageError, match="44100 Hz"):
        told(voice_file, tmp_path / "out.wav", decode_rate=44_100)
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(UsageError, match="no sound that can be read"):
        told(tmp_path / "text.wav", tmp_path / "out.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 48_000)
    with pytest.raises(UsageError, match="holds no sound"):
        told(tmp_path / "empty.wav", tmp_path / "out.wav")
    with pytest.raises(UsageError, match="cannot be heard"):
        told(voice_file, tmp_path / "out.opus", loss=0.1)
    with pytest.raises(UsageError, match="loss"):
        LineOptions(loss=1.5)


@pytest.mark.parametrize(
    ("text", "value"), [("10%", 0.1), ("10", 0.1), ("0.1", 0.1), ("0", 0.0), ("1", 0.01), ("100%", 1.0)]
)
def test_a_share_is_read(text: str, value: float) -> None:
    assert share(text) == pytest.approx(value)


def test_digital_silence_has_no_level_and_no_score(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(48_000), 48_000)
    done = told(tmp_path / "in.wav", tmp_path / "out.wav", scores=("pesq",))
    assert (done.input.level_dbfs, done.quality.snr_db, done.quality.pesq_wb) == (None, None, None)
    assert done.quality.missing


@pytest.mark.parametrize(
    ("ending", "encoder", "kind"),
    [
        ("mp3", "libmp3lame", "MP3"),
        ("m4a", "aac", "MP4"),
        ("webm", "libopus", "matroska"),
        ("ogg", "libvorbis", "Ogg Vorbis"),
    ],
)
def test_what_other_programs_wrote_is_read(
    voice_file: Path, tmp_path: Path, ending: str, encoder: str, kind: str
) -> None:
    ffmpeg = require_program("ffmpeg")
    path = tmp_path / f"in.{ending}"
    subprocess.run(
        [ffmpeg, "-v", "error", "-i", str(voice_file), "-c:a", encoder, "-b:a", "96k", str(path)], check=True
    )
    done = told(path, tmp_path / "out.wav")
    assert done.input.kind == kind
    assert done.input.duration_s == pytest.approx(6.0, abs=0.1)
    assert done.input.level_dbfs == pytest.approx(-20, abs=0.5)


def test_six_channels_become_one_voice(tmp_path: Path) -> None:
    spoken, _ = soundfile.read(speech(tmp_path / "voice.wav", 2.0), dtype="float32")
    six = np.zeros((len(spoken), 6), np.float32)
    six[:, 3] = spoken
    soundfile.write(tmp_path / "six.wav", six, 48_000, subtype="FLOAT")
    done = told(tmp_path / "six.wav", tmp_path / "out.wav", channels=1)
    assert done.input.channels == 6
    assert done.output.level_dbfs == pytest.approx(-20, abs=1.5)  # as loud as the one that speaks


@pytest.mark.parametrize("channels", [1, 2])
def test_a_codec_is_judged_by_the_channels_that_it_was_given(tmp_path: Path, channels: int) -> None:
    """Of surround sound two channels, or the voice of all of them: what the others carry is no fault of the codec."""
    spoken = [
        soundfile.read(speech(tmp_path / f"{index}.wav", 4.0, index=index), dtype="float32")[0]
        for index in range(2)
    ]
    six = np.zeros((min(map(len, spoken)), 6), np.float32)
    six[:, 0] = six[:, 1] = spoken[0][: len(six)]
    soundfile.write(tmp_path / "alone.wav", six[:, 0], 48_000, subtype="FLOAT")
    if channels == 2:
        six[:, 4] = six[:, 5] = spoken[1][: len(six)]
    soundfile.write(tmp_path / "six.wav", six, 48_000, subtype="FLOAT")
    alone, of_six = (
        told(tmp_path / f"{name}.wav", tmp_path / "out.wav", channels=channels, bitrate_bps=64_000)
        for name in ("alone", "six")
    )
    assert alone.quality.snr_db is not None
    assert of_six.quality.snr_db == pytest.approx(alone.quality.snr_db, abs=1)


def test_work_that_is_given_up_leaves_nothing(voice_file: Path, tmp_path: Path) -> None:
    class GivenUpError(Exception):
        pass

    def give_up(done: float) -> None:
        if done > 0.3:
            raise GivenUpError

    for name in ("out.wav", "out.opus", "out.mp4", "out.raw"):
        wanted = RoundTrip(
            source=Source(voice_file),
            out=tmp_path / name,
            coder=CoderOptions(settings=CodecSettings()),
            line=LineOptions(),
            heard=HeardForm(),
            scores=(),
        )
        with pytest.raises(GivenUpError):
            round_trip(wanted, give_up)
    assert list(tmp_path.iterdir()) == []
