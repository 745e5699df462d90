"""The way from the chosen profile to a session: the one that runs, or one of this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from blink_cli import __version__
from blink_cli.app.control.control_client import ControlClient
from blink_cli.app.control.door_choice import control_door
from blink_cli.commands.global_options import DEFAULT_PROFILE, GlobalOptions
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import NoSessionError
from blink_cli.core.text.path_text import as_word
from blink_cli.runtime.garbage import collect_as_usual, collect_seldom
from blink_cli.runtime.math_threads import on_one_thread

if TYPE_CHECKING:
    from pathlib import Path

    from blink_cli.app.profile.profile import Profile
    from blink_cli.core.api.events import Event
    from blink_cli.core.identity.identity import Identity


class HostedSession(SessionPort, Protocol):
    """A session of this process."""

    @property
    def ended(self) -> asyncio.Event:
        """Set when the session was told to quit."""

    def hurry(self) -> None:
        """End without waiting for what can be made later as well."""

    @property
    def notices(self) -> "tuple[Event, ...]":
        """What went otherwise than asked while it opened."""


def profile_of(options: GlobalOptions) -> "Profile":
    """Return where the chosen profile keeps its things. Touches nothing on disk.

    Raises:
        UsageError: Its name cannot be one.

    """
    from blink_cli.app.profile.profile import find_profile  # noqa: PLC0415 - `--help` needs no folders

    return find_profile(options.profile, options.data_dir)


async def connect(options: GlobalOptions) -> ControlClient:
    """Reach the session of the chosen profile.

    Raises:
        NoSessionError: None runs.

    """
    profile = profile_of(options)
    try:
        return await ControlClient.connect(control_door(profile.runtime_dir))
    except NoSessionError as error:
        blink = _program_text(options)
        raise NoSessionError(
            f"No session of profile {options.profile!r} is running.",
            hint=f"Start one with `{blink} serve`, or `{blink}` for a prompt.",
        ) from error


def _program_text(options: GlobalOptions) -> str:
    """Return `blink` with the options that name the same profile again; the folder of profiles only if the environment names another."""
    words = ["blink"]
    if options.profile != DEFAULT_PROFILE:
        words += ["--profile", options.profile]
    if options.data_dir not in {None, GlobalOptions.from_environment().data_dir}:
        words += ["--data-dir", as_word(options.data_dir)]
    return " ".join(words)


@asynccontextmanager
async def host(options: GlobalOptions, session_options: SessionOptions) -> AsyncIterator[HostedSession]:
    """Run a session in this process, for as long as the context lasts.

    Raises:
        StateError: One of this profile runs already.
        BlinkError: It cannot be opened.

    """
    from blink_cli.app.control.hosted_session import hosted  # noqa: PLC0415 - attached commands host nothing
    from blink_cli.commands.session_logging import logged_session  # noqa: PLC0415 - as above
    from blink_cli.commands.unlocking import unlocked_identity  # noqa: PLC0415 - cryptography: attached commands need none

    profile = profile_of(options)
    output = options.output()
    identity = unlocked_identity(profile, output.message)

    def opening() -> AbstractAsyncContextManager[HostedSession]:
        return logged_session(
            profile,
            session_options,
            options.verbosity,
            lambda log: open_session(profile, identity, session_options, log),
        )

    async with contextlib.AsyncExitStack() as stack:
        with output.for_now("starting…"):
            session = await stack.enter_async_context(
                hosted(profile, version=__version__, open_session=opening)
            )
        yield session


def open_session(
    profile: "Profile", identity: "Identity", options: SessionOptions, log: "Path | None"
) -> AbstractAsyncContextManager[HostedSession]:
    """Open the session itself; `log` is where this process logs."""
    collect_seldom()
    try:
        with on_one_thread():
            from blink_cli.app.session import Session, prepare_process  # noqa: PLC0415 - brings numpy and zeroconf: a third of a second
    finally:
        collect_as_usual()
    prepare_process()
    return Session.open(profile, identity, options, log)
