"""The cameras of this machine, and those that need none."""

from typing import Final

from blink_cli.api.documents import CameraList, ListedCamera

_MADE_UP: Final = (
    ("testsrc", "a test picture with a clock that programs read"),
    ("file:PATH", "a video file"),
    ("image:PATH", "a still image"),
    ("blank", "black"),
)


def camera_list() -> CameraList:
    """List the system's cameras, then the virtual ones. Asks the system's drivers and blocks."""
    from blink_cli.video.cameras.system_camera import list_system_cameras  # noqa: PLC0415 - FFmpeg

    found = list_system_cameras()
    real = [ListedCamera(name=one.name, description=one.description, virtual=False) for one in found]
    made_up = [ListedCamera(name=name, description=text, virtual=True) for name, text in _MADE_UP]
    hint = None if found else "No camera of the system can be seen: plug one in, or take a virtual one."
    return CameraList(cameras=(*real, *made_up), hint=hint)
