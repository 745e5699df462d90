"""What the shell may offer behind a command, asked of the running session: peers and calls.

Typer's completion calls these in a process of its own at every press of Tab. What goes wrong there is nobody's question: no session, no offers.
"""

from typing import Final

from blink_cli.commands.global_options import GlobalOptions
from blink_cli.core.errors import BlinkError
from blink_cli.core.replies import Calls, Peers
from blink_cli.core.requests import GetCalls, GetPeers, Request

PATIENCE_S: Final = 1.0
"""A prompt that hangs is worse than one that completes nothing."""


def complete_peer(incomplete: str) -> list[str]:
    """Nicknames, and DIDs once the beginning of one is typed."""
    reply = _ask(GetPeers())
    if not isinstance(reply, Peers):
        return []
    names = [peer.nickname for peer in reply.peers if peer.nickname] + [peer.did for peer in reply.peers]
    return [
        name
        for name in dict.fromkeys(names)
        if name.startswith(incomplete) and (incomplete or not name.startswith("did:"))
    ]


def complete_call(incomplete: str) -> list[str]:
    """Calls that can be joined."""
    reply = _ask(GetCalls())
    if not isinstance(reply, Calls):
        return []
    return [call.id for call in reply.pending_calls if call.id.startswith(incomplete)]


def complete_event(incomplete: str) -> list[str]:
    """Names of events."""
    from blink_cli.core.events import EVENT_NAMES  # noqa: PLC0415 - as the rest of a completion

    return [name for name in EVENT_NAMES if name.startswith(incomplete)]


def complete_path(incomplete: str) -> list[str]:
    """Files and folders, folders with a slash behind them."""
    import os  # noqa: PLC0415 - as the rest of a completion

    folder, beginning = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(os.path.expanduser(folder) or "."), key=lambda entry: entry.name)  # noqa: PTH111 - the text stays as it was typed
    except OSError:
        return []
    return [
        os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")  # noqa: PTH118 - as above
        for entry in entries
        if entry.name.startswith(beginning) and (beginning or not entry.name.startswith("."))
    ]


def _ask(request: Request) -> object:
    import asyncio  # noqa: PLC0415 - this module is imported by every command, this only by Tab

    from blink_cli.commands import running  # noqa: PLC0415 - as above

    async def ask() -> object:
        async with (
            asyncio.timeout(PATIENCE_S),
            await running.connect(GlobalOptions.from_environment()) as client,
        ):
            return await client.ask(request)

    try:
        return asyncio.run(ask())
    except (BlinkError, TimeoutError):
        return None
