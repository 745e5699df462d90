"""How much a terminal takes: found out by asking it after each frame, since buffers on the way take far more than it shows.

    frame, ESC [ 6 n  ──>  ssh, tmux, the terminal  ──>  ESC [ row ; column R     it has shown the frame
                                                         before that no further one is written

What a slow line holds back, a letter that is typed waits behind. So a frame has no more bytes than pass in `SHARE_S`. Pure: times come in.
"""

from typing import Final

SHARE_S: Final = 0.03
"""How long a frame may be on its way beyond an empty question: a letter that is typed is shown within 50 ms."""

LEAST_BYTES: Final = 1_000
MOST_BYTES: Final = 96 * 1024
"""Every cell of a large terminal."""

LOST_S: Final = 2.0
"""A question that is not answered by then never will be."""

WAY_FOR_S: Final = 20.0
"""For so long a small frame tells how long the way alone takes; then another one is sent."""


class FramePace:
    """Of one terminal."""

    def __init__(self) -> None:
        self.answers = True
        """Whether the terminal answers; one that never did is not asked again."""

        self._allowed = 4 * LEAST_BYTES
        self._asked_at: float | None = None
        self._bytes = 0
        self._way_s: float | None = None
        """Of a small frame and its answer; None: the next one finds it out."""

        self._way_from = 0.0
        self._answered = 0

    @property
    def most_bytes(self) -> int:
        """Of the next frame: none of a terminal that does not answer is known to be too long."""
        if not self.answers:
            return MOST_BYTES
        return LEAST_BYTES if self._way_s is None else self._allowed

    def ready(self, now_s: float) -> bool:
        """Whether a further frame may be written."""
        if self._asked_at is not None and now_s - self._asked_at > LOST_S:
            self._asked_at = None
            self.answers = self._answered > 0
        return self._asked_at is None

    def wrote(self, size_bytes: int, now_s: float) -> bool:
        """A frame was written; return whether the terminal is to be asked."""
        if not self.answers:
            return False
        self._asked_at, self._bytes = now_s, size_bytes
        return True

    def answered(self, now_s: float) -> None:
        """The terminal has shown what was written."""
        if self._asked_at is None:
            return
        took_s = now_s - self._asked_at
        self._asked_at = None
        self._answered += 1
        if self._way_s is None or took_s < self._way_s:
            self._way_s, self._way_from = took_s, now_s
        elif now_s - self._way_from > WAY_FOR_S:
            self._way_s = None
            return
        beyond_s = took_s - self._way_s
        if beyond_s > SHARE_S:
            # Of what was written this time, so that one slow answer to a small frame says little of a large one.
            share = max(SHARE_S / beyond_s, 0.25)
            self._allowed = max(LEAST_BYTES, int(min(self._allowed, self._bytes) * share))
        elif self._bytes >= self._allowed // 2:
            faster = 2.0 if beyond_s < SHARE_S / 3 else 1.1
            self._allowed = min(MOST_BYTES, int(self._allowed * faster))
