"""Cameras of the system, where there is none: what is said, and what is to be done."""

import sys

import pytest

from blink_cli.core.api.camera_name import DefaultCamera, NamedCamera
from blink_cli.core.errors import CameraError, NotFoundError
from blink_cli.video.cameras.opener import open_camera
from blink_cli.video.cameras.system_camera import (
    FoundCamera,
    HardwareCamera,
    find_system_camera,
    list_system_cameras,
)

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or bool(list_system_cameras()), reason="is about Linux without a camera"
)


def test_without_a_camera_the_default_is_not_found() -> None:
    with pytest.raises(NotFoundError, match="no camera") as error:
        find_system_camera(DefaultCamera())
    assert "testsrc" in (error.value.hint or "")


def test_a_name_that_fits_none_lists_what_is_there() -> None:
    with pytest.raises(NotFoundError, match="Integrated") as error:
        find_system_camera(NamedCamera("Integrated"))
    assert "none" in (error.value.hint or "")


def test_a_device_that_is_not_there_says_so_when_it_starts() -> None:
    camera = open_camera("/dev/video97")
    with pytest.raises(CameraError, match="There is no camera /dev/video97") as error:
        camera.start(0.0)
    assert "list-cameras" in (error.value.hint or "")
    camera.stop()


def test_a_device_that_is_no_camera_says_so() -> None:
    camera = open_camera("/dev/null")
    with pytest.raises(CameraError, match="cannot be opened"):
        camera.start(0.0)


def test_a_camera_that_ends_has_failed() -> None:
    camera = HardwareCamera(
        NamedCamera("bench"), FoundCamera("testsrc=size=64x64:rate=30:duration=0.1", "bench"), "lavfi"
    )
    camera.start(0.0)
    assert camera._thread is not None
    camera._thread.join(10)
    assert "gone" in (camera.reading(0.0).failure or "")
    camera.stop()
