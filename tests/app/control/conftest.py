"""A scripted session behind each kind of door."""

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from blink_cli.app.control.control_server import ControlServer
from blink_cli.app.control.control_socket import ControlDoor, UnixDoor
from blink_cli.app.control.loopback_door import LoopbackDoor
from blink_cli.core.api.control_protocol import Hello
from blink_cli.core.api.session_options import SessionOptions
from tests.support.scripted_session import ALICE, ScriptedSession

HELLO = Hello(version="test", profile="alice", did=ALICE, pid=os.getpid())


class Running:
    """A session and its server."""

    def __init__(
        self, session: ScriptedSession, server: ControlServer, door: ControlDoor, directory: Path
    ) -> None:
        self.session = session
        self.server = server
        self.door = door
        self.directory = directory


@pytest_asyncio.fixture(params=[UnixDoor, LoopbackDoor])
async def running(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """A session behind each kind of door."""
    make_door: Callable[[Path], ControlDoor] = request.param
    door = make_door(tmp_path / "run")
    session = ScriptedSession(SessionOptions())
    async with ControlServer(door) as server:
        await server.listen(session, HELLO)
        yield Running(session, server, door, tmp_path / "run")
        await session.aclose()
