"""10 ms on their way through the capture chain."""

from typing import Self

import msgspec
from msgspec.structs import replace

from blink_cli.audio.samples import Samples


class CapturedBlock(msgspec.Struct, frozen=True):
    """What is known of one block. All samples have shape (480,)."""

    samples: Samples
    """As the filters passed so far left it."""

    near: Samples
    """As the microphone heard it."""

    far: Samples
    """What was heard from the speaker meanwhile."""

    captured_until: float
    """When the last sample was captured, monotonic. However late a filter gives its result, this stays the time of its content."""

    def become(self, samples: Samples) -> Self:
        """Return it behind one more filter."""
        return replace(self, samples=samples)
