"""Echo tests of one session: one at a time, and an older one harms no later one. Two that start an echo peer at once leave one behind."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from blink_cli.app.call.echo_requests import EchoRequests
from blink_cli.app.call.local_echo import LocalEcho
from blink_cli.core.api.requests import BeginEchoTest, EndEchoTest
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.errors import StateError
from blink_cli.core.ids import CallId

pytestmark = pytest.mark.no_clock(sockets=True)

CALL = CallId("0" * 32)


class Runner:
    """The call that this session is in."""

    def __init__(self) -> None:
        self.current: CallId | None = CALL
        self.left = 0

    def leave(self) -> None:
        self.left += 1
        self.current = None


class Taps:
    """Who listens in."""

    def __init__(self) -> None:
        self.there: list[Any] = []

    def add(self, tap: Any) -> None:
        self.there.append(tap)

    def remove(self, tap: Any) -> None:
        self.there.remove(tap)


async def test_an_earlier_test_neither_ends_nor_judges_a_later_one() -> None:
    runner, taps = Runner(), Taps()
    local: Any = None
    requests = EchoRequests(runner, taps, local, lambda _: "echo", lambda _: None)  # type: ignore[arg-type]
    first = await requests.begin(BeginEchoTest())
    second = await requests.begin(BeginEchoTest())
    assert len(taps.there) == 1
    taps.there[0].media_began(CALL)
    with pytest.raises(StateError, match="taken the place"):
        await requests.end(EndEchoTest(test=first.test))
    assert (runner.left, len(taps.there)) == (0, 1)
    verdict = await requests.end(EndEchoTest(test=second.test))
    assert (verdict.ok, verdict.code) == (False, "no_packets")
    assert (runner.left, taps.there) == (1, [])


READY = """
import json, os, sys, time
print(json.dumps({"did": "did:echo", "nickname": "echo", "pid": os.getpid()}), flush=True)
time.sleep(600)
"""


class Quick(LocalEcho):
    """Starts what says at once that it is ready."""

    @override
    def _command(self, folder: Path, stretch_s: float) -> list[str]:
        return [sys.executable, "-c", READY]


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_two_that_are_started_at_once_leave_one_and_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    local = Quick(SessionOptions())
    first, second, third = await asyncio.gather(*(local.start(4.0) for _ in range(3)))
    assert [runs(one.pid) for one in (first, second, third)] == [False, False, True]
    await local.stop(first.pid)
    assert runs(third.pid), "who ends his own ends no other"
    await local.stop(third.pid)
    assert not runs(third.pid)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a moment
