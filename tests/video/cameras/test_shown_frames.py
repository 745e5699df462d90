"""Films as people have them: turned, with wide pixels, interlaced, uneven, with holes, in ten bits."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.filter import Graph
from av.video.stream import VideoStream

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.cameras.file_scenes import FileScene, ImageScene
from blink_cli.video.cameras.shown_frames import as_shown

pytestmark = pytest.mark.no_clock

WIDTH, HEIGHT = 96, 64
TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""Degrees by the clock to the first four numbers of a track's matrix (ISO/IEC 14496-12, section 8.3.2)."""


def corner() -> npt.NDArray[np.uint8]:
    """Grey, with a bright corner on the left above."""
    pixels = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    pixels[: HEIGHT // 2, : WIDTH // 2] = 230
    return pixels


def write_film(
    path: Path, codec: str, pixel_format: str, times: list[int], *, shape: Fraction | None = None
) -> None:
    """Pictures at these hundredths of a second."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=100)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
        stream.codec_context.time_base = Fraction(1, 100)
        if shape is not None:
            stream.codec_context.sample_aspect_ratio = shape
        for place in times:
            frame = av.VideoFrame.from_ndarray(corner(), "rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = place, Fraction(1, 100)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def bright_corner(scene: FileScene) -> tuple[bool, bool]:
    """Whether the bright corner is below, and whether it is on the right."""
    scene.rewind()
    y = scene.at(0.0, 100.0).y
    quarters = [
        y[rows, columns].mean()
        for rows in (slice(None, y.shape[0] // 2), slice(y.shape[0] // 2, None))
        for columns in (slice(None, y.shape[1] // 2), slice(y.shape[1] // 2, None))
    ]
    place = int(np.argmax(quarters))
    scene.close()
    return place >= 2, place % 2 == 1


@pytest.mark.parametrize(
    ("degrees", "below", "right"),
    [(0, False, False), (90, False, True), (180, True, True), (270, True, False)],
)
def test_what_a_telephone_filmed_turned_is_seen_upright(
    tmp_path: Path, degrees: int, *, below: bool, right: bool
) -> None:
    path = tmp_path / "turned.mp4"
    write_film(path, "libx264", "yuv420p", [0, 10, 20])
    content = bytearray(path.read_bytes())
    matrix_at = content.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in TURNS[degrees])
    content[matrix_at : matrix_at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    scene = FileScene(path, loop=True, size=None)
    assert scene.size == (PictureSize(HEIGHT, WIDTH) if degrees % 180 else PictureSize(WIDTH, HEIGHT))
    assert bright_corner(scene) == (below, right)


def test_wide_pixels_are_seen_wide(tmp_path: Path) -> None:
    path = tmp_path / "wide.mkv"
    write_film(path, "libx264", "yuv420p", [0, 10], shape=Fraction(4, 3))
    assert FileScene(path, loop=True, size=None).size == PictureSize(WIDTH * 4 // 3, HEIGHT)
    scene = FileScene(path, loop=True, size=PictureSize(192, 96))  # its shape: nothing is black beside
    scene.rewind()
    assert scene.at(0.0, 1.0).y[:, [0, -1]].min() > 40
    scene.close()


def test_a_film_of_uneven_pace_is_as_fast_as_it_is_at_its_fastest(tmp_path: Path) -> None:
    path = tmp_path / "uneven.mp4"
    write_film(path, "libx264", "yuv420p", [*range(0, 60, 4), *range(60, 300, 40)])
    assert FileScene(path, loop=True, size=None).fps == pytest.approx(25, abs=0.5)


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"),
    [
        ("libx265", "yuv420p10le", ".mkv"),
        ("ffv1", "yuv444p", ".mkv"),
        ("ffv1", "gray", ".mkv"),
        ("mjpeg", "yuvj422p", ".avi"),
    ],
)
def test_other_formats_are_seen_as_they_are(
    tmp_path: Path, codec: str, pixel_format: str, suffix: str
) -> None:
    path = tmp_path / f"film{suffix}"
    write_film(path, codec, pixel_format, [0, 10, 20] if suffix == ".mkv" else [0, 1, 2])
    scene = FileScene(path, loop=True, size=None)
    assert bright_corner(scene) == (False, False)
    scene.rewind()
    y = scene.at(0.0, 1.0).y
    assert y[8:24, 8:40].mean() == pytest.approx(16 + 230 * 219 / 255, abs=6)
    assert y[40:, 56:].mean() == pytest.approx(16 + 60 * 219 / 255, abs=6)
    scene.close()


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_what_is_transparent_is_black(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"holes{suffix}"
    pixels = np.dstack((corner(), np.full((HEIGHT, WIDTH), 255, np.uint8)))
    pixels[:, WIDTH // 2 :, 3] = 0
    pixels[HEIGHT // 2 :, : WIDTH // 2, 3] = 128
    with av.open(str(path), "w") as file:
        stream = file.add_stream("png" if suffix == ".png" else "libwebp", rate=1)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "rgba" if suffix == ".png" else "bgra"
        frame = av.VideoFrame.from_ndarray(pixels, "rgba").reformat(format=stream.pix_fmt)
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    y = ImageScene(path, None).at(0.0, 1.0).y
    assert y[:, WIDTH // 2 + 4 :] == pytest.approx(16, abs=3)
    assert y[4:24, 4:40].mean() == pytest.approx(16 + 230 * 219 / 255, abs=6)
    assert y[40:60, 4:40].mean() == pytest.approx(16 + 30 * 219 / 255, abs=6)


def of_fields(frame: av.VideoFrame) -> av.VideoFrame:
    """The same, said to hold two half pictures, the upper line's first."""
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    graph.link_nodes(source, graph.add("setfield", "tff"), graph.add("buffersink")).configure()
    frame.pts = 0
    graph.push(frame)
    found = graph.pull()
    assert isinstance(found, av.VideoFrame)
    return found


def test_of_two_half_pictures_one_is_seen() -> None:
    frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    y = np.zeros((HEIGHT, WIDTH), np.uint8)
    y[::2, 10:20] = 200  # the first one
    y[1::2, 50:60] = 200  # a fiftieth of a second later
    grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    frame = av.VideoFrame.from_ndarray(
        np.concatenate((y.ravel(), grey.ravel(), grey.ravel())).reshape(-1, WIDTH), "yuv420p"
    )
    assert as_shown(frame) is frame
    shown = as_shown(of_fields(frame)).to_ndarray(format="gray")
    assert shown.shape == (HEIGHT // 2, WIDTH)
    assert shown[:, 10:20].min() > 150
    assert shown[:, 50:60].max() < 50
