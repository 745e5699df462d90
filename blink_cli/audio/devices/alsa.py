"""ALSA's plugin devices, without PortAudio: `default`, `pipewire`, `pulse`, and what users define in their `.asoundrc`.

    [thread "blink-alsa-input"]   device ── read ──> callback
    [thread "blink-alsa-output"]  callback ── write ──> device

A plugin is a way to a server, and servers die. PortAudio's thread then turns at full speed, writes an error message each time, and the
function that should end it does not return. Here a thread of ours waits with a timeout, and if closing hangs, it hangs alone.

A server may want more at once than the device's buffer holds: PipeWire at a quantum of 1,024 frames behind a buffer of 960 plays 29 % silence, at
2,048 nothing. A device whose buffer turns out to be too small (`alsa_pace.py`) is opened again with twice the latency.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import ClassVar, Final, Literal

import numpy as np

from blink_cli.audio.devices.alsa_pace import Pace
from blink_cli.audio.devices.alsa_pcm import AlsaPcm, PcmError
from blink_cli.audio.devices.engine import BlockCallback, OutputChannels
from blink_cli.audio.devices.engine_thread import EngineThread
from blink_cli.audio.devices.interface import DeviceParameters, DevicePlace
from blink_cli.audio.samples import Samples
from blink_cli.core.audio_format import SAMPLE_RATE_HZ
from blink_cli.core.errors import DeviceError

LATENCY_S: Final = 0.02
LONGEST_LATENCY_S: Final = 0.35
"""Two quanta of PipeWire's largest, 8,192 frames, would be this long."""

OPEN_S: Final = 4.0
"""A plugin whose server has not answered by then waits for ever."""

WAIT_S: Final = 0.1
PAUSE_S: Final = 0.005
"""Between two looks at a device that says that it is ready and is not."""

_log = logging.getLogger(__name__)


class AlsaEngine:
    """Implements `Engine` on a device of ALSA."""

    lost_frames = 0
    """An overrun shows as frames that are missing."""

    place: DevicePlace | None = None
    """ALSA does not say where its plugins bring the sound."""

    _probing: ClassVar[set[tuple[str, str]]] = set()
    """Devices that are being opened to see what they can do. One whose server hangs holds one thread, however often it is tried."""

    def __init__(
        self,
        direction: Literal["input", "output"],
        name: str,
        outputs: OutputChannels = OutputChannels.VOICE,
    ) -> None:
        """Open the device to see what it can do, and close it again.

        Raises:
            DeviceError: It cannot be used.

        """
        self._direction: Literal["input", "output"] = direction
        self._name = name
        self._outputs = outputs
        self._running = False
        self._latency_s = LATENCY_S
        self._thread: EngineThread | None = None
        self._parameters = DeviceParameters(name, SAMPLE_RATE_HZ, self._within(self._probe), virtual=False)

    @property
    def parameters(self) -> DeviceParameters:
        """48 kHz; one channel for an output where it can be, the device's own for an input."""
        return self._parameters

    @property
    def running(self) -> bool:
        """Whether it is open."""
        return self._running

    @property
    def failure(self) -> str | None:
        """A sentence, once it has ended by itself."""
        return None if self._thread is None else self._thread.failure

    @property
    def raised_latency_s(self) -> float | None:
        """The latency that is asked for, where that is more than at first."""
        return self._latency_s if self._latency_s > LATENCY_S else None

    def start(self, callback: BlockCallback) -> None:
        """Open the device and let it run.

        Raises:
            DeviceError: It cannot be used, or does not answer in time.

        """
        self.stop()

        def work(begun: Callable[[], None], stopping: threading.Event) -> None:
            self._run(callback, begun, stopping)

        self._thread = None
        thread = EngineThread(f"blink-alsa-{self._direction}", work, lambda error: self._ended(repr(error)))
        try:
            thread.begin(OPEN_S)
        except TimeoutError:
            raise self._silent() from None
        self._thread = thread
        self._running = True

    def stop(self) -> None:
        """End the thread and let go of the device. If that hangs, nobody waits for it."""
        self._running = False
        if self._thread is not None and not self._thread.end():
            _log.info("closing %s hangs; it is left alone", self._name)

    def _within(self, probe: Callable[[], int]) -> int:
        key = (self._direction, self._name)
        if key in self._probing:
            raise self._silent()
        self._probing.add(key)
        found: Future[int] = Future()

        def run() -> None:
            # Whoever waits may well try again at once: the device is free before he hears of it.
            try:
                channels = probe()
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                self._probing.discard(key)
                found.set_exception(error)
            else:
                self._probing.discard(key)
                found.set_result(channels)

        threading.Thread(target=run, name=f"blink-alsa-probe-{self._direction}", daemon=True).start()
        try:
            return found.result(OPEN_S)
        except TimeoutError:
            raise self._silent() from None

    def _silent(self) -> DeviceError:
        return DeviceError(
            f"The {self._direction} device {self._name} does not answer.", hint="Restart the sound server."
        )

    def _probe(self) -> int:
        pcm = AlsaPcm(self._direction, self._name)
        try:
            one = self._direction == "output" and self._outputs is OutputChannels.VOICE
            wished = 1 if one else pcm.most_channels()
            for channels in (wished, 2, 1):
                with contextlib.suppress(PcmError):
                    pcm.configure(channels, self._latency_s)
                    return channels
            raise DeviceError(
                f"The {self._direction} device {self._name} cannot be used: it takes neither one channel nor two at 48 kHz.",
                hint="Choose another device, or define one of ALSA's type `plug` around it in ~/.asoundrc.",
            )
        finally:
            pcm.close()

    # The thread.

    def _run(self, callback: BlockCallback, begun: Callable[[], None], stopping: threading.Event) -> None:
        while not stopping.is_set():
            pcm = AlsaPcm(self._direction, self._name)
            try:
                pcm.configure(self._parameters.channels, self._latency_s)
                begun()
                self._turn(pcm, callback, stopping)
            except PcmError as error:
                raise self._ended(str(error)) from error
            finally:
                pcm.close()

    def _ended(self, reason: str) -> DeviceError:
        return DeviceError(f"The sound system ended the {self._direction} device {self._name}: {reason}.")

    def _turn(self, pcm: AlsaPcm, callback: BlockCallback, stopping: threading.Event) -> None:
        """Move sound until it is enough, or until the device turns out to need more latency."""
        if self._direction == "output":
            self._play(pcm, callback, pcm.buffer_frames)
        pcm.start()
        pace = Pace(time.monotonic(), pcm.buffer_frames / SAMPLE_RATE_HZ)
        while not stopping.is_set():
            moved = 0
            if pcm.wait(WAIT_S):
                frames = pcm.available_frames()
                if frames is None:
                    pace.ran_dry(time.monotonic())
                    moved = self._move_again(pcm, callback)
                else:
                    moved = self._move(pcm, callback, frames)
                if not moved:
                    stopping.wait(PAUSE_S)
            pace.moved(moved, time.monotonic())
            if pace.needs_more and self._latency_s < LONGEST_LATENCY_S:
                self._latency_s = min(2 * self._latency_s, LONGEST_LATENCY_S)
                _log.info("%s is opened again with %.0f ms", self._name, self._latency_s * 1000)
                return

    def _move_again(self, pcm: AlsaPcm, callback: BlockCallback) -> int:
        """Let a device run that ran dry."""
        pcm.restart()
        if self._direction == "input":
            return 0
        frames = pcm.available_frames() or 0
        self._play(pcm, callback, frames)
        pcm.start()
        return frames

    def _move(self, pcm: AlsaPcm, callback: BlockCallback, frames: int) -> int:
        if self._direction == "output":
            self._play(pcm, callback, frames)
            return frames
        delay_s = pcm.delay_s()
        block = pcm.read(frames)
        if len(block):
            callback(block, delay_s)
        return len(block)

    def _play(self, pcm: AlsaPcm, callback: BlockCallback, frames: int) -> None:
        if frames > 0:
            block: Samples = np.empty((frames, pcm.channels), dtype=np.float32)
            callback(block, pcm.delay_s())
            pcm.write(block)
