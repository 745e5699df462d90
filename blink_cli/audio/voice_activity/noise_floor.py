"""How loud the room is: the level of what is heard while nobody talks."""

from dataclasses import dataclass, field
from typing import Final

from blink_cli.core.audio_format import SILENCE_DBOV

FIRST_DBOV: Final = -60.0
"""A quiet room, until more is known."""

LOWEST_DBOV: Final = -90.0
RISE_DB_PER_TICK: Final = 0.03
"""3 dB a second: a fan becomes the room in seconds, a sentence does not."""


@dataclass(slots=True)
class NoiseFloor:
    """Follows the level of 10 ms blocks: down at once, up slowly. So it lies some dB below the mean of a noise."""

    highest_dbov: float
    """Where it stops to rise."""

    dbov: float = field(default=FIRST_DBOV, init=False)

    def update(self, block_dbov: float) -> float:
        """Take the level of the next block; return by how much it is above the floor, in dB."""
        if block_dbov > SILENCE_DBOV:
            # Digital silence is a muted or virtual device, and says nothing about the room.
            risen_dbov = self.dbov + RISE_DB_PER_TICK
            self.dbov = max(LOWEST_DBOV, min(block_dbov, risen_dbov, self.highest_dbov))
        return block_dbov - self.dbov
