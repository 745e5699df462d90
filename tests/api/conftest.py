"""A session for the tests of the Python API: the scripted one, hosted as a real one is; opened, or reached through its control socket."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from blink_cli.api.opening import connect, hosted_session
from blink_cli.api.session import Session
from blink_cli.app.profile.profile import Profile, find_profile
from blink_cli.core.api.session_options import SessionOptions
from tests.support.scripted_session import ScriptedSession, scripted_session


@dataclass(frozen=True, slots=True)
class Held:
    """A program's session, and the scripted one behind it."""

    session: Session
    script: ScriptedSession
    data_dir: Path


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[Held]:
    """A session that this program opened."""
    scripts: list[ScriptedSession] = []

    def opening(
        profile: Profile, options: SessionOptions, _: str | None
    ) -> AbstractAsyncContextManager[ScriptedSession]:
        return scripted_session(options, profile.name, into=scripts)

    with tempfile.TemporaryDirectory(prefix="blink-") as folder:
        profile = find_profile("alice", Path(folder))
        async with hosted_session(profile, SessionOptions(), None, opening) as session:
            yield Held(session, scripts[0], Path(folder))


@pytest_asyncio.fixture(params=["opened", "connected"])
async def held(request: pytest.FixtureRequest, opened: Held) -> AsyncIterator[Held]:
    """The same session, by both ways."""
    if request.param == "opened":
        yield opened
        return
    async with connect(profile="alice", data_dir=opened.data_dir) as session:
        yield Held(session, opened.script, opened.data_dir)
