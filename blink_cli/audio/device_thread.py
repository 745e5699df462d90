"""The thread that owns an audio device: it runs one step after the other, and takes another device between two steps.

    whoever asks:   start the new device ──> request ──> wait ──────────────> stop the old device
    voice thread:   step, step, step ──────────> swap: adopt it, answer ──> step, step

A start may open files, take locks and ask the sound system for seconds. So the new device already runs when the voice thread gets it, and
until then the old one goes on.
"""

import dataclasses
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from blink_cli.audio.devices.interface import DeviceReading, InputDevice, OutputDevice
from blink_cli.audio.thread_priority import Urgency, make_urgent
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.clock import Clock

DeviceT = TypeVar("DeviceT", InputDevice, OutputDevice)

SWAP_TIMEOUT_S: Final = 5.0
"""A voice thread looks for a request every 10 to 20 ms. One that takes longer than this is not running."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Swap(Generic[DeviceT]):
    """A device that runs and waits to be used, and the answer: the device that was used before."""

    device: DeviceT
    previous: "Future[DeviceT]" = field(default_factory=Future)


class DeviceThread(Generic[DeviceT]):
    """Owns a device, and a thread between `start` and `stop`. Its methods may be called from any thread but its own, by one at a time.

    `swap` and `swap_wanted` belong to its own thread.
    """

    def __init__(
        self,
        name: str,
        device: DeviceT,
        clock: Clock,
        *,
        step: Callable[[], None],
        adopt: Callable[[DeviceT, float], None],
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            name: The thread's.
            device: Not started. It is stopped in the end.
            clock: Time for `adopt` and for the start of devices.
            step: One piece of work, at most some 50 ms long. Called on the thread, again and again.
            adopt: Called with a device that has just been started, and the time, before the first step that uses it: on the thread, or
                before there is one. If it fails, the device is not used.

        """
        self._name = name
        self._device: DeviceT = device
        self._clock = clock
        self._step = step
        self._adopt: Callable[[DeviceT, float], None] = adopt
        self._swaps: deque[_Swap[DeviceT]] = deque()
        self._thread: threading.Thread | None = None
        self._wanted = False
        self._stopping = threading.Event()
        self.urgency = Urgency.ORDINARY
        """How the system schedules the thread."""

        self.crash: BaseException | None = None
        """What ended the thread, if a bug did."""

    @property
    def device(self) -> DeviceT:
        """The device in use."""
        return self._device

    def start(self) -> None:
        """Start the device and the thread. Does nothing if they run; may be tried again after an error.

        Raises:
            BlinkError: The device does not start. Nothing runs then, until `start` or `set_device` succeeds.

        """
        assert not self._stopping.is_set(), "what was stopped is not started again"
        self._wanted = True
        if not self._runs():
            self._begin(self._device)

    def stop(self) -> None:
        """End the thread, then the device. Safe to call twice and without a start; blocks for a few ms, a sound server's stop aside."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._wanted = False
        self._refuse_swaps()
        self._device.stop()

    def set_device(self, device: DeviceT) -> None:
        """Use another device from now on. Blocks until it is so; the old device is stopped.

        If `start` was called and nothing runs, because the device did not start or the thread has ended, both are started.

        Raises:
            BlinkError: The new device does not start; the old one goes on.

        """
        if self._runs():
            device.start(self._clock.now_s())
            try:
                previous = self._hand_over(device)
            except BaseException:
                device.stop()
                raise
            previous.stop()
        elif self._wanted:
            self._begin(device)
        else:
            self._device = device

    def reading(self, now_s: float) -> DeviceReading:
        """Return how the device does. It has failed when the thread has ended, since nothing comes from it any more."""
        reading: DeviceReading = self._device.reading(now_s)
        if self.crash is None:
            return reading
        return dataclasses.replace(
            reading, running=False, failure=f"The thread {self._name} ended by an error: {self.crash!r}."
        )

    def _runs(self) -> bool:
        return self._thread is not None and self.crash is None

    def _begin(self, device: DeviceT) -> None:
        now_s = self._clock.now_s()
        device.start(now_s)
        try:
            self._adopt(device, now_s)
        except BaseException:
            device.stop()
            raise
        previous: DeviceT
        previous, self._device = self._device, device
        if self._thread is not None:
            self._thread.join()  # it has ended by an error, or does so now
        self._swaps.clear()
        self.crash = None
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()
        if previous is not device:
            previous.stop()

    def _hand_over(self, device: DeviceT) -> DeviceT:
        swap = _Swap(device)
        self._swaps.append(swap)
        try:
            # A thread that has crashed since may have answered its last request already.
            return swap.previous.result(SWAP_TIMEOUT_S if self.crash is None else 0.0)
        except TimeoutError:
            # Either the request is withdrawn, or the thread has taken it this instant: never half of each.
            if swap.previous.cancel():
                raise DeviceError(
                    f"{device.parameters.name} was not taken into use in time.",
                    hint="The machine may be too busy; try again.",
                ) from None
            return swap.previous.result()

    # The thread.

    @property
    def swap_wanted(self) -> bool:
        """Whether another device waits."""
        return bool(self._swaps)

    def swap(self, now_s: float) -> None:
        """Use the device that waits from now on, and answer whoever asked. Its failure is theirs, too: the old device goes on."""
        swap = self._swaps.popleft()
        if not swap.previous.set_running_or_notify_cancel():
            return
        try:
            self._adopt(swap.device, now_s)
        except Exception as error:  # noqa: BLE001 - raised again where somebody waits for it
            swap.previous.set_exception(error)
            return
        previous, self._device = self._device, swap.device
        swap.previous.set_result(previous)

    def _run(self) -> None:
        self.urgency = make_urgent()
        try:
            while not self._stopping.is_set():
                self._step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the call must learn that the device is not used any more
            self.crash = error
            _log.exception("the thread %s ended", self._name)
        self._refuse_swaps()

    def _refuse_swaps(self) -> None:
        while self._swaps:
            swap = self._swaps.popleft()
            if swap.previous.set_running_or_notify_cancel():
                swap.previous.set_exception(
                    DeviceError(
                        f"{swap.device.parameters.name} was not taken into use: the call's sound ended."
                    )
                )
