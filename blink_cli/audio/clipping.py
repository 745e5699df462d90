"""Whether a microphone is too loud for its gain: counted where its sound comes in, since every filter behind makes a cut wave look whole."""

from typing import Final

import numpy as np

from blink_cli.audio.samples import Samples

FULL_SCALE: Final = 0.9999
"""The loudest that a 16-bit converter can say is 32767 / 32768."""

CLIPPED_SAMPLES: Final = 4
"""One sample at full scale may be chance; several in a frame are a wave that was cut off."""

FRAMES_A_SECOND: Final = 50


class ClippingCount:
    """Of one microphone after the other, in frames of 20 ms. Used by the capture thread; the counts may be read by any."""

    def __init__(self, rate_hz: int) -> None:
        self.frames = 0
        self.clipped_frames = 0
        """In which a channel was at full scale for several samples."""

        self.begin_device(rate_hz)

    def begin_device(self, rate_hz: int) -> None:
        """Go on with sound of another rate or other channels."""
        self._frame_samples = rate_hz // FRAMES_A_SECOND
        self._samples = 0
        self._at_full_scale = 0

    def add(self, samples: Samples) -> None:
        """Take sound of any length as the device gave it, shape `(n,)` or `(n, channels)`."""
        # argmax is several times quicker than max.
        if samples.item(samples.argmax()) >= FULL_SCALE or samples.item(samples.argmin()) <= -FULL_SCALE:
            by_channel = (np.abs(samples) >= FULL_SCALE).sum(axis=0)
            self._at_full_scale += int(by_channel.max())
        self._samples += len(samples)
        if self._samples >= self._frame_samples:
            self.frames += 1
            self.clipped_frames += self._at_full_scale >= CLIPPED_SAMPLES
            self._samples = self._at_full_scale = 0
