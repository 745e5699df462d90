"""Everything that can be asked of a session is a method, and asks what the command of the same words asks."""

import typing
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, NoReturn

import pytest
from typing_extensions import override

from blink_cli.api.reached_session import OpenedSession
from blink_cli.api.session import Session
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.lines import Lines
from blink_cli.commands.program import entry_point
from blink_cli.commands.session_sources import PresentSource
from blink_cli.core.api import requests
from blink_cli.core.api.events import Event
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import Request
from blink_cli.core.api.session_options import CodecOptions
from blink_cli.core.errors import BlinkError
from tests.support.scripted_session import ScriptedSession

pytestmark = pytest.mark.no_clock(sockets=True)

SAME: list[tuple[str, Callable[[Session], Awaitable[Any]]]] = [
    ("status", lambda session: session.status()),
    ("status --trace", lambda session: session.trace()),
    ("quit", lambda session: session.quit()),
    ("peers", lambda session: session.peers()),
    ("offer bob carol --wait 3", lambda session: session.offer("bob", "carol", wait_s=3.0)),
    ("accept c0ffee --wait 2", lambda session: session.accept("c0ffee", wait_s=2.0)),
    ("reject c0ffee", lambda session: session.reject("c0ffee")),
    ("leave", lambda session: session.leave()),
    ("calls", lambda session: session.calls()),
    ("participants", lambda session: session.participants()),
    ("mute", lambda session: session.mute()),
    ("unmute", lambda session: session.unmute()),
    ("mute bob", lambda session: session.mute("bob")),
    ("unmute bob", lambda session: session.unmute("bob")),
    ("deafen", lambda session: session.deafen()),
    ("undeafen", lambda session: session.undeafen()),
    ("gain bob 3", lambda session: session.gain("bob", 3.0)),
    ("video on", lambda session: session.video(on=True)),
    ("set-camera file:a.mp4", lambda session: session.set_camera("file:a.mp4")),
    ("echo-cancel on", lambda session: session.echo_cancel("on")),
    ("noise-suppress low", lambda session: session.noise_suppress("low")),
    ("auto-gain on", lambda session: session.auto_gain(on=True)),
    ("automute off", lambda session: session.automute(on=False)),
    ("set-input file:a.wav", lambda session: session.set_input("file:a.wav")),
    ("set-output null", lambda session: session.set_output("null")),
    ("codec show", lambda session: session.codec.show()),
    (
        "codec set bitrate=24000 --once",
        lambda session: session.codec.set(CodecOptions(bitrate=24000), once=True),
    ),
    ("impair bob in loss=3% seed=7", lambda session: session.impair("bob", "in", "loss=3%", "seed=7")),
    ("impair off", lambda session: session.impair("off")),
    ("impair", lambda session: session.impairment()),
    ("rtp-stats", lambda session: session.rtp_stats()),
    ("mesh", lambda session: session.mesh()),
    ("mark hello there", lambda session: session.mark("hello there")),
    ("stats reset", lambda session: session.stats_reset()),
    ("rtp-log start log.csv --decisions", lambda session: session.rtp_log.start("log.csv", decisions=True)),
    ("rtp-log pause", lambda session: session.rtp_log.pause()),
    ("rtp-log resume", lambda session: session.rtp_log.resume()),
    ("rtp-log stop", lambda session: session.rtp_log.stop()),
    ("rtp-log status", lambda session: session.rtp_log.status()),
    (
        "record start there --format mp4,wav",
        lambda session: session.record.start("there", formats=("mp4", "wav")),
    ),
    ("record stop --loudness", lambda session: session.record.stop(loudness=True)),
    ("record status", lambda session: session.record.status()),
    ("record mark hello", lambda session: session.record.mark("hello")),
    ("view bob --snapshot there.png", lambda session: session.snapshot("there.png", "bob")),
    ("ice-servers", lambda session: session.ice_servers()),
    ("assert 'loss<1%'", lambda session: session.check("loss<1%")),
]

OF_PROGRAMS: list[Callable[[Session], Awaitable[Any]]] = [
    lambda session: session.levels(),
    lambda session: session.picture("bob", than=3, wait_s=1),
    lambda session: session.reload_contacts(),
    lambda session: session.echo.start(),
    lambda session: session.echo.stop(),
    lambda session: session.echo.begin_test(),
    lambda session: session.echo.end_test(),
]
"""What no command asks first."""


class _AskedError(BlinkError):
    """It has been asked: that is all that these tests want to know."""


class _Heard(ScriptedSession):
    """Hears the first request, and refuses it."""

    @override
    async def ask(self, request: Request[Any]) -> NoReturn:
        self.asked.append(request)
        raise _AskedError("asked")

    @override
    async def events(self) -> AsyncGenerator[Event | Status, None]:
        yield self.state


async def asked_by_command(line: str) -> Request[Any]:
    heard = _Heard()
    job = Lines(GlobalOptions(), PresentSource(heard), entry_point).parsed(line)
    assert job is not None
    with pytest.raises(_AskedError):
        await job.run
    return heard.asked[0]


async def asked_by_method(method: Callable[[Session], Awaitable[Any]]) -> Request[Any]:
    heard = _Heard()
    with pytest.raises(_AskedError):
        await method(Session(OpenedSession(heard), heard.state))
    return heard.asked[0]


@pytest.mark.parametrize(("line", "method"), SAME, ids=[line for line, _ in SAME])
async def test_a_method_asks_what_its_command_asks(
    line: str, method: Callable[[Session], Awaitable[Any]]
) -> None:
    assert await asked_by_method(method) == await asked_by_command(line)


async def test_every_request_has_a_method() -> None:
    reached = {type(await asked_by_method(method)) for _, method in SAME}
    reached |= {type(await asked_by_method(method)) for method in OF_PROGRAMS}
    # Whoever adds a request adds a method of `api.session.Session`, and a row above. `events()` subscribes: in its own process without a request.
    assert reached | {requests.Subscribe} == set(typing.get_args(requests.AnyRequest))
