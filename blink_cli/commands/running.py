"""The way from the chosen profile to a session: the one that runs, or one of this process."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from blink_cli.app.control_client import ControlClient
from blink_cli.app.control_door import control_door
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.core.errors import NoSessionError
from blink_cli.core.session_options import SessionOptions
from blink_cli.core.session_port import SessionPort
from typing import Any, Awaitable, Protocol


class HostedSession(SessionPort, Protocol):
    """A session of this process."""

    ended: Awaitable[Any]
    """Done when the session was told to quit; fails when the session cannot go on."""


def runtime_dir(options: GlobalOptions) -> Path:
    import platformdirs
    if options.data_dir: return options.data_dir / "run" / options.profile
    return platformdirs.user_runtime_path("blink") / options.profile


async def connect(options: GlobalOptions) -> ControlClient:
    """Reach the session of the chosen profile.

    Raises:
        NoSessionError: None runs.
    """
    try:
        return await ControlClient.connect(control_door(runtime_dir(options)))
    except NoSessionError as error:
        raise NoSessionError(
            f"No session of profile {options.profile!r} is running.",
            hint=f"start one with `blink{profile_flag(options)} serve`, or `blink{profile_flag(options)}` for a prompt",
        ) from error


def profile_flag(options: GlobalOptions) -> str:
    """Return the option that names the profile in a hint; nothing for the one that is taken anyway."""
    return "" if options.profile == "default" else f" --profile {options.profile}"


@asynccontextmanager
async def host(options: GlobalOptions, session_options: SessionOptions) -> AsyncIterator[HostedSession]:
    """Run a session in this process.

    Raises:
        StateError: One of this profile runs already.
        BlinkError: It cannot be opened.
    """
    from blink_cli.app.hosted_session import hosted  # noqa: PLC0415 - a session is heavy; attached commands need none
    from blink_cli.commands.version import program_version

    did, open_session = load_session(options, session_options)
    async with hosted(
        profile=options.profile,
        did=did,
        version=program_version(),
        runtime_dir=runtime_dir(options),
        open_session=open_session,
    ) as session:
        yield session


def load_session(options: GlobalOptions, session_options: SessionOptions) -> tuple[str, Callable[[], AbstractAsyncContextManager[HostedSession]]]:
    raise NotImplementedError
