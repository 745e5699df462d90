import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from blink_cli.audio.devices.plain_sounds import Tone
from blink_cli.audio.devices.sounds import FileSound
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.audio.samples import Samples
from blink_cli.core.errors import DeviceError, NotFoundError
from blink_cli.lab.requirements import require_program

pytestmark = pytest.mark.no_clock


def chirp(rate_hz: int, seconds: float) -> Samples:
    """Sweep through the band that a voice has; every moment of it differs from every other."""
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    sweep: Samples = (0.5 * np.sin(2 * np.pi * (100 * time_s + 1400 * time_s**2 / seconds))).astype(
        np.float32
    )
    return sweep


def read(sound: FileSound | Tone, seconds: float) -> Samples:
    return np.concatenate([sound.next(480) for _ in range(round(seconds * 100))])


@pytest.mark.parametrize(("channels", "carrying"), [(6, 3), (8, 8)])
@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_a_voice_on_one_channel_of_a_file_keeps_its_level(
    tmp_path: Path, channels: int, carrying: int, rate_hz: int
) -> None:
    frames = np.zeros((rate_hz, channels), dtype=np.float32)
    frames[:, carrying - 1] = chirp(rate_hz, 1.0)
    soundfile.write(tmp_path / "voice.wav", frames, rate_hz, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav")
    sound.rewind()
    assert np.sqrt((read(sound, 0.9) ** 2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    reading = sound.channels()
    assert reading is not None
    assert (reading.loudest, reading.soft) == (carrying, False)
    chosen = FileSound(tmp_path / "voice.wav", channel=1)
    chosen.rewind()
    assert not read(chosen, 0.9).any()
    reading = chosen.channels()
    assert reading is not None
    assert reading.soft
    with pytest.raises(NotFoundError, match=f"has {channels} channels; there is no channel 9"):
        FileSound(tmp_path / "voice.wav", channel=9)


@pytest.mark.parametrize("rate_hz", [48_000, 44_100])
def test_two_channels_of_a_file_stay_two(tmp_path: Path, rate_hz: int) -> None:
    frames = np.zeros((rate_hz, 2), dtype=np.float32)
    frames[:, 1] = chirp(rate_hz, 1.0)
    soundfile.write(tmp_path / "voice.wav", frames, rate_hz, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav")
    assert sound.width == 2
    sound.rewind()
    heard = read(sound, 0.9)
    assert not heard[:, 0].any()
    assert np.sqrt((heard[:, 1] ** 2).mean()) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    assert FileSound(tmp_path / "voice.wav", channel=2).width == 1


def test_a_file_at_48_khz_is_heard_bit_by_bit_and_silence_after_its_end(tmp_path: Path) -> None:
    voice = chirp(48_000, 0.995)
    soundfile.write(tmp_path / "voice.wav", voice, 48_000, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav")
    for _ in range(2):
        sound.rewind()
        heard = read(sound, 1.5)
        np.testing.assert_array_equal(heard[: len(voice)], voice)
        assert not heard[len(voice) :].any()
    sound.close()


@pytest.mark.parametrize(
    "encoder",
    [
        "opusenc --quiet --bitrate 64 {wav} {opus}",
        "opusenc --quiet --framesize 60 --bitrate 64 {wav} {opus}",
        "ffmpeg -v error -i {wav} -c:a libopus -frame_duration 2.5 -b:a 96k {opus}",
    ],
)
@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
def test_ogg_opus_is_heard_in_its_time_and_again_when_it_loops(
    tmp_path: Path, encoder: str, rate_hz: int
) -> None:
    voice = chirp(rate_hz, 1.3)
    wav, opus = tmp_path / "voice.wav", tmp_path / "voice.opus"
    soundfile.write(wav, voice, rate_hz, subtype="FLOAT")
    name, *arguments = encoder.format(wav=wav, opus=opus).split()
    program = require_program(name, debian_package={"opusenc": "opus-tools"}.get(name))
    subprocess.run([program, *arguments], check=True)
    truth, sound = FileSound(wav, loop=True), FileSound(opus, loop=True)
    for one in (truth, sound):
        one.rewind()
    # Three times over: what a start or an end misses, or a loop adds, is out of time in the third.
    expected, heard = read(truth, 4), read(sound, 4)
    assert np.sqrt(np.mean((heard - expected) ** 2)) < 0.2 * np.sqrt(np.mean(expected**2))
    late = [np.dot(heard[48_000:], np.roll(expected, by)[48_000:]) for by in range(-48, 49)]
    assert abs(int(np.argmax(late)) - 48) <= 1, "samples"


def test_the_gain_that_an_ogg_opus_file_asks_for_is_applied(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.opus", chirp(48_000, 1.0), 48_000, format="OGG", subtype="OPUS")
    page = bytearray((tmp_path / "loud.opus").read_bytes())
    assert page[28:36] == b"OpusHead"
    struct.pack_into("<h", page, 44, -12 * 256)  # RFC 7845, 5.1: in 1/256 dB
    struct.pack_into("<I", page, 22, 0)
    struct.pack_into("<I", page, 22, ogg_checksum(bytes(page[: 28 + 19])))
    (tmp_path / "quiet.opus").write_bytes(page)
    levels = []
    for name in ("loud.opus", "quiet.opus"):
        sound = FileSound(tmp_path / name)
        sound.rewind()
        levels.append(np.sqrt((read(sound, 0.9) ** 2).mean()))
    assert 20 * np.log10(levels[0] / levels[1]) == pytest.approx(12, abs=0.1)


def ogg_checksum(page: bytes) -> int:
    """RFC 3533, section 6: CRC-32 of polynomial 0x04c11db7, not reflected."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = ((register << 1) ^ (0x04C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_other_rates_are_converted_without_delay(tmp_path: Path, rate_hz: int, channels: int) -> None:
    voice = np.repeat(chirp(rate_hz, 1.0)[:, None], channels, axis=1)
    soundfile.write(tmp_path / "voice.wav", voice, rate_hz, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav")
    sound.rewind()
    heard = read(sound, 1.0).reshape(48_000, channels)
    sound.close()
    error = heard[480:-960] - chirp(48_000, 1.0)[480:-960, None]
    assert np.abs(error).max() < 0.002


@pytest.mark.parametrize("name", ["voice.flac", "voice.ogg", "voice.mp3", "voice.aiff"])
def test_formats(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, chirp(44_100, 1.0), 44_100)
    sound = FileSound(tmp_path / name)
    sound.rewind()
    heard = read(sound, 1.0)
    sound.close()
    assert np.corrcoef(np.abs(heard), np.abs(heard))[0, 1] == pytest.approx(1.0)
    assert float(np.sqrt((heard**2).mean())) == pytest.approx(0.5 / np.sqrt(2), rel=0.1)


def test_a_loop_has_no_gap(tmp_path: Path) -> None:
    voice = chirp(48_000, 0.333)
    soundfile.write(tmp_path / "voice.wav", voice, 48_000, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav", loop=True)
    sound.rewind()
    np.testing.assert_array_equal(read(sound, 1.0), np.tile(voice, 4)[:48_000])
    sound.close()


def test_skipping_leaves_out_that_much(tmp_path: Path) -> None:
    voice = chirp(48_000, 1.0)
    soundfile.write(tmp_path / "voice.wav", voice, 48_000, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav")
    sound.rewind()
    sound.skip(12_345)
    np.testing.assert_array_equal(sound.next(480), voice[12_345 : 12_345 + 480])
    sound.close()


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 48_000)
    for name, says in (
        ("missing.wav", "There is no file"),
        ("text.wav", "cannot be read as sound"),
        ("empty.wav", "holds no sound"),
        (".", "not an ordinary file"),
    ):
        with pytest.raises(DeviceError, match=says) as caught:
            FileSound(tmp_path / name)
        assert caught.value.hint


def test_a_file_that_is_gone_at_the_start_of_a_call_is_an_error(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.wav", chirp(48_000, 0.1), 48_000)
    sound = FileSound(tmp_path / "voice.wav")
    (tmp_path / "voice.wav").unlink()
    with pytest.raises(DeviceError):
        sound.rewind()


def damage(path: Path, *, from_share: float) -> Path:
    """Write a FLAC file of 2 s whose bytes are zeros from there on."""
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 96_000)
    soundfile.write(path, noise, 48_000)
    content = path.read_bytes()
    kept = max(200, int(len(content) * from_share))
    path.write_bytes(content[:kept] + bytes(len(content) - kept))
    return path


def test_a_file_that_is_damaged_at_its_beginning_is_an_error_of_rewind(tmp_path: Path) -> None:
    sound = FileSound(damage(tmp_path / "voice.flac", from_share=0.0))
    with pytest.raises(DeviceError, match="is damaged") as caught:
        sound.rewind()
    assert caught.value.hint


def test_damage_in_the_middle_is_an_error_where_it_is(tmp_path: Path) -> None:
    sound = FileSound(damage(tmp_path / "voice.flac", from_share=0.5))
    sound.rewind()
    read(sound, 0.5)
    with pytest.raises(DeviceError, match="is damaged"):
        read(sound, 1.5)
    sound.close()


def test_a_microphone_whose_file_is_damaged_tells_so_and_hears_zeros(tmp_path: Path) -> None:
    device = VirtualInput("file", FileSound(damage(tmp_path / "voice.flac", from_share=0.5)))
    for _ in range(2):
        device.start(0.0)
        assert device.reading(0.0).failure is None
        heard = np.concatenate([device.read(480) for _ in range(200)])
        failure = device.reading(2.0).failure
        assert failure is not None
        assert "is damaged" in failure
        assert heard.shape == (96_000, 1)
        assert heard[:24_000].any()
        assert not heard[-24_000:].any()
        device.stop()


def test_a_tone_is_a_sine_at_minus_20_dbfs_without_seams() -> None:
    tone = Tone(440)
    heard = read(tone, 60.0)[-48_000:]
    spectrum = np.abs(np.fft.rfft(heard))
    assert int(spectrum.argmax()) == 440
    assert spectrum[440] / 24_000 == pytest.approx(0.1, rel=1e-3)
    assert np.delete(spectrum, 440).max() / 24_000 < 1e-4


@pytest.mark.parametrize("rate_hz", [16_000, 48_000])
@pytest.mark.parametrize("frames", [1, 7, 480, 5_000])
def test_a_loop_of_any_length_goes_on_without_a_seam(tmp_path: Path, rate_hz: int, frames: int) -> None:
    soundfile.write(tmp_path / "short.wav", np.full(frames, 0.25), rate_hz, subtype="FLOAT")
    sound = FileSound(tmp_path / "short.wav", loop=True)
    sound.rewind()
    heard = read(sound, 1.0)
    assert np.abs(heard[480:] - 0.25).max() < 0.01
    sound.skip(10 * 48_000)
    assert len(sound._ready) < 48_000, "what is left out is not kept"
    assert np.abs(read(sound, 0.1) - 0.25).max() < 0.01
    sound.close()


def test_what_is_left_out_is_left_out_to_the_sample(tmp_path: Path) -> None:
    voice = chirp(48_000, 2.0)
    soundfile.write(tmp_path / "voice.wav", voice, 48_000, subtype="FLOAT")
    sound = FileSound(tmp_path / "voice.wav")
    sound.rewind()
    sound.next(480)
    sound.skip(33_333)
    np.testing.assert_array_equal(sound.next(480), voice[33_813:34_293])
    sound.skip(480_000)
    assert not sound.next(480).any()
    sound.close()


def test_what_is_no_ordinary_file_is_refused_before_anybody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path / "pipe.wav", tmp_path, Path("/dev/zero")):
        with pytest.raises(DeviceError, match="not an ordinary file"):
            FileSound(path)


@pytest.mark.parametrize("ending", [".mp3", ".vox", ".gsm", ".au"])
def test_files_that_are_told_by_their_endings_alone_are_heard(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"old{ending}"
    soundfile.write(path.with_suffix(".bytes"), chirp(48_000, 1.0), 48_000, format="MP3")
    path.write_bytes(bytes(100) + path.with_suffix(".bytes").read_bytes())
    sound = FileSound(path)
    sound.rewind()
    assert np.any(sound.next(48_000))
    sound.close()
