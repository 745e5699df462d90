"""The owner of an audio device, on a voice thread: it runs one step after the other, and takes another device between two steps.

    whoever asks:   start the new device ──> request ──> wait ──────────────> stop the old device
    voice thread:   step, step, step ──────────> swap: adopt it, answer ──> step, step

A start may open files, take locks and ask the sound system for seconds. So the new device already runs when the voice thread gets it, and
until then the old one goes on.
"""

import logging
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

import msgspec

from blink_cli.audio.devices.interface import DeviceReading, InputDevice, OutputDevice
from blink_cli.audio.thread_priority import Urgency
from blink_cli.audio.voice_thread import ENDED, Step, VoiceThread
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
        step: Step,
        adopt: Callable[[DeviceT, float], None],
        thread: VoiceThread | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            name: The thread's.
            device: Not started. It is stopped in the end.
            clock: Time for `adopt` and for the start of devices.
            step: Called on the thread, again and again.
            adopt: Called with a device that has just been started, and the time, before the first step that uses it: on the thread, or
                before there is one. If it fails, the device is not used.
            thread: That of the session, on which others work too; None for one of its own.

        """
        self._name = name
        self.device: DeviceT = device
        """The device in use. Set here alone."""

        self._clock = clock
        self._step = step
        self._adopt: Callable[[DeviceT, float], None] = adopt
        self._swaps: deque[_Swap[DeviceT]] = deque()
        self._thread = thread or VoiceThread(name, clock)
        self._turn: Step = self._run  # one object: it is taken away by identity
        self._is_on_thread = False
        self._wanted = False
        self._stopped = False
        self.crash: BaseException | None = None
        """What ended the thread, if a bug did."""

    @property
    def urgency(self) -> Urgency:
        """How the system schedules the thread."""
        return self._thread.urgency

    def start(self) -> None:
        """Start the device and the thread. Does nothing if they run; may be tried again after an error.

        Raises:
            BlinkError: The device does not start. Nothing runs then, until `start` or `set_device` succeeds.

        """
        assert not self._stopped, "what was stopped is not started again"
        self._wanted = True
        if not self._runs():
            self._begin(self.device)

    def stop(self) -> None:
        """End the thread, then the device. Safe to call twice and without a start; blocks for a few ms, a sound server's stop aside."""
        self._stopped = True
        self._leave_thread()
        self._wanted = False
        self._refuse_swaps()
        self.device.stop()

    def set_device(self, device: DeviceT) -> None:
        """Use another device from now on. Blocks until it is so; the old device is stopped.

        If `start` was called and nothing runs, because the device did not start or the thread has ended, both are started.

        Raises:
            BlinkError: The new device does not start; the old one goes on.

        """
        if self._runs():
            self._start(device, self._clock.now_s())
            try:
                previous = self._hand_over(device)
            except BaseException:
                device.stop()
                raise
            previous.stop()
        elif self._wanted:
            self._begin(device)
        else:
            self.device = device

    def reading(self, now_s: float) -> DeviceReading:
        """Return how the device does. It has failed when the thread has ended, since nothing comes from it any more."""
        reading: DeviceReading = self.device.reading(now_s)
        if self.crash is None:
            return reading
        return msgspec.structs.replace(
            reading, running=False, failure=f"The thread {self._name} ended by an error: {self.crash!r}."
        )

    def _start(self, device: DeviceT, now_s: float) -> None:
        device.start(self._thread.meeting_s(now_s) if device.parameters.virtual else now_s)

    def _runs(self) -> bool:
        return self._is_on_thread and self.crash is None

    def _leave_thread(self) -> None:
        if self._is_on_thread:
            self._thread.remove(self._turn)
            self._is_on_thread = False

    def _begin(self, device: DeviceT) -> None:
        now_s = self._clock.now_s()
        self._start(device, now_s)
        try:
            self._adopt(device, now_s)
        except BaseException:
            device.stop()
            raise
        previous: DeviceT
        previous, self.device = self.device, device
        self._leave_thread()  # after an error
        self._swaps.clear()
        self.crash = None
        self._is_on_thread = True
        self._thread.add(self._turn)
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
        previous, self.device = self.device, swap.device
        swap.previous.set_result(previous)

    def _run(self) -> float | None:
        try:
            return self._step()
        except Exception as error:  # noqa: BLE001 - whatever it is, the call must learn that the device is not used any more
            self.crash = error
            _log.exception("%s ended", self._name)
        self._refuse_swaps()
        return ENDED

    def _refuse_swaps(self) -> None:
        while self._swaps:
            swap = self._swaps.popleft()
            if swap.previous.set_running_or_notify_cancel():
                swap.previous.set_exception(
                    DeviceError(
                        f"{swap.device.parameters.name} was not taken into use: the call's sound ended."
                    )
                )
