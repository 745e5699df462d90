"""What every encoder of pictures can do, whichever way it encodes."""

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from blink_cli.core.api.camera_name import PictureSize
from blink_cli.core.media.video.coded_picture import CodedPicture
from blink_cli.video.picture import Picture

LARGEST_FRAME_S: Final = 0.1
"""No frame takes the line for longer; a key frame's share is said to the encoder, which makes it coarser for that."""

LEAST_CHANGE: Final = 0.03
"""Of the rate: smaller ones are not told to the encoder."""


class PictureEncoder(Protocol):
    """Of one camera. Belongs to one thread at a time."""

    size: PictureSize
    coarse_quantizer: float
    """A picture that is so coarse in the mean has fewer bits than its pixels need, and the encoder overruns its rate."""

    fine_quantizer: float
    """A picture that is so fine in the mean has bits for more pixels."""

    def encode(
        self, picture: Picture, bitrate_bps: float, fps: float, *, key: bool, coarse: bool = False
    ) -> CodedPicture | None:
        """Encode the next picture; None where the encoder leaves it out.

        Args:
            picture: Of the size with which the stream began.
            bitrate_bps: In the mean, from now on.
            fps: Pictures a second, as they are meant to come: each one has its share of the rate. One that was left out since the line is full gives
                its share to nobody: the next one would be the larger for it, and leave no room for the one behind it.
            key: It is to be a frame that needs no other.
            coarse: As small as it can be, whatever it looks like.

        Raises:
            CameraError: The library refuses.

        """

    def expect_new(self, picture: Picture, fps: float, most_bytes: float) -> None:
        """The next picture, which is this one, shows something new: its frame is to be no larger than so many bytes, as far as that can be guessed."""

    @property
    def last_quantizer(self) -> int:
        """Of the last frame; larger is coarser."""

    def close(self) -> None:
        """Give the encoder back. Safe to call twice."""


def fill(planes: npt.NDArray[np.uint8], picture: Picture) -> None:
    """Write a picture as I420, one plane behind the other."""
    height, width = picture.y.shape
    pixels = width * height
    planes[:pixels].reshape(height, width)[:] = picture.y
    planes[pixels : pixels * 5 // 4].reshape(height // 2, width // 2)[:] = picture.u
    planes[pixels * 5 // 4 :].reshape(height // 2, width // 2)[:] = picture.v
