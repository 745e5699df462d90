"""Who wants the sound itself that is played, tick by tick."""

from collections.abc import Sequence
from typing import Protocol

from blink_cli.audio.samples import Samples
from blink_cli.core.ids import Did


class SoundListener(Protocol):
    """Told on the playout thread, once the speaker has its block. Must not wait, and must not raise."""

    @property
    def wants_sound(self) -> bool:
        """Whether anybody does now. Asked at each tick."""
        ...

    def played(self, at_s: float, voices: Sequence[tuple[Did, Samples]], mix: Samples) -> None:
        """Take 10 ms: of each peer as decoded, and of what the speaker was given. Shapes (480,), valid until this returns."""
        ...
