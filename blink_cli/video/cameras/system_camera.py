"""The system's cameras, through FFmpeg's devices: v4l2 on Linux, AVFoundation on macOS, DirectShow on Windows.

    driver ──> a thread that only reads and decodes ──> one place for the newest picture ──> the video thread

A driver waits for its hardware, so it has a thread of its own; a picture that nobody took when the next one comes is dropped and counted.
"""

import sys
import threading
import time
from dataclasses import dataclass, replace
from typing import Final

import av
from av.container import InputContainer

from blink_cli.core.api.camera_name import DefaultCamera, PictureSize, SystemCamera, choose_camera
from blink_cli.core.errors import CameraError, NotFoundError
from blink_cli.video.cameras.interface import CameraParameters, CameraReading
from blink_cli.video.frames import Fitter
from blink_cli.video.picture import Picture, timestamp_at

USUAL_SIZE: Final = PictureSize(640, 360)
USUAL_FPS: Final = 30.0
"""What nearly every camera gives; the driver chooses what is next to it."""

ANSWER_S: Final = 5.0
"""A driver that has not given a picture for so long is taken for gone."""

LOOK_AGAIN_S: Final = 0.004
"""When a picture that is due is not there."""


@dataclass(frozen=True, slots=True)
class FoundCamera:
    """A camera that the system lists."""

    name: str
    """As FFmpeg opens it: `/dev/video0`, or a name."""

    description: str
    """What people call it."""


def driver() -> str:
    """Return FFmpeg's name of this system's way to cameras."""
    return {"darwin": "avfoundation", "win32": "dshow"}.get(sys.platform, "v4l2")


def list_system_cameras() -> list[FoundCamera]:
    """Return the cameras of this system; none where it cannot tell. Blocks while drivers are asked."""
    try:
        devices = av.device.enumerate_input_devices(driver())
    except (av.FFmpegError, ValueError, OSError):
        return []
    # DirectShow lists microphones too; `media_types` is empty where a driver does not tell.
    return [
        FoundCamera(device.name, device.description or device.name)
        for device in devices
        if not device.media_types or "video" in device.media_types
    ]


def find_system_camera(name: SystemCamera) -> FoundCamera:
    """Return the camera that is meant.

    Raises:
        NotFoundError: There is none, or several fit.

    """
    found = list_system_cameras()
    if isinstance(name, DefaultCamera):
        if not found:
            raise NotFoundError(
                "This machine has no camera that can be seen.",
                hint=f"Plug one in{_ACCESS.get(driver(), '')}; `testsrc`, `file:PATH`, `image:PATH` and `blank` need none.",
            )
        return found[0]
    if name.name.startswith("/dev/") and driver() == "v4l2":
        by_name = {camera.name: camera for camera in found}
        return by_name.get(name.name, FoundCamera(name.name, name.name))
    words = {word: camera for camera in reversed(found) for word in (camera.name, camera.description)}
    return words[choose_camera(name.name, list(words))]


_ACCESS: Final = {
    "v4l2": ", or look whether this user may open /dev/video0 (group `video`)",
    "avfoundation": ", or allow this terminal to use the camera in System Settings, Privacy & Security",
    "dshow": ", or allow apps to use the camera in Settings, Privacy & security",
}


class HardwareCamera:
    """A camera of the system. `FoundCamera` and FFmpeg's driver say which."""

    def __init__(self, name: SystemCamera, found: FoundCamera, through: str) -> None:
        """Open nothing yet."""
        size, fps = name.options.size, name.options.fps or USUAL_FPS
        self._asked = size
        self._found = found
        self._through = through
        self._parameters = CameraParameters(
            str(name), size or USUAL_SIZE, fps, virtual=False, description=found.description
        )
        self._container: InputContainer | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._started_at: float | None = None
        self._lock = threading.Lock()
        self._newest: Picture | None = None
        self._last_at = 0.0
        self._read = 0
        self._dropped = 0
        self._failure: str | None = None

    @property
    def parameters(self) -> CameraParameters:
        """What is asked for; after `start` what the driver gives."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Open it, and begin its thread.

        Raises:
            CameraError: It is gone, in use, or not ours.

        """
        size = self._parameters.size
        asked = {"video_size": str(size), "framerate": f"{self._parameters.fps:g}"}
        if self._through == "avfoundation":
            asked["pixel_format"] = "nv12"
        source = f"video={self._found.name}" if self._through == "dshow" else self._found.name
        try:
            container = av.open(source, "r", format=self._through, container_options=asked, timeout=ANSWER_S)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._not_opened(error) from error
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        given = PictureSize(stream.codec_context.width & ~1, stream.codec_context.height & ~1)
        rate = float(stream.average_rate or self._parameters.fps)
        fps = min(self._parameters.fps, rate) if rate > 0 else self._parameters.fps
        self._parameters = replace(self._parameters, size=self._asked or given, fps=fps)
        self._container = container
        self._stopping = threading.Event()
        self._started_at = self._last_at = now_s
        self._newest, self._failure = None, None
        self._read = self._dropped = 0
        self._thread = threading.Thread(
            target=self._take, args=(container, self._stopping), name="camera", daemon=True
        )
        self._thread.start()

    def ready_s(self, now_s: float) -> float:
        """Return when the next picture is expected; a few ms from now where it is late."""
        with self._lock:
            if self._newest is not None:
                return now_s
            period_s = 1 / self._parameters.fps
            if self._failure is not None or self._started_at is None:
                return now_s + period_s
            return max(now_s + LOOK_AGAIN_S, min(self._last_at, now_s) + period_s)

    def read(self, now_s: float) -> Picture | None:
        """Return the newest picture, once."""
        with self._lock:
            picture, self._newest = self._newest, None
            if picture is not None:
                self._read += 1
            elif self._started_at is not None and self._failure is None and now_s - self._last_at > ANSWER_S:
                self._failure = f"The camera {self._found.description} gave no picture for {ANSWER_S:g} s."
        return picture

    def stop(self) -> None:
        """End its thread, which closes the device; a driver that hangs keeps its thread, and is waited for no longer than a second."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(1.0)
            self._thread = None
        self._container = None
        self._started_at = None

    def position_s(self, now_s: float) -> float | None:
        """Return how long it runs."""
        return None if self._started_at is None else max(0.0, now_s - self._started_at)

    def reading(self, now_s: float) -> CameraReading:  # noqa: ARG002 - what it counts it counts when it happens
        """Return how it does."""
        with self._lock:
            return CameraReading(self._started_at is not None, self._read, self._dropped, self._failure)

    def _take(self, container: InputContainer, stopping: threading.Event) -> None:
        """The camera's thread: the one that closes what it reads."""
        fitter = Fitter(self._asked)
        least_s = 0.9 / self._parameters.fps
        taken_at = float("-inf")
        try:
            with container:
                for frame in container.decode(video=0):
                    if stopping.is_set():
                        return
                    now_s = time.monotonic()
                    if now_s - taken_at < least_s:
                        continue  # a driver that gives more than was asked for
                    taken_at = now_s
                    self._put(fitter.fit(frame, timestamp_at(now_s), now_s), now_s)
            reason = "it ended"
        except (av.FFmpegError, OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        with self._lock:
            if not stopping.is_set():
                self._failure = f"The camera {self._found.description} is gone: {reason.rstrip('.')}."

    def _put(self, picture: Picture, now_s: float) -> None:
        with self._lock:
            self._dropped += self._newest is not None
            self._newest = picture
            self._last_at = now_s

    def _not_opened(self, error: Exception) -> CameraError:
        name = self._found.description
        access = _ACCESS.get(self._through, "").removeprefix(", or ")
        if isinstance(error, FileNotFoundError):
            return CameraError(
                f"There is no camera {name}.",
                hint="`blink list-cameras` lists those that are there; `testsrc` and `file:PATH` need none.",
            )
        if isinstance(error, PermissionError):
            return CameraError(
                f"The camera {name} may not be opened.", hint=access[:1].upper() + access[1:] + "."
            )
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        return CameraError(
            f"The camera {name} cannot be opened: {reason.rstrip('.')}.",
            hint="Another program may use it, or it has no such size or rate: try `?size=640x480&fps=30` behind its name.",
        )
