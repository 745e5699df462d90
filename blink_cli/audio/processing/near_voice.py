"""Whether somebody near talks, while the speaker plays.

The echo's power is known band by band (`EchoModel`). A voice of the room fills what the echo leaves: between its words, and in bands that it
does not use. So what is looked at is not how loud the microphone is, which a voice much softer than the echo hardly changes, but how far single bands stand above
what is expected. With an accurate model that finds two thirds of the ticks of a voice 8 dB below the echo, and nine tenths at 4 dB below.
"""

import math
from typing import Final

from blink_cli.audio.processing.bands import voice_power
from blink_cli.audio.samples import Samples

STANDS_OUT_DB: Final = 0.65
"""From this mean excess on (`EchoModel.excess_db`, smoothed) somebody talks. Echo alone stays below in 99 of 100 ticks."""

NEW_FACTOR: Final = 3.0
NEW_TICKS: Final = 100
"""At first it must be three times as much, and less and less: the model does not know yet how long the room goes on sounding."""

SMOOTH: Final = 0.7

BELIEVED_AFTER_TICKS: Final = 2
"""For so long a voice stands out before it is believed: the edge of a louder echo does not."""

HOLD_TICKS: Final = 12
"""A voice is believed for so long after it stood out: syllables."""

CLEAN: Final = 1e-3
"""If the canceller leaves so little of the power there is nobody near, whatever the model says."""

_FLOOR: Final = 1e-9


class NearVoice:
    """Used by the capture thread alone."""

    def __init__(self) -> None:
        self._excess_db = 0.0
        self._held_ticks = self._standing_out = 0
        self._heard = self._left = self._heard_before = _FLOOR

    @property
    def talks(self) -> bool:
        """Whether somebody near talks now."""
        return self._held_ticks > 0

    @property
    def left_share(self) -> float:
        """How much of what the microphone hears the canceller leaves, as power, over three ticks."""
        return self._left / self._heard

    def rest(self) -> None:
        """Take that nothing is played."""
        self._held_ticks = 0

    def take(self, excess_db: float, known_ticks: int, heard: Samples, left: Samples) -> bool:
        """Take a tick and return whether somebody talks.

        Args:
            excess_db: How far what is heard stands out.
            known_ticks: For how many ticks the model has learnt.
            heard: The powers of what is heard.
            left: Those that the canceller leaves.

        """
        self._heard = SMOOTH * self._heard + self._heard_before
        self._left = SMOOTH * self._left + voice_power(left)
        self._heard_before = voice_power(heard) + _FLOOR
        self._excess_db += (1.0 - SMOOTH) * (excess_db - self._excess_db)
        self._held_ticks -= 1
        stands_out_db = STANDS_OUT_DB * (1.0 + (NEW_FACTOR - 1.0) * math.exp(-known_ticks / NEW_TICKS))
        if self._excess_db > stands_out_db and self._left > CLEAN * self._heard:
            self._standing_out += 1
            if self._standing_out >= BELIEVED_AFTER_TICKS:
                self._held_ticks = HOLD_TICKS
        else:
            self._standing_out = 0
        return self.talks
