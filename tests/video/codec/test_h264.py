"""H.264 there and back: what is shown, how much it takes, and what strangers may send."""

import numpy as np
import pytest

from blink_cli.core.errors import CameraError, WireError
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.core.media.video.h264_stream import (
    IDR_SLICE,
    PICTURE_PARAMETERS,
    SEQUENCE_PARAMETERS,
    kind_of,
    units_of,
)
from blink_cli.video.codec.h264_encoder import H264Encoder
from blink_cli.video.codec.libvpx import libvpx
from blink_cli.video.codec.libx264 import Libx264
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.codec.vp8_encoder import Vp8Encoder
from blink_cli.video.coded_clock import read_clock
from tests.video.codec.test_vp8 import noise, pictures

pytestmark = pytest.mark.no_clock


def test_what_is_decoded_is_what_was_seen_and_key_frames_bring_what_they_need() -> None:
    seen = pictures(60)
    encoder, decoder = H264Encoder(seen[0].size, 30, 300_000), PictureDecoder()
    late = PictureDecoder()
    for number, picture in enumerate(seen):
        coded = encoder.encode(picture, 300_000, 30, key=number == 30)
        assert coded is not None
        assert coded.is_key == (number in (0, 30))
        if coded.is_key:
            assert [kind_of(unit) for unit in units_of(coded.payload)] == [
                SEQUENCE_PARAMETERS,
                PICTURE_PARAMETERS,
                IDR_SLICE,
            ]
            profile = next(units_of(coded.payload))[1:3]
            assert profile == b"\x42\xc0", "Constrained Baseline"
            assert coded.key_size == (320, 240)
        shown = decoder.decode(coded)
        assert shown is not None, "nothing is held back"
        assert shown.size == picture.size
        assert shown.timestamp == picture.timestamp
        assert read_clock(shown) == read_clock(picture)
        assert np.square(shown.y.astype(float) - picture.y).mean() < 60
        if number >= 30:
            assert late.decode(coded) is not None
    encoder.close()


def test_the_rate_changes_without_a_key_frame_and_no_frame_is_longer_than_a_tenth_of_a_second() -> None:
    seen = noise(180)
    encoder = H264Encoder(seen[0].size, 30, 250_000)
    sizes, keys = [], []
    for number, picture in enumerate(seen):
        rate = 250_000 if number < 60 else 120_000 if number < 120 else 1_500_000
        coded = encoder.encode(picture, rate, 30, key=False)
        assert coded is not None
        sizes.append(len(coded.payload))
        keys.append(coded.is_key)
        assert 8 * len(coded.payload) < 0.125 * rate
    assert sum(keys) == 1
    assert 0.5 < 8 * sum(sizes[30:60]) / 250_000 < 1.1
    assert 0.5 < 8 * sum(sizes[90:120]) / 120_000 < 1.1
    assert sum(sizes[120:150]) > 2 * sum(sizes[30:60]), "a larger rate is used at once"
    encoder.close()


def test_pictures_that_come_less_often_have_a_share_of_their_own() -> None:
    sizes = []
    for fps in (30, 10):
        encoder = H264Encoder(noise(1)[0].size, 30, 300_000)
        frames = [encoder.encode(one, 300_000, fps, key=False) for one in noise(60)]
        sizes.append(sum(len(one.payload) for one in frames if one is not None))
        encoder.close()
    assert 1.5 < sizes[1] / sizes[0] < 3.5


def test_a_stream_goes_over_to_another_codec_at_a_key_frame_and_back() -> None:
    seen = pictures(12)
    decoder = PictureDecoder()
    vp8, h264 = Vp8Encoder(seen[0].size, 30, 300_000), H264Encoder(seen[0].size, 30, 300_000)
    for number, picture in enumerate(seen):
        encoder = (vp8, h264)[number // 4 % 2]
        coded = encoder.encode(picture, 300_000, 30, key=number % 4 == 0)
        assert coded is not None
        shown = decoder.decode(coded)
        assert shown is not None
        assert read_clock(shown) == read_clock(picture)
    other = h264.encode(seen[0], 300_000, 30, key=False)
    assert other is not None
    with pytest.raises(WireError, match="needs others"):
        decoder.decode(other)
    vp8.close()
    h264.close()


def test_strangers_decide_neither_what_is_taken_nor_what_is_shown() -> None:
    (first, second) = pictures(2)
    encoder, decoder = H264Encoder(first.size, 30, 300_000), PictureDecoder()
    key, other = (encoder.encode(picture, 300_000, 30, key=False) for picture in (first, second))
    assert key is not None
    assert other is not None
    with pytest.raises(WireError, match="needs others"):
        decoder.decode(other)
    without = CodedPicture(other.payload, 0, is_key=True, codec=other.codec)
    with pytest.raises(WireError, match="no size"):
        decoder.decode(without)
    assert decoder.decode(key) is not None
    encoder.close()


def test_a_library_that_is_missing_or_another_one_is_told_in_a_sentence() -> None:
    for path in ("/nowhere/libx264.so", libvpx()._library._name):
        with pytest.raises(CameraError, match="libx264 cannot be loaded") as refused:
            Libx264(path)
        assert "codec=h264" in (refused.value.hint or "")
