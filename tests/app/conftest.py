"""Whole sessions inside the test's process: real sockets on loopback, real links, virtual devices."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from blink_cli.app.profile.profile import Profile
from blink_cli.app.session import Session
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.identity.identity import Identity

OpenSession = Callable[..., AbstractAsyncContextManager[Session]]
"""A name and what differs from the usual options."""


@pytest.fixture
def open_session(tmp_path: Path) -> OpenSession:
    """Open a session by name, on this test's own group and without DNS-SD unless asked for."""
    port = 20_000 + secrets.randbelow(20_000)

    @asynccontextmanager
    async def opening(name: str, **options: Any) -> AsyncIterator[Session]:
        profile = Profile(name, tmp_path / name / "data", tmp_path / name / "run")
        profile.make()
        wished: dict[str, Any] = {
            "nickname": name,
            "input": "tone:440",
            "output": "null",
            "interfaces": ("127.0.0.1",),
            "group": f"239.255.66.77:{port}",
            "discovery": False,
        } | options
        identity = Identity(secrets.token_bytes(32))
        async with Session.open(profile, identity, SessionOptions(**wished)) as session:
            yield session

    return opening
