"""What every filter of the capture chain is."""

from typing import Protocol

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.samples import Samples


class Filter(Protocol):
    """One step between microphone and encoder. Used by the capture thread alone."""

    delay_samples: int
    """By how much what comes out lies behind what went in, 0 to 480."""

    def process(self, block: CapturedBlock) -> Samples:
        """Take 10 ms, `block.samples`, and return 10 ms, shape (480,). The block is not changed."""
