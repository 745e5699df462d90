"""Which calls this session carries through a room on an SFU, and through which."""

from enum import StrEnum
from typing import Final

import msgspec

DEFAULT_ABOVE: Final = 8
"""Participants up to which a mesh is better: no server, and each direct path is the shortest."""


class Via(StrEnum):
    """What the caller chose for a call."""

    AUTO = "auto"
    """By its size."""

    SFU = "sfu"
    MESH = "mesh"


class RoomPolicy(msgspec.Struct, frozen=True):
    """What this session may use. Without any server it enters no room."""

    urls: tuple[str, ...] = ()
    """SFUs in the order in which they are tried."""

    takes_any: bool = False
    """Whether it enters a room on a server that only the others name."""

    above: int = DEFAULT_ABOVE
    """A call with more participants, oneself included, is to go through a room."""

    @property
    def enabled(self) -> bool:
        """Whether there can be a room at all."""
        return bool(self.urls) or self.takes_any

    def takes(self, url: str) -> bool:
        """Whether this session would enter a room there."""
        return self.takes_any or url in self.urls

    @property
    def below(self) -> int:
        """A call with fewer goes back to a mesh: somewhat less than `above`, so that one who comes and goes does not move it each time."""
        return self.above + 1 - max(self.above // 4, 1)
