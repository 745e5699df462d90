"""The dates of this session's messages: they never run back, and a mark in the message id says whose dates they are.

    timeline      a key of 16 random bytes, and dates: the wall clock at its beginning plus monotonic time since
    message id    10 random bytes, then 6 bytes of BLAKE2b(key = timeline's key, message = those 10)

Who was told the key, in an answer that only this session can have given just now, knows of every message whether it belongs to
these dates: what was recorded of an earlier session never does. To everybody else the ids are random.

In a call the dates go on whatever is done to the wall clock. Outside of one, a clock that was set begins another timeline.
"""

from collections.abc import Callable
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

TIMELINE_KEY_BYTES: Final = 16

SET_S: Final = 30.0
"""A wall clock that is this far from the timeline was set. Clocks that are steered into step differ by less."""

_RANDOM_BYTES: Final = 10
_MARK_BYTES: Final = 6


class OwnTimeline:
    """The one that this session's messages are on at the moment."""

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        """Begin with the first date that is asked for."""
        self._entropy = entropy
        self._began_s: tuple[float, float] | None = None
        """Monotonic and wall-clock seconds."""

        self.key = entropy(TIMELINE_KEY_BYTES)

    def date_ms(self, now_s: float, wall_s: float, *, in_call: bool) -> int:
        """The date of a message that is sealed now, milliseconds since 1970; a clock that shows an earlier year is taken to show that one."""
        wall_s = max(wall_s, 0.0)
        date_s = wall_s if self._began_s is None else self._began_s[1] + now_s - self._began_s[0]
        if self._began_s is None or (abs(wall_s - date_s) > SET_S and not in_call):
            if self._began_s is not None:
                self.key = self._entropy(TIMELINE_KEY_BYTES)
            self._began_s = (now_s, wall_s)
            date_s = wall_s
        return round(date_s * 1000)

    def new_message_id(self) -> bytes:
        """A random id with this timeline's mark."""
        random = self._entropy(_RANDOM_BYTES)
        return random + _mark(self.key, random)


def is_on(timeline_key: bytes, message_id: bytes) -> bool:
    """Whether the message of this id belongs to the timeline of this key; by chance once in 2^48 times."""
    return compare_digest(_mark(timeline_key, message_id[:_RANDOM_BYTES]), message_id[_RANDOM_BYTES:])


def _mark(timeline_key: bytes, random: bytes) -> bytes:
    return blake2b(random, key=timeline_key, digest_size=_MARK_BYTES, person=b"blink-timeline").digest()
