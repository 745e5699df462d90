"""Notices a link that stands and carries no audio, and says so once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from blink_cli.core.events import Event, StreamFailed
from blink_cli.core.names import Did

SILENT_AFTER_S: Final = 5.0
"""Even a muted sender sends two packets a second."""


@dataclass(slots=True)
class _Stream:
    packets: int
    moved_s: float
    told: bool = False


class SilenceWatch:
    """Belongs to the event loop."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._streams: dict[Did, _Stream] = {}

    def look(self, peer: Did, packets_received: int, now_s: float) -> None:
        """Take the count of a connected peer's packets; to be called a few times a second."""
        stream = self._streams.get(peer)
        if stream is None or stream.packets != packets_received:
            self._streams[peer] = _Stream(packets_received, now_s)
        elif not stream.told and now_s - stream.moved_s > SILENT_AFTER_S:
            stream.told = True
            self._publish(
                StreamFailed(
                    did=peer,
                    reason=f"the link stands, but no audio has come for {SILENT_AFTER_S:g} s: is its microphone or session stuck?",
                )
            )

    def clear(self) -> None:
        """The call is over."""
        self._streams = {}
