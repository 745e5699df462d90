"""Sends for all light participants by one timer: fifty packets a second each, at moments of their own.

A packet of each in one burst every 20 ms would meet a listener as no thirty people do. So each belongs to one of ten phases, 2 ms apart.
"""

import secrets
import time
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from blink_cli.core.media.rtp import EncodedFrame
from blink_cli.core.media.unwrapper import TIMESTAMP_MASK
from blink_cli.lab.load.step_counts import StepCounts
from blink_cli.runtime.wake_timer import WakeTimer

FRAME_S: Final = 0.02
PHASES: Final = 10

MOST_BEHIND_S: Final = 0.5
"""What a machine that stood still missed is sent at once, as a sound card's backlog is; more than this is left out."""


LATE_STEP_MS: Final = 0.05
LATE_STEPS: Final = 20_000
"""A second; a day of turns has 43 million."""


class Speaker(Protocol):
    """Who says something."""

    @property
    def frames(self) -> Sequence[EncodedFrame]:
        """What, from its beginning; then again."""

    def send(self, frame: EncodedFrame) -> None:
        """Send this frame on every link that stands."""


class SendPace:
    """Belongs to the event loop."""

    def __init__(self, *, burst: bool = False) -> None:
        """Send nothing yet. `burst`: everybody's packet at the same moment."""
        self._phases: list[list[Speaker]] = [[] for _ in range(1 if burst else PHASES)]
        self._step_s = FRAME_S / len(self._phases)
        self._began_s = 0.0
        self._step = 0
        """The next one."""

        self._timestamp = secrets.randbits(32)
        self._timer = WakeTimer(self._woken)
        self.late = StepCounts(step_ms=LATE_STEP_MS, steps=LATE_STEPS)
        """How late each turn was since it was cleared: what this process adds to the jitter that is measured."""

    def add(self, speaker: Speaker) -> None:
        """Send for this one too."""
        min(self._phases, key=len).append(speaker)

    def start(self) -> None:
        """Begin now."""
        self._began_s = time.monotonic()
        self._set()

    def stop(self) -> None:
        """Send nothing more."""
        self._timer.cancel()

    def _due_s(self) -> float:
        return self._began_s + self._step * self._step_s

    def _set(self) -> None:
        self._timer.set(self._due_s())

    def _woken(self) -> None:
        now_s = time.monotonic()
        self.late.take(1000 * (now_s - self._due_s()))
        if now_s - self._due_s() > MOST_BEHIND_S:
            self._step = int((now_s - self._began_s - MOST_BEHIND_S) / self._step_s)
        while self._due_s() <= now_s:
            self._send(self._step, self._due_s())
            self._step += 1
        self._set()

    def _send(self, step: int, due_s: float) -> None:
        turn, phase = divmod(step, len(self._phases))
        made: dict[int, EncodedFrame] = {}
        for speaker in self._phases[phase]:
            said = speaker.frames[turn % len(speaker.frames)]
            frame = made.get(id(said))
            if frame is None:
                frame = made[id(said)] = msgspec.structs.replace(
                    said,
                    timestamp=(self._timestamp + turn * said.duration_samples) & TIMESTAMP_MASK,
                    captured_at=due_s - FRAME_S,
                )
            speaker.send(frame)
