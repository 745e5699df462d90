"""What every camera can do.

A camera never sleeps and never calls back: it says at which monotonic time its next picture is due, and the video thread that owns it
waits until then (`blink_cli.runtime.clock`), as the voice thread does with microphones. So every camera is tested in virtual time.

Threads: `start` is called before the video thread gets the camera, and may block (seconds, where a driver does). `ready_s` and `read` belong to
one video thread at a time and never wait for a device; `read` may decode. `stop` is called when that thread has let go of the camera, and may
block. `position_s` and `reading` may be asked from any thread.
"""

from dataclasses import dataclass
from typing import Protocol

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.video.picture import Picture


@dataclass(frozen=True, slots=True)
class CameraParameters:
    """What is fixed for as long as a camera is open."""

    name: str
    """As the user would write it to get this camera again."""

    size: PictureSize
    fps: float
    """Pictures a second, at most."""

    virtual: bool
    """Has no hardware: it cannot be unplugged."""

    description: str | None = None
    """What people call it, where the system says so."""


@dataclass(frozen=True, slots=True)
class CameraReading:
    """What a watcher sees of a camera from outside, at one moment."""

    running: bool
    pictures: int
    """Read since it was started."""

    dropped_pictures: int
    """Taken, and replaced by newer ones before anybody read them."""

    failure: str | None
    """A sentence, once the camera has ended by itself."""


class Camera(Protocol):
    """A camera, or what stands in for one."""

    @property
    def parameters(self) -> CameraParameters:
        """Its size, rate and name. A real one may know them only once it was started."""

    def start(self, now_s: float) -> None:
        """Begin to take pictures. A stopped camera may be started again.

        Raises:
            CameraError: The system does not let us, or a file is gone or damaged.

        """

    def ready_s(self, now_s: float) -> float:
        """Return when to read next; `now_s` or earlier when a picture is there. At most 1 / fps ahead."""

    def read(self, now_s: float) -> Picture | None:
        """Return the newest picture, once; None where none is new. Never waits for a device; keeps no picture back.

        Pictures come in the order in which they were taken; those that nobody read in time are dropped and counted.
        Once a camera failed this is None for good, and `reading` tells why.
        """

    def stop(self) -> None:
        """End taking pictures. Safe to call twice, and without a start."""

    def position_s(self, now_s: float) -> float | None:
        """Return which second of its video is being taken at `now_s`, counted from its start; None while it does not run."""

    def reading(self, now_s: float) -> CameraReading:
        """Return how it does."""
