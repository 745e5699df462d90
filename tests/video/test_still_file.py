"""Snapshots: what the name says is what stands in the file, and it looks like the picture."""

import io
from pathlib import Path

import av
import numpy as np
import pytest

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.errors import UsageError
from blink_cli.video.frames import to_rgb
from blink_cli.video.picture import Picture
from blink_cli.video.still_file import still_of

pytestmark = pytest.mark.no_clock

SIZE = PictureSize(322, 182)
"""No multiple of a macroblock."""


def picture() -> Picture:
    """Colours that go over into each other, from black to white and blue to red."""
    height, width = SIZE.height, SIZE.width
    y = np.tile(np.linspace(16, 235, width), (height, 1)).round().astype(np.uint8)
    u = np.tile(np.linspace(60, 200, height // 2)[:, None], (1, width // 2)).round().astype(np.uint8)
    return Picture(y, u, (255 - u).astype(np.uint8), 0, None)


@pytest.mark.parametrize(
    ("name", "begins", "mean_square"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n", 0.0),
        ("a.PNG", b"\x89PNG\r\n\x1a\n", 0.0),
        ("a.jpg", b"\xff\xd8\xff", 12.0),
        ("a.b.JPEG", b"\xff\xd8\xff", 12.0),
        ("a.webp", b"RIFF", 12.0),
    ],
)
def test_the_file_is_what_its_name_says_and_shows_the_picture(
    name: str, begins: bytes, mean_square: float
) -> None:
    seen = picture()
    content = still_of(seen, Path(name))
    assert content.startswith(begins)
    with av.open(io.BytesIO(content), "r") as file:
        (frame,) = file.decode(video=0)
    shown = frame.to_ndarray(format="rgb24")
    expected = to_rgb(seen, SIZE)
    assert shown.shape == expected.shape
    assert np.square(shown.astype(float) - expected).mean() <= mean_square


@pytest.mark.parametrize("name", ["a.gif", "a", "a.jpg.tmp", ".png", "a.mp4"])
def test_another_name_is_refused_with_what_would_do(name: str) -> None:
    with pytest.raises(UsageError, match="PNG, a JPEG or a WebP") as refused:
        still_of(picture(), Path(name))
    assert ".png" in (refused.value.hint or "")
