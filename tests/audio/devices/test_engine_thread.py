"""A thread that opens a stream and turns it: each way in which it can end, without a device."""

import threading
from collections.abc import Callable

import pytest

from blink_cli.audio.devices import engine_thread
from blink_cli.audio.devices.engine_thread import EngineThread
from blink_cli.core.errors import DeviceError

pytestmark = pytest.mark.no_clock

Begun = Callable[[], None]


def told(error: Exception) -> DeviceError:
    return DeviceError(f"The stream ended: {error!r}.")


def test_it_begins_and_is_woken_to_end() -> None:
    news = threading.Event()
    ended: list[bool] = []

    def work(begun: Begun, stopping: threading.Event) -> None:
        begun()
        news.wait(10)
        ended.append(stopping.is_set())

    thread = EngineThread("test", work, told)
    thread.begin(10)
    assert thread.end(news.set)
    assert ended == [True], "it is told before it is woken"
    assert thread.failure is None


@pytest.mark.parametrize("opened", [False, True], ids=["before it is open", "later"])
@pytest.mark.parametrize("error", [DeviceError("It is gone."), ZeroDivisionError()], ids=repr)
def test_an_error_is_a_sentence(error: Exception, opened: bool) -> None:  # noqa: FBT001
    sentence = "It is gone." if isinstance(error, DeviceError) else "The stream ended: ZeroDivisionError()."
    begun_once = threading.Event()

    def work(begun: Begun, _stopping: threading.Event) -> None:
        if opened:
            begun()
            begun()  # opened again, with more latency
            begun_once.wait(10)
        raise error

    thread = EngineThread("test", work, told)
    if not opened:
        with pytest.raises(DeviceError, match=sentence.replace("(", r"\(").replace(")", r"\)")):
            thread.begin(10)
        return
    thread.begin(10)
    assert thread.end(begun_once.set)
    assert thread.failure == sentence


def test_one_that_hangs_is_left_alone_and_not_waited_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_thread, "STOP_S", 0.01)
    released, done = threading.Event(), threading.Event()

    def work(begun: Begun, _stopping: threading.Event) -> None:
        begun()
        released.wait(10)
        done.set()

    thread = EngineThread("test", work, told)
    thread.begin(10)
    assert not thread.end()
    monkeypatch.setattr(engine_thread, "STOP_S", 1000.0)
    assert not thread.end()
    released.set()
    assert done.wait(10)


def test_one_that_does_not_open_in_time_closes_what_it_opens_later() -> None:
    released, told_to_stop = threading.Event(), threading.Event()

    def work(begun: Begun, stopping: threading.Event) -> None:
        released.wait(10)
        begun()
        if stopping.wait(10):
            told_to_stop.set()

    thread = EngineThread("test", work, told)
    with pytest.raises(TimeoutError):
        thread.begin(0.01)
    released.set()
    assert told_to_stop.wait(10)
