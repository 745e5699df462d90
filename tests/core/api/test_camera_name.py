"""Names of cameras, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blink_cli.core.api.camera_name import (
    BlankCamera,
    CameraName,
    CameraOptions,
    DefaultCamera,
    FileCamera,
    ImageCamera,
    NamedCamera,
    PictureSize,
    TestPicture,
    choose_camera,
    parse_camera_name,
)
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.media.video_codec import VideoCodec


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("default", DefaultCamera()),
        ("Integrated Camera", NamedCamera("Integrated Camera")),
        ("/dev/video2?fps=30", NamedCamera("/dev/video2", CameraOptions(fps=30))),
        ("testsrc", TestPicture()),
        ("testsrc?size=641x361&fps=12.5", TestPicture(CameraOptions(PictureSize(640, 360), 12.5))),
        ("default?codec=h264", DefaultCamera(CameraOptions(codec=VideoCodec.H264))),
        ("blank?phase=3", BlankCamera(CameraOptions(phase_ms=3))),
        (
            "file:a b.mp4?loop=1&size=320x240",
            FileCamera("a b.mp4", loop=True, options=CameraOptions(PictureSize(320, 240))),
        ),
        ("file:what?.mp4", FileCamera("what?.mp4")),
        ("image:me.png", ImageCamera("me.png")),
    ],
)
def test_a_name_is_parsed(text: str, name: CameraName) -> None:
    assert parse_camera_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "file:", "file", "image:", "testsrc?size=8x8", "testsrc?size=4000x3000", "testsrc?size=big",
        "testsrc?codec=av1", "testsrc?fps=0", "testsrc?fps=100", "testsrc?fps=nan", "testsrc?loop=1", "default?phase=1",
        "file:a?loop=2", "file:a?channel=1", "blank?phase=-1", "a\0b",
    ],
)  # fmt: skip
def test_what_is_no_name_is_an_error_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_camera_name(text)
    assert error.value.hint


OPTIONS = st.builds(
    CameraOptions,
    st.none()
    | st.builds(
        PictureSize, st.integers(8, 960).map(lambda n: 2 * n), st.integers(8, 540).map(lambda n: 2 * n)
    ),
    st.none() | st.integers(1, 60),
    st.none() | st.integers(0, 999),
    st.none() | st.sampled_from(VideoCodec),
)
PATHS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1) | st.just("a?loop=1")


@given(
    st.builds(TestPicture, OPTIONS)
    | st.builds(FileCamera, PATHS, st.booleans(), OPTIONS)
    | st.builds(ImageCamera, PATHS, OPTIONS)
)
def test_a_name_is_written_so_that_it_means_the_same(name: CameraName) -> None:
    assert parse_camera_name(str(name)) == name


def test_a_part_that_fits_one_only_is_enough() -> None:
    names = ["Integrated Camera", "USB Camera", "USB Camera 2"]
    assert choose_camera("integr", names) == "Integrated Camera"
    assert choose_camera("usb camera", names) == "USB Camera"
    with pytest.raises(NotFoundError, match="fits 3"):
        choose_camera("camera", names)
    with pytest.raises(NotFoundError, match="no camera"):
        choose_camera("webcam", names)


@pytest.mark.parametrize(
    ("text", "written"),
    [("talk.mp4", "file:talk.mp4"), ("me.PNG", "image:me.PNG"), ("./film", "file:./film")],
)
def test_the_name_of_a_file_is_no_camera_and_the_hint_says_how_it_is_written(text: str, written: str) -> None:
    with pytest.raises(NotFoundError, match="no camera") as caught:
        choose_camera(text, ["USB Camera"])
    assert caught.value.hint is not None
    assert f"`{written}`" in caught.value.hint
