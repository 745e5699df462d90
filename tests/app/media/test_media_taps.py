"""Who listens in and fails is dropped and named; the voice, and everybody else who listens in, do not notice."""

import asyncio
import inspect
import logging
import threading
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typing_extensions import override

from blink_cli.app.files.rtp_logging import RtpLogging
from blink_cli.app.media.media_readings import MediaWatcher
from blink_cli.app.media.media_taps import MediaTaps
from blink_cli.app.media.quality_watch import QualityWatch
from blink_cli.core.api.events import (
    Event,
    Observer,
    ObserverFailed,
    RecordingStopped,
    RtpLogStopped,
)
from blink_cli.core.api.requests import GetRtpStatistics, LeaveCall, StartRecording, StartRtpLog
from blink_cli.core.media.media_tap import MediaTap
from blink_cli.record.recording.recording_tap import RecordingTap
from blink_cli.record.recording.sidecar import read_sidecar
from tests.app.conftest import OpenSession
from tests.app.test_session import Ear, ask, connect

pytestmark = pytest.mark.real_time

METHODS = sorted(
    name
    for name, member in inspect.getmembers(MediaWatcher, inspect.isfunction)
    if not name.startswith("_") and name != "tap_failed"
)
"""All that a tap is told, and on which it may fail."""

IN_A_CALL = sorted({*METHODS} - {"packet_repeated"})
"""Nothing comes twice on loopback."""


class Counting(MediaWatcher):
    """Counts what it is told."""

    observer = Observer.RTP_LOG

    def __init__(self) -> None:
        self.told = dict.fromkeys(METHODS, 0)
        self.failures: list[str] = []
        for method in METHODS:
            setattr(self, method, self._counting(method))

    def _counting(self, method: str) -> Any:
        def count(*_: object) -> None:
            self.told[method] += 1

        return count

    @override
    def tap_failed(self, reason: str) -> None:
        self.failures.append(reason)


class Failing(Counting):
    """Raises whenever it is told one kind of thing."""

    observer = Observer.RECORDING

    def __init__(self, method: str) -> None:
        super().__init__()
        self._fault = KeyError(method)
        setattr(self, method, self._fail)

    def _fail(self, *_: object) -> NoReturn:
        raise self._fault


def arguments_of(method: str) -> list[Any]:
    return [None] * (len(inspect.signature(getattr(MediaTaps, method)).parameters) - 1)


def test_all_that_a_tap_can_be_told_is_passed_on() -> None:
    assert {"media_began", "played", "look"} <= {*METHODS}
    assert all(hasattr(MediaTaps, method) for method in METHODS)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("on_another_thread", [False, True], ids=["on the loop", "on the playout thread"])
async def test_a_tap_that_raises_is_dropped_told_and_logged_once(
    method: str,
    on_another_thread: bool,  # noqa: FBT001 - a parameter of the test
    caplog: pytest.LogCaptureFixture,
) -> None:
    events: list[Event] = []
    taps = MediaTaps(events.append)
    failing, healthy = Failing(method), Counting()
    taps.add(failing)
    taps.add(healthy)

    def tell_three_times() -> None:
        for _ in range(3):
            getattr(taps, method)(*arguments_of(method))

    with caplog.at_level(logging.ERROR):
        if on_another_thread:
            await asyncio.to_thread(tell_three_times)
        else:
            tell_three_times()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    reason = f"an error in the program: KeyError({method!r})"
    assert events == [ObserverFailed(observer=Observer.RECORDING, reason=reason)]
    assert failing.failures == [reason]
    assert healthy.told[method] == 3
    assert [record.message for record in caplog.records] == [
        "the recording failed and hears nothing more of the call"
    ]
    others = [other for other in METHODS if other != method]
    for other in others:
        getattr(taps, other)(*arguments_of(other))
    assert [failing.told[other] for other in others] == [0] * len(others)


async def test_a_tap_that_fails_on_both_threads_is_told_once() -> None:
    events: list[Event] = []
    taps = MediaTaps(events.append)
    taps.add(Failing("played"))
    together = threading.Barrier(2)

    def play() -> None:
        together.wait()
        taps.played(*arguments_of("played"))

    await asyncio.gather(asyncio.to_thread(play), asyncio.to_thread(play))
    await asyncio.sleep(0)
    assert len(events) == 1


async def test_taps_that_fail_at_everything_do_not_silence_a_call(
    open_session: OpenSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_session("alice") as alice, open_session("bob", input="tone:880") as bob:
        ear = Ear(alice)
        await ear.first()
        taps = alice._media._taps
        healthy = Counting()
        failing: list[MediaTap] = [Failing(method) for method in IN_A_CALL]
        # In front of everybody else who listens in.
        taps._renew((*(_listening(tap) for tap in failing), *taps._listening))
        taps.add(healthy)
        with caplog.at_level(logging.CRITICAL):  # what is logged of them is another test's
            await connect(alice, bob)
            untold = {*IN_A_CALL} - {"media_ended", "link_ended"}
            while untold:
                failed = await ear.until(ObserverFailed)
                untold.discard(failed.reason.split("'")[1])
            played = healthy.told["played"]
            async with asyncio.timeout(10):
                while healthy.told["played"] < played + 25:  # noqa: ASYNC110 - counted on another thread
                    await asyncio.sleep(0.02)
            for session in (alice, bob):
                (peer,) = (await ask(session, GetRtpStatistics())).peers
                assert peer.inbound is not None
                assert peer.inbound.packets_received > 25
                assert peer.inbound.audio_level_dbov is not None
                assert peer.inbound.audio_level_dbov > -40
            await alice.ask(LeaveCall())
            untold = {"media_ended", "link_ended"}
            while untold:
                failed = await ear.until(ObserverFailed)
                untold.discard(failed.reason.split("'")[1])


def _listening(tap: MediaTap) -> Any:
    other = MediaTaps()
    other.add(tap)
    return other._listening[0]


async def test_a_recording_and_a_log_whose_taps_fail_end_as_failed_and_keep_what_they_have(
    open_session: OpenSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_session("alice") as alice, open_session("bob") as bob:
        await connect(alice, bob)
        begun = await ask(alice, StartRecording(folder=str(tmp_path)))
        await alice.ask(StartRtpLog(path=str(tmp_path / "log.csv")))
        ear, other = Ear(alice), Ear(bob)
        await ear.first()
        await other.first()

        def fail(*_: object) -> NoReturn:
            raise ZeroDivisionError("once")

        monkeypatch.setattr(RecordingTap, "frame_encoded", fail)
        monkeypatch.setattr(RtpLogging, "played", fail)
        monkeypatch.setattr(QualityWatch, "look", fail)
        told: dict[str, Any] = {}
        async with asyncio.timeout(15):
            while len(told) < 5:
                event = await anext(ear._stream)
                match event:
                    case ObserverFailed(observer=observer):
                        assert observer not in told
                        told[observer] = event
                    case RecordingStopped() | RtpLogStopped():
                        told[type(event).__name__] = event
                    case _:
                        pass
        reason = "an error in the program: ZeroDivisionError('once')"
        assert told["RecordingStopped"].failed
        assert told["RecordingStopped"].reason == told["RtpLogStopped"].reason == reason
        await other.until(RecordingStopped, did=alice.did)
        (peer,) = (await ask(alice, GetRtpStatistics())).peers
        assert peer.inbound is not None
        assert peer.inbound.analysis is None
    path = Path(told["RecordingStopped"].path)
    assert path.name == Path(begun.path).name.replace(".part", "")
    assert read_sidecar(path.with_suffix(".json")).reason == reason
    assert told["RtpLogStopped"].rows > 0
