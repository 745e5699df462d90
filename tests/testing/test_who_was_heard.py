"""How a test is told who was not heard, and what it gives to a session of its own process."""

import asyncio
import inspect
import threading

import numpy as np
import pytest

import blink_cli as blink
from blink_cli.core.errors import UsageError
from blink_cli.lab.listening import Clocks, Listener, Speaker
from blink_cli.lab.voices import voice
from blink_cli.testing.blink_lab import BlinkLab
from blink_cli.testing.loop_thread import LoopThread
from blink_cli.testing.who_was_heard import HeardPair, WhoWasHeard, judged

pytestmark = pytest.mark.no_clock(sockets=True)

GOOD = HeardPair("alice", "bob", 0.97, 0.99, 82.0, 4.1)
LATE = HeardPair("carol", "bob", 0.95, 1.0, 410.0, None)
GONE = HeardPair("bob", "alice", 0.04, 0.0, 0.0, None)


@pytest.mark.parametrize(
    ("pairs", "wanted", "sentence"),
    [
        ((GOOD, GONE), {}, "bob -> alice: not heard"),
        ((GOOD, LATE), {"delay_ms": 300}, "carol -> bob: 410 ms, 300 ms was expected"),
        ((GOOD,), {"pesq_wb": 4.3}, "alice -> bob: PESQ-WB 4.10, 4.3 was expected"),
        ((LATE,), {"pesq_wb": 3.0}, r"carol -> bob: PESQ-WB could not be measured: install blink-cli\[lab\]"),
        ((), {}, "Not everybody was heard"),
    ],
)
def test_what_is_not_as_expected_is_said(
    pairs: tuple[HeardPair, ...], wanted: dict[str, float], sentence: str
) -> None:
    with pytest.raises(AssertionError, match=sentence):
        WhoWasHeard(pairs, 3.0).expect_all(**wanted)


def test_what_is_as_expected_passes() -> None:
    heard = WhoWasHeard((GOOD, LATE), 3.0)
    heard.expect_all(delay_ms=500)
    assert heard.of("carol", "bob") is LATE
    assert str(heard).splitlines()[1] == "  alice -> bob: heard, 82 ms, correlation 0.97, PESQ-WB 4.10"
    with pytest.raises(KeyError, match="known are alice -> bob"):
        heard.of("dave", "bob")


def test_a_burst_at_the_beginning_is_no_voice() -> None:
    said = voice(0, 12.0)
    clocks = Clocks(0.0, 0.0, 0.0)
    delay = round(0.08 * 48_000)

    def heard(whole_s: float) -> HeardPair:
        came = np.concatenate((np.zeros(delay, np.float32), said))
        came[round((2.0 + whole_s) * 48_000) :] = 0.0
        (pair,) = judged({"alice": Speaker(clocks, said)}, {"bob": Listener(clocks, came)}, 2.0, 2.0)
        return pair

    whole = heard(3.0)
    assert (whole.was_heard, whole.delay_ms) == (True, 80.0)
    assert whole.share_heard > 0.95
    burst = heard(0.3)
    assert not burst.was_heard
    assert burst.share_heard < 0.3
    assert not heard(0.0).was_heard


def test_the_loop_s_thread_gives_results_errors_and_ends() -> None:
    loop = LoopThread("a test's loop")

    async def left() -> str:
        asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        return threading.current_thread().name

    async def wrong() -> None:
        raise UsageError("no")

    assert loop.run(left()) == "a test's loop"
    with pytest.raises(UsageError):
        loop.run(wrong())
    loop.close()
    loop.close()


def test_two_sessions_of_one_name_are_refused_before_any_starts() -> None:
    lab = BlinkLab()
    try:
        with pytest.raises(UsageError, match="Two sessions cannot both be called alice") as refused:
            lab.started("alice", "bob", "alice")
        assert refused.value.hint is not None
        assert lab.sessions == {}
    finally:
        lab.close()


def test_a_session_of_the_test_s_own_process_fits_in() -> None:
    lab = BlinkLab()
    try:
        inspect.signature(blink.open_session).bind(**lab.place("carol"), input="silence")
        assert lab.speech(1, 1.0).exists()
        assert lab.speech(1, 1.0) == lab.speech(1, 1.0)
    finally:
        lab.close()
    assert not lab.folder.exists()
