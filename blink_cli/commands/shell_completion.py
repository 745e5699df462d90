"""What the shell may offer behind a command, asked of the running session: peers and calls.

Typer's completion calls these in a process of its own at every press of Tab. What goes wrong there is nobody's question: no session, no offers.
"""

import re
from collections.abc import Iterable
from typing import Final, get_args

from blink_cli.commands.global_options import GlobalOptions
from blink_cli.commands.shell_words import ShellName
from blink_cli.core.api.replies.calls import Calls
from blink_cli.core.api.replies.peers import Peer, Peers
from blink_cli.core.api.requests import GetCalls, GetPeers, R, Request
from blink_cli.core.api.session_options import AutoAccept
from blink_cli.core.errors import BlinkError
from blink_cli.core.impairment.words import KEYS
from blink_cli.core.media.processing_settings import EchoCancel, NoiseSuppress

PATIENCE_S: Final = 1.0
"""A prompt that hangs is worse than one that completes nothing."""

SWITCH: Final = ("on", "off")

IMPAIRMENT_WORDS: Final = (*(f"{key}=" for key in KEYS), "in", "out", "off")
"""What may be said of a bad network."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def complete_peer(incomplete: str) -> list[str]:
    """Names, and DIDs of those without one; the others' once something is typed."""
    reply = _ask(GetPeers())
    if not isinstance(reply, Peers):
        return []
    names = [offered_name(peer) for peer in reply.peers]
    dids = [peer.did for peer in reply.peers] if incomplete else []
    return [name for name in dict.fromkeys([*names, *dids]) if name.startswith(incomplete)]


def offered_name(peer: Peer) -> str:
    """Return what Tab offers for a peer: the petname of a contact, a claim of plain letters, else the DID.

    What a stranger calls itself never puts anything into a command line that a shell, an option or a reader could take for something else.
    """
    if peer.in_contacts and peer.nickname:
        return peer.nickname
    return peer.nickname if _PLAIN.fullmatch(peer.nickname) else peer.did


def complete_auto_accept(incomplete: str) -> list[str]:
    """Whose calls a session accepts by itself."""
    return [who for who in get_args(AutoAccept) if who.startswith(incomplete)]


def complete_echo_cancel(incomplete: str) -> list[str]:
    """When echo is cancelled."""
    return [value for value in EchoCancel if value.startswith(incomplete)]


def complete_noise_suppress(incomplete: str) -> list[str]:
    """How much noise is taken out."""
    return [value for value in NoiseSuppress if value.startswith(incomplete)]


def complete_switch(incomplete: str) -> list[str]:
    """What is on or off."""
    return [word for word in SWITCH if word.startswith(incomplete)]


def complete_shell(incomplete: str) -> list[str]:
    """Shells that can complete."""
    return [name for name in get_args(ShellName) if name.startswith(incomplete)]


def complete_call(incomplete: str) -> list[str]:
    """Calls that can be joined."""
    reply = _ask(GetCalls())
    if not isinstance(reply, Calls):
        return []
    return [call.id for call in reply.pending_calls if call.id.startswith(incomplete)]


def complete_codec(incomplete: str) -> list[str]:
    """Settings of the codec, then their values."""
    from blink_cli.commands.codec_words import offers  # noqa: PLC0415 - as the rest of a completion

    return [word for word, _ in offers(incomplete) if word.startswith(incomplete)]


def complete_impairment(incomplete: str) -> list[str]:
    """What may be said of a bad network, then peers."""
    return [word for word in IMPAIRMENT_WORDS if word.startswith(incomplete)] + complete_peer(incomplete)


def complete_event(incomplete: str) -> list[str]:
    """Names of events."""
    from blink_cli.core.api.events import EVENT_NAMES  # noqa: PLC0415 - as the rest of a completion

    return [name for name in EVENT_NAMES if name.startswith(incomplete)]


def complete_document(incomplete: str) -> list[str]:
    """Names of documents and events."""
    from blink_cli.api.schemas import schema_names  # noqa: PLC0415 - as the rest of a completion

    return [name for name in schema_names() if name.startswith(incomplete)]


def complete_expectation(incomplete: str) -> list[str]:
    """Figures that `assert` knows."""
    from blink_cli.api.live_figures import LIVE_FIGURES  # noqa: PLC0415 - as the rest of a completion

    return [name for name in LIVE_FIGURES if name.startswith(incomplete)]


def complete_input(incomplete: str) -> list[str]:
    """Microphones: the virtual ones, and the files behind `file:`."""
    return complete_device(incomplete, ("default", "silence", "tone:440", "echo:10", "file:"), "file:")


def complete_camera(incomplete: str) -> list[str]:
    """Cameras: the virtual ones, and the files behind `file:`."""
    return complete_device(incomplete, ("default", "testsrc", "blank", "image:", "file:"), "file:")


def complete_output(incomplete: str) -> list[str]:
    """Speakers: the virtual ones, and the files behind `wav:`."""
    return complete_device(incomplete, ("default", "null", "echo", "wav:"), "wav:")


def complete_device(incomplete: str, names: Iterable[str], path_prefix: str) -> list[str]:
    """Those of the names that fit, or what lies in the folder whose path has begun behind the prefix."""
    if incomplete.startswith(path_prefix):
        from blink_cli.core.api.device_name import FileDevice, WavDevice  # noqa: PLC0415 - as the rest of a completion

        # As the device is called: a file's name may end in what reads like a device's options.
        device = FileDevice if path_prefix == "file:" else WavDevice
        return [str(device(path)) for path in complete_path(incomplete.removeprefix(path_prefix))]
    return [name for name in names if name.startswith(incomplete)]


def complete_path(incomplete: str) -> list[str]:
    """Files and folders, folders with a slash behind them; `./` before a name that would mean an option, a home folder or nothing."""
    import os  # noqa: PLC0415 - as the rest of a completion

    folder, beginning = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(os.path.expanduser(folder) or "."), key=lambda entry: entry.name)  # noqa: PTH111 - the text stays as it was typed
    except OSError:
        return []
    return [
        _unmistakable(os.path.join(folder, entry.name)) + ("/" if entry.is_dir() else "")  # noqa: PTH118 - as above
        for entry in entries
        if entry.name.startswith(beginning) and (beginning or not entry.name.startswith("."))
    ]


def _unmistakable(path: str) -> str:
    return f"./{path}" if path.startswith(("-", "~")) and "/" not in path else path


def _ask(request: Request[R]) -> R | None:
    import asyncio  # noqa: PLC0415 - this module is imported by every command, this only by Tab

    from blink_cli.commands import running  # noqa: PLC0415 - as above

    async def ask() -> R:
        async with (
            asyncio.timeout(PATIENCE_S),
            await running.connect(GlobalOptions.from_environment()) as client,
        ):
            return await client.ask(request)

    try:
        return asyncio.run(ask())
    except (BlinkError, TimeoutError):
        return None
