"""Which numbers of a sender have come: each passes once (RFC 9605, section 9.3)."""

from collections import OrderedDict
from typing import Final

WINDOW: Final = 1024
"""How far behind the highest a number may be and still be told from its repetition: 20 s of voice. What is older is refused."""

MAX_KEYS: Final = 1024
"""Whose windows are remembered: three times those of a call of 64 with five keys."""

_MASK: Final = (1 << WINDOW) - 1


class ReplayWindow:
    """Of one key. A number is told to it only once its ciphertext has proved to be authentic."""

    __slots__ = ("_highest", "_seen")

    def __init__(self) -> None:
        """Have seen none."""
        self._highest = -1
        self._seen = 0  # bit n: the highest less n has come

    def is_new(self, number: int) -> bool:
        """Whether it has not come, as far as that is known."""
        behind = self._highest - number
        return behind < 0 or (behind < WINDOW and not self._seen >> behind & 1)

    def came(self, number: int) -> None:
        """It has come now."""
        ahead = number - self._highest
        if ahead > 0:
            self._seen = (self._seen << min(ahead, WINDOW) | 1) & _MASK
            self._highest = number
        elif -ahead < WINDOW:
            self._seen |= 1 << -ahead


class ReplayWindows:
    """Those of all keys of a session, by their names.

    They outlive who is heard under a key, and the visit to a room: else a server that cuts a connection could have an old sentence heard again.
    """

    def __init__(self) -> None:
        """Know no key."""
        self._windows: OrderedDict[int, ReplayWindow] = OrderedDict()

    def of(self, kid: int) -> ReplayWindow:
        """Return what has come under this key."""
        window = self._windows.setdefault(kid, ReplayWindow())
        self._windows.move_to_end(kid)
        if len(self._windows) > MAX_KEYS:
            self._windows.popitem(last=False)
        return window
