"""The capture chain: what is done to the microphone's sound before it is encoded.

    10 ms block ──> high-pass ──> echo ──> noise ──> gain ──> block
                                   ^
    FarReference ──────────────────'   what was heard from the speaker meanwhile

Each filter stands in a stage, which turns it on and off without a click and keeps every block's content at its time. With no filter on, a
block passes as it is. A filter that fails is taken out, the call goes on, and it is tried again: three times in all.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from blink_cli.audio.devices.interface import InputDevice, OutputDevice
from blink_cli.audio.processing.auto_echo import echo_decision, sound_device
from blink_cli.audio.processing.block import CapturedBlock
from blink_cli.audio.processing.echo import EchoFilter
from blink_cli.audio.processing.far_reference import FarReference
from blink_cli.audio.processing.figures import FilterName, ProcessingFigures, UnavailableFilter
from blink_cli.audio.processing.filter import Filter
from blink_cli.audio.processing.gain import GainFilter
from blink_cli.audio.processing.high_pass import HighPass
from blink_cli.audio.processing.noise import NoiseFilter
from blink_cli.audio.processing.stage import WARMED_BLOCKS, Stage
from blink_cli.audio.processing.webrtc import UnavailableError
from blink_cli.audio.samples import Samples
from blink_cli.audio.silent_block import SILENT_BLOCK
from blink_cli.core.audio_format import TICK_MS, TICK_SAMPLES
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress, ProcessingSettings

DECIDES_EVERY_SAMPLES: Final = 50 * TICK_SAMPLES
"""A sound server may bring a stream to another device at any time; that is looked for twice a second."""

COST_EVERY_BLOCKS: Final = 7
"""To ask for the processor time costs as much as a filter on some machines: so not every block is measured. No rhythm of a filter is a multiple."""

COST_BLOCKS: Final = 30
"""Blocks whose mean is told: the last two seconds."""

TRIED_AGAIN_S: Final = 20.0
"""How long a filter that failed stays out."""

MOST_FAILURES: Final = 3
"""After so many it stays out for good: what is wrong does not pass."""

SHORTEST_BLOCK_SAMPLES: Final = TICK_SAMPLES // 4
WARMING_SAMPLES: Final = WARMED_BLOCKS * TICK_SAMPLES

_TICK_S: Final = TICK_MS / 1000

_NAMES: Final[dict[type[Filter], FilterName]] = {
    EchoFilter: FilterName.ECHO,
    NoiseFilter: FilterName.NOISE,
    GainFilter: FilterName.GAIN,
}
"""Those that users ask for."""

ChainObserver = Callable[[CapturedBlock], None]
"""Called on the capture thread with every block that leaves the chain: near, far and samples lie on each other. It must not block."""


@dataclass(slots=True)
class _Failures:
    """Of one kind of filter."""

    count: int
    out_until: float
    """As `captured_until`."""

    reason: str


_log = logging.getLogger(__name__)


class CaptureChain:
    """`process` and what stands beside it belong to the capture thread; settings may be given, and figures asked for, by any."""

    def __init__(
        self, reference: FarReference | None = None, settings: ProcessingSettings | None = None
    ) -> None:
        """Prepare; no filter runs yet.

        Args:
            reference: What the speaker plays; without it there is no echo to cancel.
            settings: The user's wish; that of `ProcessingSettings` if None.

        """
        self._reference = reference
        self._settings = settings or ProcessingSettings()
        self._obeyed: tuple[ProcessingSettings, bool] | None = None
        self._microphone: InputDevice | None = None
        self._until_decision = 0
        self._high_pass, self._echo, self._noise, self._gain = Stage(), Stage(), Stage(), Stage()
        self._stages = (self._high_pass, self._echo, self._noise, self._gain)
        self._failures: dict[type[Filter], _Failures] = {}
        self._captured_until = 0.0
        self._heard_from: tuple[InputDevice | None, OutputDevice | None] = (None, None)
        self._idle = True
        """Whether no filter runs, nor is about to."""

        self._passed_by: deque[Samples] = deque(maxlen=WARMING_SAMPLES // SHORTEST_BLOCK_SAMPLES)
        """The last blocks that no stage has seen."""

        self._unavailable: dict[type[Filter], UnavailableFilter] = {}
        self._observers: tuple[ChainObserver, ...] = ()
        self._passed = 0
        self._costs_s: deque[float] = deque(maxlen=COST_BLOCKS)
        self._figures = self._measured()

    # Any thread.

    def set_settings(self, settings: ProcessingSettings) -> None:
        """Obey other settings from the next block on."""
        self._settings = settings
        self._until_decision = 0

    def figures(self) -> ProcessingFigures:
        """Return what the chain does, as of a moment at most half a second ago."""
        return self._figures

    def observe(self, observer: ChainObserver) -> None:
        """Have `observer` called with every block from now on."""
        self._observers = (*self._observers, observer)
        if self._reference is not None:
            self._reference.is_read = True

    def observe_no_more(self, observer: ChainObserver) -> None:
        """Leave `observer` alone from now on. No harm if it is not there."""
        self._observers = tuple(other for other in self._observers if other is not observer)

    # The capture thread.

    def use_microphone(self, microphone: InputDevice) -> None:
        """Take that the next block comes from this device."""
        self._microphone = microphone
        self._until_decision = 0

    @property
    def held_blocks(self) -> int:
        """How many blocks were taken and not given yet."""
        return sum(stage.held_blocks for stage in self._stages)

    def passes_blocks_by(self) -> bool:
        """Return whether the next blocks may be of any length, because nothing is done to them."""
        if self._until_decision <= 0:
            self._decide_anew()
        return self._idle and not self._observers

    def process(self, near: Samples, captured_until: float) -> list[CapturedBlock]:
        """Take one block, shape (480,), whose last sample was captured at `captured_until`; return those that are finished.

        That is the one before where filters run that need time; none, or two, where one was turned on or off just now. A block of another
        length passes as it is (`passes_blocks_by`).
        """
        self._until_decision -= len(near)
        self._captured_until = captured_until
        if len(near) == TICK_SAMPLES and self._until_decision < 0:
            self._decide_anew()
        idle = self._idle
        if len(near) != TICK_SAMPLES or (idle and not self._observers):
            self._passed_by.append(near)
            return [CapturedBlock(near, near, SILENT_BLOCK, captured_until)]
        if self._passed_by:
            self._recall(captured_until - _TICK_S)
        sound = _sound(near)
        self._passed += 1
        measured = self._passed % COST_EVERY_BLOCKS == 0
        began_s = time.thread_time() if measured else 0.0
        unread = self._reference is None or (self._echo.idle and not self._observers)
        far = (
            SILENT_BLOCK
            if unread or self._reference is None
            else self._reference.between(captured_until - _TICK_S)
        )
        blocks = [CapturedBlock(sound, sound, far, captured_until)]
        for stage in self._stages:
            blocks = [done for block in blocks for done in self._run(stage, block)]
        self._idle = all(stage.idle for stage in self._stages)
        if measured:
            self._costs_s.append(time.thread_time() - began_s)
        if idle:  # as it is, whoever observes
            blocks = [CapturedBlock(near, near, far, captured_until)]
        for block in blocks:
            self._tell(block)
        return blocks

    def restart(self) -> int:
        """Take that sound is missing behind the last block. Return how many blocks were held back and are left out."""
        self._passed_by.clear()
        left_out = sum(stage.restart() for stage in self._stages)
        self._idle = all(stage.idle for stage in self._stages)
        return left_out

    def _recall(self, captured_until: float) -> None:
        """Show the stages the end of what passed them by: a filter that comes begins with it."""
        sound = np.concatenate(self._passed_by)
        self._passed_by.clear()
        for left in range(min(WARMED_BLOCKS, len(sound) // TICK_SAMPLES) - 1, -1, -1):
            end = len(sound) - left * TICK_SAMPLES
            block = _sound(sound[end - TICK_SAMPLES : end])
            for stage in self._stages:
                stage.remember(CapturedBlock(block, block, SILENT_BLOCK, captured_until - left * _TICK_S))

    def _run(self, stage: Stage, block: CapturedBlock) -> list[CapturedBlock]:
        try:
            return stage.process(block)
        except Exception as error:  # noqa: BLE001 - whatever it is, the voice goes on without the filter
            broken = stage.filter
            if broken is not None:
                self._take_out(type(broken), error)
            _log.exception("a filter of the capture chain failed")
            self._obeyed = None  # so that it is told
            self._until_decision = 0
            return stage.abandon()

    def _take_out(self, kind: type[Filter], error: Exception) -> None:
        count = 1 + (self._failures[kind].count if kind in self._failures else 0)
        tried = count < MOST_FAILURES
        self._failures[kind] = _Failures(
            count,
            self._captured_until + TRIED_AGAIN_S if tried else math.inf,
            f"It failed and was taken out ({error!r}); "
            + (
                f"it is tried again after {TRIED_AGAIN_S:.0f} s."
                if tried
                else "a new session tries it again."
            ),
        )

    def _tell(self, block: CapturedBlock) -> None:
        for observer in self._observers:
            try:
                observer(block)
            except Exception:  # noqa: BLE001 - it stands behind what it observes
                self.observe_no_more(observer)
                _log.exception("an observer of the capture chain failed")

    def _decide_anew(self) -> None:
        self._until_decision = DECIDES_EVERY_SAMPLES
        self._decide()
        self._figures = self._measured()

    def _decide(self) -> None:
        settings = self._settings
        self._notice_devices()
        echo = self._echo_wanted(settings.echo_cancel)
        back = any(0.0 < failed.out_until <= self._captured_until for failed in self._failures.values())
        if self._obeyed == (settings, echo) and not back:
            self._read_reference()
            return
        self._obeyed = (settings, echo)
        noise = settings.noise_suppress
        reference = self._reference
        self._put(self._echo, EchoFilter, (lambda: EchoFilter(reference)) if echo and reference else None)
        self._put(
            self._noise,
            NoiseFilter,
            None if noise is NoiseSuppress.OFF else (lambda: NoiseFilter(noise)),
            same=lambda now: isinstance(now, NoiseFilter) and now.strength is noise,
        )
        self._put(self._gain, GainFilter, GainFilter if settings.auto_gain else None)
        # The echo canceller has one of its own.
        others = self._noise.filter is not None or self._gain.filter is not None
        self._put(self._high_pass, HighPass, HighPass if others and self._echo.filter is None else None)
        self._idle = all(stage.idle for stage in self._stages)
        self._read_reference()

    def _read_reference(self) -> None:
        if self._reference is not None:
            self._reference.is_read = not self._echo.idle or bool(self._observers)

    def _put(
        self,
        stage: Stage,
        kind: type[Filter],
        make: Callable[[], Filter] | None,
        same: Callable[[Filter], bool] = lambda _: True,
    ) -> None:
        now = stage.filter
        if make is None:
            stage.use(None)
            self._unavailable.pop(kind, None)
        elif kind in self._failures and self._failures[kind].out_until > self._captured_until:
            stage.use(None)
            self._miss(kind, self._failures[kind].reason)
        elif now is None or not same(now):
            try:
                stage.use(make())
                self._unavailable.pop(kind, None)
                if kind in self._failures:
                    self._failures[kind].out_until = 0.0
            except UnavailableError as error:
                self._miss(kind, str(error))
            except Exception as error:  # noqa: BLE001 - as for one that fails later
                _log.exception("a filter of the capture chain cannot be made")
                if kind in self._failures:
                    self._take_out(kind, error)
                self._miss(kind, f"It cannot be made ({error!r}).")

    def _miss(self, kind: type[Filter], reason: str) -> None:
        if kind in _NAMES:
            self._unavailable[kind] = UnavailableFilter(_NAMES[kind], reason)

    def _notice_devices(self) -> None:
        """Have the echo canceller forget a room that is heard by another microphone or from another speaker now."""
        speaker = None if self._reference is None else self._reference.speaker
        microphone_before, speaker_before = self._heard_from
        self._heard_from = self._microphone, speaker
        if microphone_before is None or speaker_before is None:
            return
        echo, same = self._echo.filter, microphone_before is self._microphone and speaker_before is speaker
        if isinstance(echo, EchoFilter) and not same:
            echo.forget()

    def _echo_wanted(self, wish: EchoCancel) -> bool:
        if wish is not EchoCancel.AUTO:
            return wish is EchoCancel.ON and self._reference is not None
        speaker = None if self._reference is None else self._reference.speaker
        if speaker is None or self._microphone is None:
            return False
        now_s = time.monotonic()
        return echo_decision(wish, sound_device(self._microphone, now_s), sound_device(speaker, now_s)).on

    def _measured(self) -> ProcessingFigures:
        costs = list(self._costs_s)
        echo, noise, gain = self._echo.filter, self._noise.filter, self._gain.filter
        return ProcessingFigures(
            echo=echo.figures() if isinstance(echo, EchoFilter) else None,
            noise_removed_db=noise.removed_db if isinstance(noise, NoiseFilter) else None,
            gain_db=gain.gain_db if isinstance(gain, GainFilter) else None,
            delay_ms=float(self.held_blocks * TICK_MS),
            cost_us=sum(costs) / len(costs) * 1e6 if costs else None,
            unavailable=tuple(self._unavailable.values()),
        )


def _sound(near: Samples) -> Samples:
    """Return the block as filters may see it: finite and within full scale."""
    # argmax is several times quicker than max; a NaN is the largest to it, and to argmin the smallest.
    low, high = near.item(near.argmin()), near.item(near.argmax())
    if low >= -1.0 and high <= 1.0:
        return near
    if not math.isfinite(low + high):
        return np.zeros_like(near)
    return np.clip(near, -1.0, 1.0)
