"""What became of the channels of a device, as `ChannelMix` tells it."""

from typing import Final

import msgspec

SOFT_DB: Final = 6.0
"""A mix that is so much softer than its loudest channel is told."""


class ChannelReading(msgspec.Struct, frozen=True):
    """What became of a device's channels."""

    channels: int
    chosen: int | None
    """The only one that is heard, from 1, because the user said so; None: all that carry something."""

    loudest: int
    """From 1."""

    below_db: float
    """How much softer than the loudest channel the mix is; 0 when nothing can be said."""

    @property
    def soft(self) -> bool:
        """Whether the mix is much softer than one of its channels."""
        return self.below_db >= SOFT_DB
