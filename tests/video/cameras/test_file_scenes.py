"""Videos and images as cameras: which picture is seen when, in which shape, and what is said of files that are none."""

import struct
import zlib
from pathlib import Path

import av
import numpy as np
import pytest

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.errors import CameraError
from blink_cli.video.cameras.file_scenes import FileScene, ImageScene
from blink_cli.video.cameras.opener import open_camera
from tests.video.cameras.test_conformance import write_clip

pytestmark = pytest.mark.no_clock


def brightness(scene: FileScene, position_s: float) -> float:
    return float(scene.at(position_s, 100 + position_s).y.mean())


@pytest.mark.parametrize("codec", ["libx264", "libvpx"])
def test_a_picture_is_seen_in_its_time_and_black_follows(tmp_path: Path, codec: str) -> None:
    path = tmp_path / f"clip.{'mp4' if codec == 'libx264' else 'webm'}"
    write_clip(path, codec)
    scene = FileScene(path, loop=False, size=None)
    assert (scene.size, scene.fps) == (PictureSize(96, 64), 10)
    scene.rewind()
    for position_s in (0.0, 0.05, 0.1, 0.95, 1.9, 1.99):
        assert brightness(scene, position_s) == pytest.approx(30 + 10 * int(position_s * 10 + 1e-6), abs=3)
    assert brightness(scene, 2.0) == 16
    assert brightness(scene, 100.0) == 16
    scene.rewind()
    assert brightness(scene, 0.0) == pytest.approx(30, abs=3)
    scene.close()


def test_a_loop_begins_again_without_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, "libx264")
    scene = FileScene(path, loop=True, size=None)
    scene.rewind()
    for position_s in (1.95, 2.0, 2.15, 3.95, 4.0, 11.35):
        assert brightness(scene, position_s) == pytest.approx(
            30 + 10 * int((position_s % 2) * 10 + 1e-6), abs=3
        )
    scene.close()


def test_a_picture_of_another_shape_is_fitted_with_black_beside(tmp_path: Path) -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    av.VideoFrame.from_ndarray(image, "rgb24").save(str(tmp_path / "square.png"))
    picture = ImageScene(tmp_path / "square.png", PictureSize(64, 32)).at(0, 1)
    assert picture.y.shape == (32, 64)
    assert (picture.y[:, :15] == 16).all()
    assert (picture.y[:, 49:] == 16).all()
    assert picture.y[:, 17:47] == pytest.approx(235, abs=1)


def test_colours_are_in_the_limited_range(tmp_path: Path) -> None:
    av.VideoFrame.from_ndarray(np.full((64, 64, 3), (255, 0, 0), np.uint8), "rgb24").save(
        str(tmp_path / "red.png")
    )
    picture = ImageScene(tmp_path / "red.png", None).at(0, 1)
    # ITU-R BT.601: red is 81, 90, 240.
    assert [int(np.median(plane)) for plane in (picture.y, picture.u, picture.v)] == pytest.approx(
        [81, 90, 240], abs=1
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.mp4", None, "There is no file"),
        ("text.mp4", b"no video at all\n" * 50, "cannot be read as video"),
        ("empty.mp4", b"", "cannot be read as video"),
        (
            "list.m3u8",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n",
            "cannot be read as video",
        ),
        ("list.ffconcat", b"ffconcat version 1.0\nfile clip.mp4\n", "cannot be read as video"),
    ],
)
@pytest.mark.parametrize("kind", ["file", "image"])
def test_what_is_no_video_is_an_error_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, content: bytes | None, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "clip.mp4", "libx264")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(CameraError, match=says) as error:
        open_camera(f"{kind}:{tmp_path / name}")
    assert error.value.hint
    assert "Errno" not in str(error.value)


@pytest.mark.parametrize("kind", ["file", "image"])
def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path: Path, kind: str) -> None:
    """A few kB that would take gigabytes."""
    side = 20_000
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100 * (1 + side)))
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    (tmp_path / "large.png").write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )
    with pytest.raises(CameraError, match="too large") as error:
        open_camera(f"{kind}:{tmp_path / 'large.png'}")
    assert "67 million pixels" in str(error.value.hint)


def test_a_sound_holds_no_pictures(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(CameraError, match="holds no pictures"):
        open_camera(f"file:{tmp_path / 'sound.wav'}")


def damage(path: Path, numbers: range) -> None:
    """Give these packets of an MP4 a length that its decoder refuses."""
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    content = bytearray(path.read_bytes())
    for number in numbers:
        place = places[number]
        assert place is not None
        content[place : place + 4] = b"\x7f\xff\xff\xff"
    path.write_bytes(content)


def test_pictures_that_are_damaged_are_passed_over_as_players_do(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, "libx264", pictures=5)
    whole = FileScene(path, loop=True, size=None)
    whole.rewind()
    seen = [brightness(whole, (number + 0.5) / whole.fps) for number in range(5)]
    whole.close()
    damage(path, range(3, 4))
    scene = FileScene(path, loop=True, size=None)
    scene.rewind()
    damaged = [brightness(scene, (number + 0.5) / scene.fps) for number in range(5)]
    again = [brightness(scene, (5 + number + 0.5) / scene.fps) for number in range(5)]
    scene.close()
    (missing,) = (number for number in range(5) if damaged[number] != seen[number])
    assert damaged[missing] == seen[missing - 1], "the picture before stays"
    assert again == damaged, "and the loop goes on"


def test_a_file_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, "libx264", pictures=5)
    damage(path, range(5))
    with pytest.raises(CameraError, match="cannot be read as video"):
        open_camera(f"file:{path}")


def test_a_file_that_is_gone_by_then_fails_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_clip(path, "libx264", pictures=5)
    camera = open_camera(f"file:{path}")
    path.unlink()
    with pytest.raises(CameraError, match="cannot be read"):
        camera.start(0.0)
    camera.stop()
