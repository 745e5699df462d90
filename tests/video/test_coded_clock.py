"""The clock in the picture, behind what a call does to it."""

from fractions import Fraction

import av
import numpy as np
import pytest

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.coded_clock import PERIOD_S, age_s, read_clock
from blink_cli.video.frames import Fitter, frame_of
from blink_cli.video.picture import Picture, black

pytestmark = pytest.mark.no_clock


def taken(start_s: float, count: int, name: str) -> list[Picture]:
    camera = open_camera(name)
    camera.start(start_s)
    pictures = []
    for k in range(count):
        picture = camera.read(start_s + k / camera.parameters.fps)
        assert picture is not None
        pictures.append(picture)
    camera.stop()
    return pictures


@pytest.mark.parametrize("moment_s", [0.0, 0.001, 12345.678, PERIOD_S - 0.001, 1e9 + 0.25])
@pytest.mark.parametrize("size", ["160x90", "640x360", "1920x1080"])
def test_it_is_read_to_the_millisecond(moment_s: float, size: str) -> None:
    (picture,) = taken(moment_s, 1, f"testsrc?size={size}")
    shown_s = read_clock(picture)
    assert shown_s == pytest.approx(moment_s % PERIOD_S, abs=0.0011)
    age = age_s(picture, moment_s + 0.2)
    assert age == pytest.approx(0.2, abs=0.0011)


def test_it_survives_vp8_at_100_kb_s_and_scaling() -> None:
    """Each picture of five seconds, at 160x90 behind a codec that has 100 kb/s for 640x360."""
    pictures = taken(7000.0, 75, "testsrc?fps=15")
    encoder = av.VideoCodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p"
    encoder.bit_rate, encoder.framerate = 100_000, Fraction(15)
    encoder.options = {"deadline": "realtime", "cpu-used": "-8", "lag-in-frames": "0"}
    decoder = av.VideoCodecContext.create("libvpx", "r")
    small = Fitter(PictureSize(160, 90))
    size_bits = 0
    seen = {}
    for k, picture in enumerate(pictures):
        frame = frame_of(picture)
        frame.pts = k
        for packet in encoder.encode(frame):
            size_bits += 8 * packet.size
            for decoded in decoder.decode(packet):
                seen[k] = small.fit(decoded, 0, None)
    assert size_bits / 5 < 130_000
    assert len(seen) > 0.5 * len(pictures)
    wrong = [
        k
        for k, picture in seen.items()
        if read_clock(picture) != pytest.approx(pictures[k].captured_at, abs=0.0011)
    ]
    assert not wrong


def test_what_shows_no_clock_is_not_read() -> None:
    noise = np.random.default_rng(3)
    for _ in range(300):
        y = noise.integers(16, 236, (90, 160), np.uint8)
        picture = black(PictureSize(160, 90), 1.0)
        assert read_clock(Picture(y, picture.u, picture.v, 0, None)) is None
    assert read_clock(black(PictureSize(160, 90), 1.0)) is None


def test_half_of_one_moment_and_half_of_the_next_is_not_read() -> None:
    one, other = taken(5.0, 2, "testsrc?fps=1.7")
    y = one.y.copy()
    y[:, 320:] = other.y[:, 320:]
    assert read_clock(Picture(y, one.u, one.v, 0, None)) is None
