"""Asks the running session what the checks want to know of it."""

import asyncio
from typing import Final

from blink_cli.core.api.replies.network import IceServerList
from blink_cli.core.api.requests import GetIceServers, GetPeers, GetStatus
from blink_cli.core.api.session_port import SessionPort
from blink_cli.doctor.situation import RunningSession

ANSWER_S: Final = 1.5
"""A session answers within milliseconds, but for servers that it is just asking itself."""


async def seen(session: SessionPort, version: str | None) -> RunningSession:
    """Return what it says of itself.

    Args:
        session: That runs.
        version: Of the program that runs it; None: of this process.

    Raises:
        TimeoutError: It does not answer.
        BlinkError: It ended meanwhile.

    """
    async with asyncio.timeout(ANSWER_S):
        status = await session.ask(GetStatus())
        peers = await session.ask(GetPeers())
    return RunningSession(status, peers, await _ice_servers(session), version)


async def _ice_servers(session: SessionPort) -> IceServerList | None:
    try:
        async with asyncio.timeout(ANSWER_S):
            return await session.ask(GetIceServers())
    except TimeoutError:
        return None
