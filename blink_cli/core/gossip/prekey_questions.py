"""Asks peers for their prekeys when something is to be sealed to them: at once if none is known or none was told lately, and with each repetition.

The question is a ClockRequest, whose answer tells the prekey too (core/gossip/clocks.py asks for clocks with the same signal, for reasons of its own).
An answer is believed by its nonce: it was signed after we asked. Only what this session itself has to say makes it ask.
"""

from collections.abc import Callable
from typing import Final

from blink_cli.core.signaling.signals import CLOCK_NONCE_BYTES

ANSWER_WITHIN_S: Final = 5.0
"""A question that waited longer for its answer is forgotten."""

MAX_QUESTIONS: Final = 512
"""Under way at a time: as many as signals."""

_GAP_S: Final = 0.05
"""Between two questions to one peer: what is to be said to it at one moment asks once."""


class PrekeyQuestions:
    """Of one session."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        """Ask nobody."""
        self._entropy = entropy
        self._asked: dict[bytes, tuple[bytes, float]] = {}
        """Nonce to whom it was sent, and when."""

    def ask(self, peer: bytes, now_s: float) -> bytes | None:
        """The nonce of a question to this peer that goes out now; None: it was asked a moment ago."""
        for nonce in [nonce for nonce, (_, at_s) in self._asked.items() if now_s - at_s > ANSWER_WITHIN_S]:
            del self._asked[nonce]
        if any(asked == peer and now_s - at_s < _GAP_S for asked, at_s in self._asked.values()):
            return None
        if len(self._asked) >= MAX_QUESTIONS:
            del self._asked[next(iter(self._asked))]
        nonce = self._entropy(CLOCK_NONCE_BYTES)
        self._asked[nonce] = (peer, now_s)
        return nonce

    def answered(self, peer: bytes, nonce: bytes, now_s: float) -> bool:
        """Whether this answers a question to this peer."""
        asked = self._asked.get(nonce)
        return asked is not None and asked[0] == peer and now_s - asked[1] <= ANSWER_WITHIN_S
