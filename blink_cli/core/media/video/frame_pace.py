"""How many pictures a second are encoded: those of the camera, or fewer where a rate gives each of them too little. Pure."""

import math
from typing import Final

LEAST_BITS_PER_PIXEL: Final = 0.03
"""A frame with less shows blocks: there are fewer frames rather than worse ones."""

LEAST_FPS: Final = 5.0

MOST_BACKLOG_S: Final = 0.05
"""What may wait to leave when another picture is encoded: more would be late."""


def wanted_fps(camera_fps: float, pixels: int, bitrate_bps: float) -> float:
    """Pictures a second that a rate is enough for.

    Args:
        camera_fps: What the camera takes, which is never exceeded.
        pixels: Of one picture.
        bitrate_bps: Of the encoder.

    """
    return min(camera_fps, max(bitrate_bps / (LEAST_BITS_PER_PIXEL * pixels), LEAST_FPS))


class FramePace:
    """Which of a camera's pictures are encoded. Of one camera."""

    def __init__(self) -> None:
        """Take the first one."""
        self._due_s = -math.inf

    def is_due(self, now_s: float, fps: float, camera_fps: float) -> bool:
        """Whether a picture that is taken now is one of `fps` a second."""
        return fps >= camera_fps or now_s >= self._due_s - 0.5 / camera_fps

    def taken(self, now_s: float, fps: float) -> None:
        """It was: the next one is due so much later, in the mean."""
        self._due_s = max(self._due_s, now_s - 1 / fps) + 1 / fps
