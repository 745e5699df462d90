"""Whether the server of a room stands still: long before it is given up, so that direct connections can be made meanwhile.

    nothing came for 0.3 s --> it is asked --> no answer for 0.4 s either --> silent ... something comes --> no more

A server that is merely slow passes something on, or answers. Pure.
"""

from typing import Final

QUIET_S: Final = 0.3
"""Voices bring fifty packets a second, those who are muted two: a moment in which all are is asked about in vain, which costs one question."""

ANSWER_S: Final = 0.4
"""Beside three of its round trips."""

MOST_ANSWER_S: Final = 1.0

LEAST_LOOKS: Final = 2
"""In a row: a session that itself stood still finds in the first all that came meanwhile unread."""


class RoomSilence:
    """Of one visit."""

    def __init__(self) -> None:
        """Have heard nothing yet."""
        self.is_silent = False
        self.asks = False
        """Whether the server is to be asked, unless it was."""

        self._suspicious_looks = 0

    def look(self, now_s: float, heard_s: float | None, unanswered_s: float, rtt_s: float | None) -> bool:
        """Judge; returns whether `is_silent` changed. To be called ten times a second.

        Args:
            now_s: When.
            heard_s: When anything came last of those who are to be heard now; None: nobody is, or nothing ever came.
            unanswered_s: For how long the server has owed an answer; 0: it owes none.
            rtt_s: Its last round trip; None: it was not asked yet.

        """
        self.asks = heard_s is not None and now_s - heard_s >= QUIET_S
        patience_s = min(max(ANSWER_S, 3 * (rtt_s or 0.0)), MOST_ANSWER_S)
        suspicious = self.asks and unanswered_s >= patience_s
        self._suspicious_looks = self._suspicious_looks + 1 if suspicious else 0
        silent = self._suspicious_looks >= LEAST_LOOKS
        changed, self.is_silent = silent is not self.is_silent, silent
        return changed
