"""Cameras without hardware: what they see at a time is known, and picture k is taken at `start_s + k / fps` of monotonic time, exactly."""

from typing import Protocol

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.errors import CameraError
from blink_cli.video.cameras.interface import CameraParameters, CameraReading
from blink_cli.video.picture import Picture


class Scene(Protocol):
    """What a virtual camera looks at."""

    @property
    def size(self) -> PictureSize:
        """Of its pictures."""

    @property
    def fps(self) -> float:
        """Pictures a second, where nobody asks for another rate."""

    def rewind(self) -> None:
        """Begin again.

        Raises:
            CameraError: It cannot be seen any more.

        """

    def at(self, position_s: float, captured_at: float) -> Picture:
        """Return what is seen so many seconds behind its beginning. Positions only grow between two calls of `rewind`.

        Raises:
            CameraError: It is damaged here.

        """

    def close(self) -> None:
        """Let go of files. `rewind` opens them again."""


class VirtualCamera:
    """Takes pictures of a scene at an even pace."""

    def __init__(self, name: str, scene: Scene, fps: float | None, phase_ms: float | None) -> None:
        """Take none yet; `fps` and `phase_ms` as in a camera's name."""
        self._scene = scene
        self._parameters = CameraParameters(name, scene.size, fps or scene.fps, virtual=True)
        self._phase_ms = phase_ms
        self._start_s: float | None = None
        self._next = 0
        self._read = 0
        self._dropped = 0
        self._failure: str | None = None

    @property
    def parameters(self) -> CameraParameters:
        """Fixed from the beginning."""
        return self._parameters

    def start(self, now_s: float) -> None:
        """Take the first picture at `now_s`, or at the next moment of the phase."""
        self._failure = None
        self._next = self._read = self._dropped = 0
        self._scene.rewind()
        if self._phase_ms is None:
            self._start_s = now_s
        else:
            self._start_s = now_s + (self._phase_ms / 1000 - now_s) % (1 / self._parameters.fps)

    def ready_s(self, now_s: float) -> float:
        """Return when the next picture is taken, exactly; once it failed, a period from now."""
        if self._start_s is None or self._failure is not None:
            return now_s + 1 / self._parameters.fps
        return self._taken_at(self._next)

    def read(self, now_s: float) -> Picture | None:
        """Return the newest picture that is taken by now."""
        if self._start_s is None or self._failure is not None:
            return None
        # The small term makes up for rounding: at the very moment of a picture it is there.
        newest = int((now_s - self._start_s) * self._parameters.fps + 1e-6)
        if now_s < self._start_s or newest < self._next:
            return None
        self._dropped += newest - self._next
        self._next = newest + 1
        self._read += 1
        try:
            return self._scene.at(newest / self._parameters.fps, self._taken_at(newest))
        except CameraError as damage:
            self._failure = damage.message
            return None

    def stop(self) -> None:
        """End taking pictures and close the file."""
        self._start_s = None
        self._scene.close()

    def position_s(self, now_s: float) -> float | None:
        """Return the second of the scene, exactly. It goes on past the end of a file that is not looped."""
        return None if self._start_s is None else max(0.0, now_s - self._start_s)

    def reading(self, now_s: float) -> CameraReading:  # noqa: ARG002 - what it counts it counts when it is read
        """Return how it does. It fails when its file is damaged."""
        return CameraReading(self._start_s is not None, self._read, self._dropped, self._failure)

    def _taken_at(self, picture: int) -> float:
        assert self._start_s is not None, "a camera that was not started has no time"
        return self._start_s + picture / self._parameters.fps
