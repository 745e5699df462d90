"""Whole sessions inside the test's process: real sockets on loopback, real links, virtual devices."""

import secrets
from contextlib import asynccontextmanager

import pytest

from blink_cli.app.profile import Profile
from blink_cli.app.session import Session
from blink_cli.core.identity import Identity
from blink_cli.core.session_options import SessionOptions


@pytest.fixture
def open_session(tmp_path):
    """Open a session by name, on this test's own group and without DNS-SD unless asked for."""
    port = 20_000 + secrets.randbelow(20_000)

    @asynccontextmanager
    async def opening(name, **options):
        profile = Profile(name, tmp_path / name / "data", tmp_path / name / "run")
        profile.make()
        wished = {
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
