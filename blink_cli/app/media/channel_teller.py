"""Tells that what is sent of a microphone with several channels is much softer than one of them: once, and when it is over.

what became of the channels, ten times a second --> ChannelTeller --> StreamFailed, StreamRestored
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from blink_cli.core.analysis.quality import LastingProblem, ProblemChange
from blink_cli.core.api.events import Event, StreamFailed, StreamProblem, StreamRestored

if TYPE_CHECKING:
    from collections.abc import Callable

    from blink_cli.audio.channel_reading import ChannelReading
    from blink_cli.core.ids import Did

SOFT_AFTER_S: Final = 2.0


class ChannelTeller:
    """One for each call. Belongs to the event loop."""

    def __init__(self, own: Did, publish: Callable[[Event], None]) -> None:
        self._own = own
        self._publish = publish
        self._soft = LastingProblem(SOFT_AFTER_S)

    def look(self, device: str, channels: ChannelReading | None, now_s: float) -> None:
        """Take what became of the channels now; None of a device that has but one."""
        soft = channels is not None and channels.soft
        change = self._soft.update(wrong=soft, now_s=now_s)
        problem = StreamProblem.SOFT_CHANNELS
        if change is ProblemChange.BEGAN and channels is not None:
            reason = soft_reason(device, channels)
            self._publish(StreamFailed(did=self._own, reason=reason, problem=problem, direction="input"))
        elif change is ProblemChange.ENDED:
            self._publish(StreamRestored(did=self._own, problem=problem, direction="input"))


def soft_reason(device: str, channels: ChannelReading) -> str:
    """Return the sentence for a mix that is much softer than its loudest channel."""
    bare = device.rpartition("?")[0] if channels.chosen is not None else device
    what = "the mix" if channels.chosen is None else f"channel {channels.chosen}"
    louder = f"channel {channels.loudest} of the {channels.channels} of {bare}"
    return f"{what} is {channels.below_db:.0f} dB softer than {louder}; ?channel={channels.loudest} takes that one"
