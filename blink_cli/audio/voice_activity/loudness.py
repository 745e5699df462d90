"""A voice is what is louder than the room for long enough: the detector without a library."""

from typing import Final

from typing_extensions import override

from blink_cli.audio.level import level_dbov
from blink_cli.audio.samples import Samples
from blink_cli.audio.voice_activity.detector import HANGOVER_TICKS, VoiceDetector
from blink_cli.audio.voice_activity.noise_floor import NoiseFloor

ABOVE_FLOOR_DB: Final = 9.0
LOWEST_DBOV: Final = -55.0
"""Quieter than this is no voice, however quiet the room."""

FLOOR_HIGHEST_DBOV: Final = -45.0
"""A long vowel, or a test tone, must not become the room."""

ATTACK_TICKS: Final = 3
"""A click is shorter than 30 ms, a syllable is not."""


class LoudnessDetector(VoiceDetector):
    """Cannot tell a voice from a door, a keyboard that is hit hard, or music."""

    def __init__(self) -> None:
        self.reset()

    @property
    @override
    def name(self) -> str:
        """What it goes by."""
        return "loudness"

    @override
    def reset(self) -> None:
        """Begin in a quiet room."""
        self._floor = NoiseFloor(FLOOR_HIGHEST_DBOV)
        self._loud_ticks = 0
        self._believed_ticks = 0

    @override
    def update(self, block: Samples) -> bool:
        """Go by the level of these 10 ms."""
        level = level_dbov(block)
        loud = self._floor.update(level) >= ABOVE_FLOOR_DB and level >= LOWEST_DBOV
        self._loud_ticks = self._loud_ticks + 1 if loud else 0
        # Within a voice each loud tick counts; only its beginning has to prove that it is no click.
        if loud and (self._loud_ticks >= ATTACK_TICKS or self._believed_ticks):
            self._believed_ticks = HANGOVER_TICKS
            return True
        believed = self._believed_ticks > 0
        self._believed_ticks -= believed
        return believed
