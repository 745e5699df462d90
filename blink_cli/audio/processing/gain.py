"""Brings a voice to a steady loudness, however far the microphone is."""

from typing import Final

from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.webrtc import WebrtcGainController
from blink_cli.audio.samples import Samples

MOST_GAIN_DB: Final = 30.0
MOST_NOISE_DBFS: Final = -55.0


class GainFilter:
    """Implements `Filter`."""

    delay_samples = 0

    def __init__(self) -> None:
        self._controller = WebrtcGainController(MOST_GAIN_DB, MOST_NOISE_DBFS)

    def process(self, block: CapturedBlock) -> Samples:
        """Return the block at its gain."""
        return self._controller.process(block.samples)

    @property
    def gain_db(self) -> float:
        """What is added now."""
        return self._controller.gain_db
