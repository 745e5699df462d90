"""The playout buffer: packets in at any time and order, ten milliseconds of sound out at every tick. See docs/playout.md."""

from blink_cli.audio.playout.block import SILENCE_BLOCK, Block
from blink_cli.audio.playout.playout_buffer import FrameDecoder, PlayoutBuffer
from blink_cli.audio.playout.settings import PlayoutSettings
from blink_cli.audio.playout.statistics import PlayoutObserver, PlayoutStatistics

__all__ = [
    "SILENCE_BLOCK",
    "Block",
    "FrameDecoder",
    "PlayoutBuffer",
    "PlayoutObserver",
    "PlayoutSettings",
    "PlayoutStatistics",
]
