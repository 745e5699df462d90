"""What every voice activity detector can do."""

from typing import Protocol

from blink_cli.audio.samples import Samples

HANGOVER_TICKS = 6
"""A voice that was heard is believed for so many ticks more: it dips between two sounds, and ends softly."""


class VoiceDetector(Protocol):
    """Used by the capture thread alone, but for its name."""

    @property
    def name(self) -> str:
        """`speech` or `loudness`: what it goes by. Any thread."""

    def update(self, block: Samples) -> bool:
        """Return whether there is a voice in these 10 ms, or was up to 60 ms ago. Call it for each tick, in order.

        Args:
            block: float32, shape (480,), finite. Not modified.

        """

    def reset(self) -> None:
        """Forget the room and what was heard: another microphone, or sound that does not continue what came before."""
