"""libopus itself: what goes in comes out, what is lost is repaired, and what is missing is said."""

import os
import subprocess
import sys

import numpy as np
import numpy.typing as npt
import pytest

from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.opus.encoder import LONGEST_PAYLOAD_BYTES, OpusEncoder
from blink_cli.audio.opus.library import library_version
from blink_cli.core.errors import DeviceError
from blink_cli.core.media.codec_settings import Application, CodecSettings
from blink_cli.core.media.opus_packet import carries_fec, is_discontinuous, packet_samples

pytestmark = pytest.mark.no_clock(sockets=True)

Samples = npt.NDArray[np.float32]


def voice(seconds: float, pitch_hz: float = 120.0) -> Samples:
    """A buzz with a moving formant: enough like a voice for SILK."""
    time = np.arange(int(48_000 * seconds)) / 48_000
    buzz = np.sum([np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 25)], axis=0)
    return np.asarray(0.1 * buzz * (1 + 0.5 * np.sin(2 * np.pi * 4 * time)), np.float32)


def frames_of(samples: Samples, size: int) -> list[Samples]:
    return [samples[at : at + size] for at in range(0, len(samples) - size + 1, size)]


def test_a_library_is_found() -> None:
    assert "opus" in library_version()


@pytest.mark.parametrize("frame_ms", [10, 20, 40, 60])
@pytest.mark.parametrize("application", ["voip", "audio", "lowdelay"])
def test_sound_comes_back_after_the_lookahead(frame_ms: int, application: Application) -> None:
    settings = CodecSettings(frame_ms=frame_ms, application=application, bitrate_bps=64_000)
    encoder, decoder = OpusEncoder(settings), OpusDecoder()
    sound = voice(0.6)
    packets = [encoder.encode(frame) for frame in frames_of(sound, settings.frame_samples)]
    assert {packet_samples(packet) for packet in packets} == {settings.frame_samples}
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    delay = 120 if application == "lowdelay" else 312  # opus_ctlvalues, OPUS_GET_LOOKAHEAD
    assert (
        np.corrcoef(sound[4800 : len(heard) - delay], heard[4800 + delay :])[0, 1] > 0.7
    )  # SILK moves phases


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 24_000, 48_000])
def test_samples_of_other_rates_and_two_channels_come_back(rate_hz: int) -> None:
    settings = CodecSettings(bitrate_bps=96_000, application="audio")
    encoder = OpusEncoder(settings, rate_hz=rate_hz, channels=2)
    decoder = OpusDecoder(rate_hz=rate_hz, channels=2)
    assert encoder.frame_samples == rate_hz // 50
    time_s = np.arange(rate_hz) / rate_hz
    left, right = np.sin(2 * np.pi * 300 * time_s), np.sin(2 * np.pi * 800 * time_s)
    sound = np.stack((0.2 * left, 0.1 * right), axis=1).astype(np.float32)
    heard = np.concatenate([decoder.decode(encoder.encode(f)) for f in frames_of(sound, rate_hz // 50)])
    assert heard.shape == sound.shape
    delay = encoder.lookahead_samples
    assert delay == rate_hz * 13 // 2000
    for channel in (0, 1):
        assert np.corrcoef(sound[: len(sound) - delay, channel], heard[delay:, channel])[0, 1] > 0.99


def test_the_longest_packet_is_as_long_as_allowed() -> None:
    noise = np.asarray(np.random.default_rng(3).normal(0, 0.2, 2880), np.float32)
    settings = CodecSettings(bitrate_bps=510_000, frame_ms=60, application="audio", cbr=True)
    assert len(OpusEncoder(settings).encode(noise)) <= 1276
    assert len(OpusEncoder(settings, most_bytes=LONGEST_PAYLOAD_BYTES).encode(noise)) > 3_700


def test_fec_in_the_next_packet_is_better_than_a_guess() -> None:
    encoder = OpusEncoder(CodecSettings())
    encoder.set_fec(20, enabled=True)
    sound = voice(2.0)
    packets = [encoder.encode(frame) for frame in frames_of(sound, 960)]
    whole = OpusDecoder()
    truth = [whole.decode(packet) for packet in packets]
    errors = {"fec": 0.0, "guess": 0.0}
    for lost in range(20, len(packets) - 1, 3):
        if not carries_fec(packets[lost + 1]):
            continue
        for way, total in errors.items():
            decoder = OpusDecoder()
            for packet in packets[:lost]:
                decoder.decode(packet)
            repaired = decoder.decode_fec(packets[lost + 1], 960) if way == "fec" else decoder.conceal(960)
            errors[way] = total + float(np.mean((repaired - truth[lost]) ** 2))
    assert 0 < errors["fec"] < errors["guess"]


def test_without_the_hint_no_packet_carries_fec() -> None:
    encoder = OpusEncoder(CodecSettings())
    assert not any(carries_fec(encoder.encode(frame)) for frame in frames_of(voice(0.5), 960))


def test_dtx_says_that_a_silence_goes_on() -> None:
    encoder = OpusEncoder(CodecSettings(dtx=True))
    for frame in frames_of(voice(0.5), 960):
        encoder.encode(frame)
    packets = [encoder.encode(np.zeros(960, np.float32)) for _ in range(50)]
    assert sum(is_discontinuous(packet) for packet in packets) > 20


def test_at_a_constant_bit_rate_lengths_tell_nothing() -> None:
    noise = np.random.default_rng(5).standard_normal(9_600).astype(np.float32) * 0.1
    sound = np.concatenate((voice(0.4), np.zeros(9_600, np.float32), noise, voice(0.2)))

    def lengths(settings: CodecSettings) -> set[int]:
        encoder = OpusEncoder(settings)
        found = set()
        for loss_percent in (0, 20):  # FEC takes its share of the same bits
            encoder.set_fec(loss_percent, enabled=loss_percent > 0)
            found |= {len(encoder.encode(frame)) for frame in frames_of(sound, 960)}
        return found

    assert lengths(CodecSettings(cbr=True)) == {80}, "32,000 bits a second"
    assert len(lengths(CodecSettings())) > 5


def test_bits_are_spent_on_the_band_that_is_there() -> None:
    toc_of = []
    for sound in (voice(0.4), np.random.default_rng(5).standard_normal(19_200).astype(np.float32) * 0.1):
        encoder = OpusEncoder(CodecSettings())
        toc_of.append([encoder.encode(frame)[0] >> 3 for frame in frames_of(sound, 960)][-1])
    narrow, wide = toc_of
    assert narrow in range(12), "a SILK mode: nothing above 8 kHz"
    assert wide >= 12, "a hybrid or CELT mode"


def test_a_forgotten_decoder_is_like_a_new_one() -> None:
    packet = OpusEncoder(CodecSettings()).encode(voice(0.02))
    used, fresh = OpusDecoder(), OpusDecoder()
    for _ in range(5):
        used.decode(packet)
    used.reset()
    np.testing.assert_array_equal(used.decode(packet), fresh.decode(packet))


def test_bytes_that_are_not_opus_are_an_error_and_not_a_crash() -> None:
    decoder = OpusDecoder()
    with pytest.raises(DeviceError, match="decoding"):
        decoder.decode(b"\xff\xff\xff\xff")
    assert len(decoder.conceal(480)) == 480


@pytest.mark.parametrize(
    ("named", "said"), [("/nowhere/libopus.so", "cannot be loaded"), (sys.executable, "cannot be loaded")]
)
def test_a_named_library_that_cannot_be_used_is_said(named: str, said: str) -> None:
    code = "from blink_cli.audio.opus.library import library_version; library_version()"
    environment = os.environ | {"BLINK_LIBOPUS": named}
    result = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert "DeviceError" in result.stderr
    assert said in result.stderr


def test_finding_the_library_does_not_import_pyav() -> None:
    code = "import sys; from blink_cli.audio.opus.library import library_version as v; v(); print('av' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
