"""Settings that change while a voice is encoded: what a decoder plays goes on."""

import itertools

import msgspec
import numpy as np
import pytest

from blink_cli.audio.opus.adjustable_encoder import AdjustableEncoder
from blink_cli.audio.opus.decoder import OpusDecoder
from blink_cli.audio.samples import Samples
from blink_cli.core.media.codec_settings import CodecSettings
from blink_cli.lab.continuity import clicks, gaps

pytestmark = pytest.mark.no_clock

HZ = 440
TONE: Samples = np.asarray(0.1 * np.sin(2 * np.pi * HZ * np.arange(4 * 48_000) / 48_000), np.float32)
CHANGED_AT = 95_040  # whole frames of any length

SETTINGS = {
    "usual": CodecSettings(),
    "rich": CodecSettings(bitrate_bps=96_000),
    "short": CodecSettings(bitrate_bps=96_000, frame_ms=2.5),
    "long": CodecSettings(frame_ms=60),
    "quick": CodecSettings(bitrate_bps=64_000, application="lowdelay", frame_ms=5),
    "faithful": CodecSettings(bitrate_bps=96_000, application="audio"),
    "stereo": CodecSettings(bitrate_bps=64_000, stereo=True),
}


def encoded(encoder: AdjustableEncoder, sound: Samples) -> list[bytes]:
    size = encoder.frame_samples
    frames = [sound[at : at + size] for at in range(0, len(sound) - size + 1, size)]
    if encoder.channels == 2:
        return [encoder.encode(np.stack((frame, frame), axis=1)) for frame in frames]
    return [encoder.encode(frame) for frame in frames]


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(SETTINGS, 2)))
def test_a_change_leaves_no_gap_and_no_click(before: str, after: str) -> None:
    encoder, decoder = AdjustableEncoder(SETTINGS[before]), OpusDecoder()
    payloads = encoded(encoder, TONE[:CHANGED_AT])
    encoder.adjust(SETTINGS[after])
    payloads += encoded(encoder, TONE[CHANGED_AT:])
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])
    assert len(heard) >= len(TONE) - 2_880
    whole = heard[24_000:]
    assert gaps(whole) == []
    assert clicks(whole, HZ) == []


def test_what_is_told_is_what_comes_out() -> None:
    encoder = AdjustableEncoder(CodecSettings())
    assert (encoder.figures().kind, encoder.figures().bitrate_bps) == (None, None)
    noise = np.random.default_rng(1).normal(0, 0.05, 3 * 48_000).astype(np.float32)
    encoded(encoder, noise)
    figures = encoder.figures()
    assert figures.bitrate_bps == pytest.approx(32_000, rel=0.25)
    assert figures.kind is not None
    assert (figures.kind.channels, figures.fec_loss_percent) == (1, None)
    encoder.set_fec_loss(20)
    assert encoder.figures().fec_loss_percent == 20
    encoder.adjust(CodecSettings(bitrate_bps=128_000, frame_ms=2.5, stereo=True))
    assert encoder.figures().bitrate_bps is None, "of what was before nothing is told"
    encoded(encoder, noise)
    figures = encoder.figures()
    assert figures.bitrate_bps == pytest.approx(128_000, rel=0.15)
    assert figures.kind is not None
    assert (figures.kind.mode, figures.kind.frame_ms, figures.kind.channels) == ("sound", 2.5, 2)
    assert figures.fec_loss_percent is None, "frames so short carry none"


def test_fec_is_kept_by_another_encoder() -> None:
    encoder = AdjustableEncoder(CodecSettings())
    encoder.set_fec_loss(20)
    encoded(encoder, TONE[:48_000])
    encoder.adjust(msgspec.structs.replace(CodecSettings(), application="audio"))
    assert encoder.figures().fec_loss_percent == 20


def test_short_copies_are_made_while_they_are_wanted_and_are_the_same_sound() -> None:
    encoder = AdjustableEncoder(CodecSettings())
    noise = np.random.default_rng(1).normal(0, 0.03, len(TONE))
    spoken: Samples = np.asarray(TONE + noise, np.float32)
    frames = [spoken[at : at + 960] for at in range(0, 48_000 - 960, 960)]
    sizes = {False: 0, True: 0}
    decoder = OpusDecoder()
    heard = []
    for number, samples in enumerate(frames):
        if number in (10, 40):
            encoder.make_short_copies(16_000 if number == 10 else None)
        payload = encoder.encode(samples)
        wanted = 10 <= number < 40
        assert bool(encoder.short_copy) == wanted, number
        sizes[False] += wanted * len(payload)
        sizes[True] += len(encoder.short_copy)
        # The decoder is given now the one and now the other, as behind a loss.
        heard.append(decoder.decode(encoder.short_copy if wanted and number % 2 else payload))
    assert sizes[True] < 0.7 * sizes[False]
    sound = np.concatenate(heard)[4_800:]
    assert np.sqrt(np.mean(sound**2)) == pytest.approx(np.sqrt(np.mean(spoken**2)), rel=0.15)


def test_a_voice_of_a_low_bit_rate_makes_no_shorter_copies() -> None:
    encoder = AdjustableEncoder(CodecSettings(bitrate_bps=16_000))
    encoder.make_short_copies(16_000)
    encoder.encode(TONE[:960])
    assert encoder.short_copy == b""
