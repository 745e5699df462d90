"""What one side of a link says of itself: how its machine and its devices did in the last seconds, so that the other side need not blame the network.

0                1                   2
| machine late   | capture missing   | speaker missing |    each in 10 ms; 0 is also what says one who says nothing
"""

from typing import Final

import msgspec

_STEP_MS: Final = 10
SIZE_BYTES: Final = 3


class SideHealth(msgspec.Struct, frozen=True, gc=False):
    """Of the last `HealthMeter.WINDOW_S`. In ms, rounded to 10, at most 2,550."""

    machine_late_ms: int = 0
    """The longest that its event loop or its voice threads stood still."""

    capture_missing_ms: int = 0
    """Sound of its microphone that is missing."""

    speaker_missing_ms: int = 0
    """Sound that was mixed and not heard, since its speaker stood still."""

    def to_bytes(self) -> bytes:
        """Three bytes."""
        return bytes(
            min(255, -(-value // _STEP_MS))
            for value in (self.machine_late_ms, self.capture_missing_ms, self.speaker_missing_ms)
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> "SideHealth":
        """Read three bytes; fewer are those of one who says nothing."""
        if len(data) < SIZE_BYTES:
            return cls()
        return cls(*(_STEP_MS * value for value in data[:SIZE_BYTES]))


WELL: Final = SideHealth()
"""Nothing to say."""
