"""VP8 there and back: what is shown, how much it takes, and what strangers may send."""

import numpy as np
import pytest

from blink_cli.core.errors import WireError
from blink_cli.core.media.video.coded_picture import CodedPicture, key_frame_size
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.codec.vp8_encoder import Vp8Encoder
from blink_cli.video.coded_clock import read_clock
from blink_cli.video.picture import Picture, timestamp_at

pytestmark = pytest.mark.no_clock


def pictures(count: int, fps: int = 30) -> list[Picture]:
    camera = open_camera(f"testsrc?size=320x240&fps={fps}")
    camera.start(10.0)
    found = [camera.read(10.0 + number / fps + 0.001) for number in range(count)]
    camera.stop()
    return [picture for picture in found if picture is not None]


def noise(count: int) -> list[Picture]:
    """What no encoder likes: a picture that moves at random, as a scene with much detail does."""
    generator = np.random.default_rng(1)
    coarse = np.kron(generator.normal(0, 1, (60, 80)), np.ones((4, 4))) * 40
    still = np.clip(coarse + generator.normal(0, 4, (240, 320)) + 128, 16, 235).astype(np.uint8)
    colour = np.full((120, 160), 128, np.uint8)
    return [
        Picture(np.roll(still, 3 * number, axis=1), colour, colour, timestamp_at(number / 30), number / 30)
        for number in range(count)
    ]


def test_what_is_decoded_is_what_was_seen() -> None:
    seen = pictures(60)
    encoder, decoder = Vp8Encoder(seen[0].size, 30, 300_000), PictureDecoder()
    for number, picture in enumerate(seen):
        coded = encoder.encode(picture, 300_000, 30, key=number == 30)
        assert coded is not None
        assert coded.is_key == (number in (0, 30))
        shown = decoder.decode(coded)
        assert shown is not None
        assert shown.size == picture.size
        assert shown.timestamp == picture.timestamp
        assert read_clock(shown) == read_clock(picture)
        assert np.square(shown.y.astype(float) - picture.y).mean() < 60
    encoder.close()


def test_the_rate_changes_without_a_key_frame() -> None:
    seen = noise(180)
    encoder = Vp8Encoder(seen[0].size, 30, 250_000)
    sizes, keys = [], []
    for number, picture in enumerate(seen):
        coded = encoder.encode(picture, 250_000 if number < 90 else 120_000, 30, key=False)
        sizes.append(0 if coded is None else len(coded.payload))
        keys.append(coded is not None and coded.is_key)
    assert sum(keys) == 1
    assert 0.6 < 8 * sum(sizes[30:90]) / 2 / 250_000 < 1.3
    assert 0.6 < 8 * sum(sizes[120:180]) / 2 / 120_000 < 1.4
    encoder.close()


def test_strangers_decide_neither_what_is_taken_nor_what_is_shown() -> None:
    (first, second) = pictures(2)
    encoder, decoder = Vp8Encoder(first.size, 30, 300_000), PictureDecoder()
    key, other = (encoder.encode(picture, 300_000, 30, key=False) for picture in (first, second))
    assert key is not None
    assert other is not None
    with pytest.raises(WireError, match="needs others"):
        decoder.decode(other)
    huge = bytearray(key.payload)
    huge[6:10] = b"\xff\x3f\xff\x3f"
    assert key_frame_size(bytes(huge)) == (16383, 16383)
    with pytest.raises(WireError, match="too large"):
        decoder.decode(CodedPicture(bytes(huge), 0, is_key=True))
    assert decoder.decode(key) is not None
    encoder.close()
