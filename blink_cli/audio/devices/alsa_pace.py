"""Whether a device of ALSA needs more latency, told from how it moves. Pure: values in, a verdict out.

A server behind a plugin takes, or gives, a whole quantum at once. A buffer that does not hold one shows in two ways:

- the device moves slower than real time: it waits for us while it plays silence (PipeWire at 1,024 frames behind a buffer of 960: 29 %);
- it runs dry soon after its buffer was full. So it does where a quantum is only a few frames longer than the buffer, 50 times a second, at
  a pace that is almost real time.

A device that runs dry because we, or the whole machine, came late tells nothing of its buffer.
"""

from typing import Final

from blink_cli.core.audio_format import SAMPLE_RATE_HZ

PACE_S: Final = 0.5
"""Over which time a device's pace is measured."""

SLOW_WINDOWS: Final = 2
"""So many times in a row."""

SLOW_SHARE: Final = 0.97
"""A device that moves slower than this share of real time plays or captures with gaps: no clock is 3 % off."""

PAUSE_LIMIT_S: Final = 0.25
"""A longer pause between two movements is a server, or a machine, that stood still; what came before says nothing of its pace."""

DRY_LIMIT: Final = 5
"""After so many more times dry than are forgotten, the buffer is too small."""

DRY_FORGOTTEN_S: Final = 2.0
"""One time dry is forgotten in so long."""

DRY_AT_ONCE: Final = 1.5
"""Dry within so many lengths of the buffer after it was full: the device took more than it holds. Later: nobody filled it in time."""


class Pace:
    """From the opening of a device on. Belongs to its thread."""

    def __init__(self, now_s: float, buffer_s: float) -> None:
        """Begin to watch.

        Args:
            now_s: The moment, monotonic.
            buffer_s: How long what the device holds takes to play.

        """
        self._since_s = self._moved_s = self._dry_s = now_s
        self._buffer_s = buffer_s
        self._frames = 0
        self._slow = 0
        self._dry = 0.0
        self._ever = False
        self.needs_more = False
        """Whether the buffer has turned out to be too small."""

    def ran_dry(self, now_s: float) -> None:
        """Take an underrun or overrun, before what moves at the restart behind it."""
        if not self._ever or now_s - self._moved_s > DRY_AT_ONCE * self._buffer_s:
            return
        self._dry = max(0.0, self._dry - (now_s - self._dry_s) / DRY_FORGOTTEN_S) + 1.0
        self._dry_s = now_s
        self.needs_more |= self._dry >= DRY_LIMIT

    def moved(self, frames: int, now_s: float) -> None:
        """Take how many frames moved; 0 while there is nothing to move.

        Measured from one movement to another: between them a device may well wait for most of a quantum.
        """
        if not frames:
            # One that never ran may want more than the buffer holds; one that ran and stands still waits for its server.
            self.needs_more |= not self._ever and now_s - self._since_s > PACE_S
            return
        pause_s, self._moved_s = now_s - self._moved_s, now_s
        if not self._ever or pause_s > PAUSE_LIMIT_S:
            self._ever = True
            self._since_s, self._frames, self._slow = now_s, 0, 0
            return
        self._frames += frames
        passed_s = now_s - self._since_s
        if passed_s < PACE_S:
            return
        slow = self._frames < SLOW_SHARE * passed_s * SAMPLE_RATE_HZ
        self._since_s, self._frames = now_s, 0
        self._slow = self._slow + 1 if slow else 0
        self.needs_more |= self._slow >= SLOW_WINDOWS
