"""Sound in blocks, made to another rate and another number of channels on its way. Sound keeps its time: the resampler's delay is taken off."""

import numpy as np
import soxr

from blink_cli.audio.channel_mix import ChannelMix
from blink_cli.audio.samples import Samples


class Conversion:
    """From one form to another, block by block."""

    def __init__(
        self, rate_hz: int, channels: int, to_rate_hz: int, to_channels: int, *, mean: bool = False
    ) -> None:
        """Prepare.

        Args:
            rate_hz: Of what comes in.
            channels: Of it.
            to_rate_hz: Of what goes out.
            to_channels: 1: as a call makes one voice of a device's channels (`ChannelMix`); 2: the same in both of one channel, else the first two.
            mean: To one channel: the plain mean, which is the same for two sounds that are to be compared.

        """
        self._channels = channels
        self._to_channels = to_channels
        mixes = to_channels == 1 and channels > 1
        self._mix = ChannelMix(channels, rate_hz) if mixes and not mean else None
        self._resampler = (
            None
            if rate_hz == to_rate_hz
            else soxr.ResampleStream(rate_hz, to_rate_hz, to_channels, dtype="float32", quality="HQ")
        )

    def convert(self, block: Samples) -> Samples:
        """Take a block of shape (n, channels) and return what is ready, shape (m, to_channels)."""
        formed = self._formed(block)
        return formed if self._resampler is None else self._resampled(formed, last=False)

    def finish(self) -> Samples:
        """Return what was held back."""
        nothing = np.zeros((0, self._to_channels), np.float32)
        return nothing if self._resampler is None else self._resampled(nothing, last=True)

    def _formed(self, block: Samples) -> Samples:
        if self._channels == self._to_channels:
            return block
        if self._mix is not None:
            return self._mix.mix(block)[:, np.newaxis]
        if self._to_channels == 1:
            return np.asarray(np.mean(block, axis=1, keepdims=True), np.float32)
        if self._channels == 1:
            return np.repeat(block, self._to_channels, axis=1)
        return np.ascontiguousarray(block[:, : self._to_channels])

    def _resampled(self, block: Samples, *, last: bool) -> Samples:
        assert self._resampler is not None, "only asked where rates differ"
        flat = np.ascontiguousarray(block[:, 0] if self._to_channels == 1 else block)
        resampled: Samples = self._resampler.resample_chunk(flat, last=last)
        return resampled.reshape(-1, self._to_channels)
