"""No frame takes the line longer than a tenth of a second, whatever the camera sees; and all of them can be decoded."""

import numpy as np
import pytest

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.media.video_codec import VideoCodec
from blink_cli.video.codec.bounded_encoder import SCALES, TOLERATED, BoundedEncoder, scaled_size
from blink_cli.video.codec.picture_decoder import PictureDecoder
from blink_cli.video.codec.vp8_encoder import FASTEST, MOST_CARE, Vp8Encoder, speed_for
from blink_cli.video.picture import Picture, timestamp_at

pytestmark = pytest.mark.no_clock

SIZE = PictureSize(640, 360)
FPS = 15


def scene(seed: int, number: int) -> Picture:
    """A picture with detail of all sizes, which moves."""
    generator = np.random.default_rng(seed)
    coarse = np.kron(generator.normal(0, 1, (90, 160)), np.ones((4, 4))) * 40
    still = np.clip(coarse + generator.normal(0, 12, (360, 640)) + 128, 16, 235).astype(np.uint8)
    colour = np.full((180, 320), 128, np.uint8)
    return Picture(
        np.roll(still, 2 * number, axis=1), colour, colour, timestamp_at(number / FPS), number / FPS
    )


@pytest.mark.parametrize("codec", VideoCodec)
@pytest.mark.parametrize("bitrate_bps", [100_000, 300_000, 1_000_000])
def test_a_change_of_the_scene_is_bounded_too(bitrate_bps: int, codec: VideoCodec) -> None:
    encoder, decoder = BoundedEncoder(SIZE, FPS, codec), PictureDecoder()
    most = TOLERATED * 0.1 * bitrate_bps / 8
    total = 0
    for number in range(75):
        coded = encoder.encode(scene(number // 25, number), bitrate_bps, FPS, key=number == 60)
        if coded is None:
            continue
        assert len(coded.payload) <= most, f"frame {number}"
        assert decoder.decode(coded) is not None
        total += len(coded.payload)
    assert total * 8 / 5 < 1.2 * bitrate_bps
    assert codec is VideoCodec.H264 or encoder.frames_redone > 0, "a frame at once would have been larger"
    encoder.close()


@pytest.mark.parametrize("bitrate_bps", [100_000, 300_000])
def test_libvpx_by_itself_makes_larger_frames_of_a_change(bitrate_bps: int) -> None:
    alone = Vp8Encoder(SIZE, FPS, bitrate_bps)
    frames = [alone.encode(scene(number // 25, number), bitrate_bps, FPS, key=False) for number in range(75)]
    alone.close()
    assert max(len(one.payload) for one in frames if one is not None) > TOLERATED * 0.1 * bitrate_bps / 8


@pytest.mark.parametrize("codec", list(VideoCodec))
def test_a_cut_is_shown_at_once_and_as_no_key_frame(codec: VideoCodec) -> None:
    encoder, decoder = BoundedEncoder(SIZE, FPS, codec), PictureDecoder()
    for number in range(40):
        picture = scene(number // 25, number)
        coded = encoder.encode(picture, 1_500_000, FPS, key=False)
        assert coded is not None
        shown = decoder.decode(coded)
        if number > 20:
            assert not coded.is_key
        assert len(coded.payload) <= TOLERATED * 0.1 * 1_500_000 / 8
    assert shown is not None
    assert shown.size == SIZE
    assert np.square(shown.y.astype(float) - picture.y).mean() < 120
    encoder.close()


@pytest.mark.parametrize(("codec", "bitrate_bps"), [(VideoCodec.VP8, 250_000), (VideoCodec.H264, 100_000)])
def test_an_easy_scene_is_shown_as_large_as_it_is_and_again_after_a_hard_one(
    codec: VideoCodec, bitrate_bps: int
) -> None:
    encoder = BoundedEncoder(SIZE, FPS, codec)
    flat = np.full((360, 640), 100, np.uint8)
    colour = np.full((180, 320), 128, np.uint8)
    scales = []
    for number in range(300):
        picture = (
            scene(1, number)
            if 20 <= number < 60
            else Picture(flat, colour, colour, timestamp_at(number / FPS), 0)
        )
        encoder.encode(picture, bitrate_bps, FPS, key=False)
        scales.append(encoder.scale)
    assert scales[19] == 1
    assert max(scales[20:60]) > 1
    assert scales[-1] == 1
    encoder.close()


@pytest.mark.parametrize(("codec", "bitrate_bps"), [(VideoCodec.VP8, 60_000), (VideoCodec.H264, 30_000)])
def test_pictures_that_stay_coarse_become_smaller_and_larger_again_with_the_rate(
    codec: VideoCodec, bitrate_bps: int
) -> None:
    encoder = BoundedEncoder(SIZE, FPS, codec)
    scales = []
    for number in range(150):
        encoder.encode(scene(1, number), bitrate_bps if number < 60 else 2_000_000, FPS, key=False)
        scales.append(encoder.scale)
    assert scales[59] >= 2
    assert scales[-1] == 1, "five steps, each tried after half a second"
    encoder.close()


@pytest.mark.parametrize("codec", VideoCodec)
def test_a_frame_that_was_left_out_gives_its_share_to_none_behind_it(codec: VideoCodec) -> None:
    lengths = []
    for left_out in (1, 2):
        encoder = BoundedEncoder(SIZE, FPS, codec)
        frames = [
            encoder.encode(scene(1, number), 1_000_000, FPS, key=False) for number in range(0, 60, left_out)
        ]
        lengths.append(np.mean([len(one.payload) for one in frames[10:] if one is not None]))
        encoder.close()
    assert lengths[1] < 1.3 * lengths[0]


def test_sizes_are_even() -> None:
    assert [scaled_size(SIZE, scale) for scale in SCALES] == [
        PictureSize(640, 360),
        PictureSize(426, 240),
        PictureSize(320, 180),
        PictureSize(212, 120),
        PictureSize(160, 90),
    ]


def test_more_is_tried_where_bits_are_few_and_pixels_too() -> None:
    assert speed_for(SIZE, 30, 200_000) == MOST_CARE
    assert speed_for(SIZE, 30, 2_000_000) < MOST_CARE
    assert speed_for(PictureSize(1280, 720), 30, 200_000) < MOST_CARE
    assert speed_for(PictureSize(1920, 1080), 30, 2_000_000) == FASTEST
