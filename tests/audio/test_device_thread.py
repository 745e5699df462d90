import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from typing_extensions import override

from blink_cli.audio import device_thread
from blink_cli.audio.device_thread import DeviceThread
from blink_cli.audio.devices.interface import InputDevice
from blink_cli.audio.devices.plain_sounds import Silence
from blink_cli.audio.devices.virtual_input import VirtualInput
from blink_cli.core.errors import DeviceError
from blink_cli.runtime.clock import MonotonicClock
from tests.audio.parts import BrokenDevice

pytestmark = pytest.mark.no_clock


class Microphone(VirtualInput):
    """Remembers who started it, and may take its time."""

    def __init__(self, name: str) -> None:
        super().__init__(name, Silence())
        self.started_by: list[threading.Thread] = []
        self.starting = threading.Event()
        self.may_start = threading.Event()
        self.may_start.set()

    @override
    def start(self, now_s: float) -> None:
        self.started_by.append(threading.current_thread())
        self.starting.set()
        assert self.may_start.wait(10)
        super().start(now_s)

    def runs(self) -> bool:
        return self.reading(0.0).running


class Bench:
    """A thread that only counts its steps, and swaps when it is told to."""

    def __init__(self, device: InputDevice) -> None:
        self.thread: DeviceThread[InputDevice] = DeviceThread(
            "test-voice", device, MonotonicClock(), step=self._step, adopt=self._adopt
        )
        self.may_step = threading.Event()
        self.may_step.set()
        self.adopted: list[tuple[InputDevice, threading.Thread]] = []
        self.refused: InputDevice | None = None
        self.work: Callable[[], None] | None = None
        self._stepped = threading.Event()

    def step(self) -> None:
        """Wait until a whole step more has been made."""
        for _ in range(2):
            self._stepped.clear()
            assert self._stepped.wait(10)

    def crash(self) -> None:
        def fail() -> None:
            raise ZeroDivisionError

        self.work = fail
        while self.thread.crash is None:
            self._stepped.wait(0.001)
        self.work = None

    def _step(self) -> float | None:
        self._stepped.set()
        if self.work is not None:
            self.work()
        assert self.may_step.wait(10)
        if self.thread.swap_wanted:
            self.thread.swap(0.0)
        else:
            threading.Event().wait(0.001)
        return None

    def _adopt(self, device: InputDevice, now_s: float) -> None:
        del now_s
        if device is self.refused:
            raise ValueError("no such rate")
        self.adopted.append((device, threading.current_thread()))


@contextmanager
def running(device: InputDevice) -> Iterator[Bench]:
    bench = Bench(device)
    bench.thread.start()
    try:
        yield bench
    finally:
        bench.may_step.set()
        bench.thread.stop()
        assert not bench.thread.device.reading(0.0).running


def test_the_new_device_is_started_by_whoever_asks_and_the_old_one_goes_on_meanwhile() -> None:
    first, second = Microphone("first"), Microphone("second")
    with running(first) as bench, ThreadPoolExecutor(1) as pool:
        second.may_start.clear()
        done = pool.submit(bench.thread.set_device, second)
        assert second.starting.wait(10)
        bench.step()
        assert bench.thread.device is first
        assert first.runs()
        second.may_start.set()
        done.result(10)
        assert bench.thread.device is second
        assert not first.runs()
        assert "test-voice" not in {thread.name for thread in second.started_by}
        assert [(device, thread.name) for device, thread in bench.adopted[1:]] == [(second, "test-voice")]


def test_a_device_that_is_not_taken_in_time_is_stopped_and_never_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(device_thread, "SWAP_TIMEOUT_S", 0.05)
    first, second = Microphone("first"), Microphone("second")
    with running(first) as bench:
        bench.may_step.clear()
        with pytest.raises(DeviceError, match="second was not taken into use in time") as caught:
            bench.thread.set_device(second)
        assert caught.value.hint
        assert not second.runs()
        bench.may_step.set()
        bench.step()
        assert bench.thread.device is first
        assert first.runs()
        assert not bench.thread.swap_wanted


def test_a_device_that_cannot_be_adopted_is_an_error_of_whoever_asked() -> None:
    first, second = Microphone("first"), Microphone("second")
    with running(first) as bench:
        bench.refused = second
        with pytest.raises(ValueError, match="no such rate"):
            bench.thread.set_device(second)
        assert not second.runs()
        bench.step()
        assert bench.thread.device is first
        assert bench.thread.crash is None


def test_after_a_failed_start_another_device_starts_the_thread() -> None:
    bench = Bench(BrokenDevice())
    with pytest.raises(DeviceError):
        bench.thread.start()
    with pytest.raises(DeviceError):
        bench.thread.set_device(BrokenDevice())
    second = Microphone("second")
    bench.thread.set_device(second)
    bench.step()
    assert second.runs()
    bench.thread.start()
    assert len(second.started_by) == 1
    bench.thread.stop()


def test_before_a_start_another_device_only_takes_the_place() -> None:
    second = Microphone("second")
    bench = Bench(Microphone("first"))
    bench.thread.set_device(second)
    assert bench.thread.device is second
    assert not second.runs()
    bench.thread.stop()


def test_a_crash_is_the_devices_failure_and_another_device_starts_the_thread_anew() -> None:
    first, second = Microphone("first"), Microphone("second")
    with running(first) as bench:
        bench.crash()
        reading = bench.thread.reading(0.0)
        assert not reading.running
        assert "ZeroDivisionError" in (reading.failure or "")
        bench.thread.set_device(second)
        bench.step()
        assert bench.thread.reading(0.0).failure is None
        assert not first.runs()


def test_whoever_waits_is_answered_when_the_thread_ends() -> None:
    second = Microphone("second")
    with running(Microphone("first")) as bench, ThreadPoolExecutor(1) as pool:
        bench.may_step.clear()
        done = pool.submit(bench.thread.set_device, second)
        while not bench.thread.swap_wanted:
            second.starting.wait(0.001)

        def fail(now_s: float) -> None:
            raise ZeroDivisionError

        bench.thread.swap = fail  # type: ignore[method-assign]
        bench.may_step.set()
        with pytest.raises(DeviceError, match="not taken into use"):
            done.result(10)
        assert not second.runs()
