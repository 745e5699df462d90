"""The unit that leaves the playout buffer."""

from typing import Final, TypeAlias

from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK

Block: TypeAlias = Samples
"""float32, full scale at +/-1; one dimension."""

SILENCE_BLOCK: Final[Block] = SILENT_BLOCK
"""What a silent stream plays: the very object that the mixer leaves out by identity."""
