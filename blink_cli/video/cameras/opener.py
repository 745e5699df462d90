"""From a camera's name to a camera that is ready to start."""

from pathlib import Path

from blink_cli.core.api.camera_name import (
    BlankCamera,
    DefaultCamera,
    FileCamera,
    ImageCamera,
    NamedCamera,
    TestPicture,
    parse_camera_name,
)
from blink_cli.video.cameras.interface import Camera
from blink_cli.video.cameras.made_up_scenes import USUAL_SIZE, BlankScene, TestScene
from blink_cli.video.cameras.virtual_camera import Scene, VirtualCamera


def open_camera(text: str) -> Camera:
    """Return the camera that `text` names, not started.

    Looking at a file, or asking the system for its cameras, may block for some tenths of a second: call it in a worker thread.

    Raises:
        UsageError: `text` is not a camera's name.
        NotFoundError: The system has no such camera, or several fit.
        CameraError: The file cannot be read as video.

    """
    match parse_camera_name(text):
        case TestPicture(options) as name:
            scene: Scene = TestScene(options.size or USUAL_SIZE)
        case BlankCamera(options) as name:
            scene = BlankScene(options.size or USUAL_SIZE)
        case FileCamera(path, loop, options) as name:
            from blink_cli.video.cameras.file_scenes import FileScene  # noqa: PLC0415 - FFmpeg, for who needs it

            scene = FileScene(_place(path), loop=loop, size=options.size)
        case ImageCamera(path, options) as name:
            from blink_cli.video.cameras.file_scenes import ImageScene  # noqa: PLC0415 - as above

            scene = ImageScene(_place(path), options.size)
        case DefaultCamera() | NamedCamera() as name:
            from blink_cli.video.cameras import system_camera  # noqa: PLC0415 - as above

            return system_camera.HardwareCamera(
                name, system_camera.find_system_camera(name), system_camera.driver()
            )
    return VirtualCamera(str(name), scene, options.fps, options.phase_ms)


def _place(path: str) -> Path:
    return Path(path).expanduser()
