"""The sound of a session, for whoever wants to look at it in this process: each peer's, the mix, and one's own.

    [playout thread]  speaker served ──> each peer's 10 ms as decoded, the mix ──┐
    [capture thread]  filters passed ──> own 10 ms                               ├─> copied into a bounded queue ──> [event loop] async for
                                                                                 ┘

Nothing of who listens runs on a voice thread: a tap that is read too slowly loses its oldest frames, counted, and a call never waits for it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from blink_cli.runtime.loop_bridge import LoopBridge
from blink_cli.runtime.on_demand import on_demand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType

    from blink_cli.audio import level
    from blink_cli.audio.processing.block import CapturedBlock
    from blink_cli.audio.samples import Samples
    from blink_cli.core.ids import Did
    from blink_cli.core.media.tap_point import TapPoint
else:
    level = on_demand("blink_cli.audio.level")

MOST_FRAMES: Final = 2048
"""That wait to be read: five seconds of a call of three peers, 4 MB. After that the oldest go."""


@dataclass(frozen=True, slots=True, eq=False)
class SoundFrame:
    """10 ms of sound at one place."""

    point: TapPoint
    peer: Did | None
    """Whose it is, at `peers`; else None."""

    samples: Samples
    """float32, shape (480,), 48 kHz, full scale at +/-1.0. The reader's own."""

    at_s: float
    """Monotonic, as `clocks.monotonic_s`: for when it was to be played; of `captured` until when it was captured."""

    @property
    def level_dbov(self) -> int:
        """How loud it is, from 0 (full scale) down to -127 (silence), as RFC 6464 has it."""
        return level.level_dbov(self.samples)


class SoundTap:
    """Frames as they come, by `async for`, until it is closed or the session ends. One reader. Made and read on the event loop."""

    def __init__(self, taps: SoundTaps, points: frozenset[TapPoint]) -> None:
        self.points: Final = points
        self.lost_frames = 0
        """That were not read in time."""

        self._taps = taps
        self._bridge = LoopBridge()
        self._frames: deque[SoundFrame] = deque()
        self._ready = asyncio.Event()
        self._woken = False
        self._closed = False

    def close(self) -> None:
        """Take nothing more; the reader gets what is left. Safe to call twice."""
        self._taps.remove(self)
        self._closed = True
        self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SoundFrame:
        """Return the oldest frame that was not read. Cancelling is safe: no frame is lost."""
        while not self._frames:
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._frames.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self, frame: SoundFrame) -> None:
        """Add a frame. Voice threads."""
        if len(self._frames) >= MOST_FRAMES:
            self.lost_frames += 1
            try:
                self._frames.popleft()
            except IndexError:  # the reader took it this instant
                self.lost_frames -= 1
        self._frames.append(frame)
        if not self._woken:
            self._woken = True
            self._bridge.call(self._wake)

    def _wake(self) -> None:
        self._woken = False
        self._ready.set()


class SoundTaps:
    """All taps of a session. They come and go on the event loop; voice threads see the old tuple or the new one. Implements `SoundListener`."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        """Have nobody listen; `changed` is called when somebody comes or goes."""
        self._changed = changed
        self._taps: tuple[SoundTap, ...] = ()
        self._of_playout: tuple[SoundTap, ...] = ()

    def add(self, points: Iterable[TapPoint]) -> SoundTap:
        """Listen at some points from now on."""
        tap = SoundTap(self, frozenset(points))
        self._renew((*self._taps, tap))
        return tap

    def remove(self, tap: SoundTap) -> None:
        """Listen no more; harmless when it did not."""
        self._renew(tuple(one for one in self._taps if one is not tap))

    def close(self) -> None:
        """End every iteration."""
        for tap in self._taps:
            tap.close()

    @property
    def wants_captured(self) -> bool:
        """Whether somebody wants what the microphone hears."""
        return any("captured" in tap.points for tap in self._taps)

    @property
    def wants_sound(self) -> bool:
        """See `SoundListener`."""
        return bool(self._of_playout)

    def played(self, at_s: float, voices: Sequence[tuple[Did, Samples]], mix: Samples) -> None:
        """See `SoundListener`."""
        for tap in self._of_playout:
            if "peers" in tap.points:
                for peer, samples in voices:
                    tap.take(SoundFrame("peers", peer, samples.copy(), at_s))
            if "mix" in tap.points:
                tap.take(SoundFrame("mix", None, mix.copy(), at_s))

    def captured(self, block: CapturedBlock) -> None:
        """Take what left the filters of the microphone. Capture thread."""
        for tap in self._taps:
            if "captured" in tap.points:
                tap.take(SoundFrame("captured", None, block.samples.copy(), block.captured_until))

    def _renew(self, taps: tuple[SoundTap, ...]) -> None:
        self._taps = taps
        self._of_playout = tuple(tap for tap in taps if tap.points & {"peers", "mix"})
        self._changed()
