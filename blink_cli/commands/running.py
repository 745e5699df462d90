"""The way from the chosen profile to a session: the one that runs, or one of this process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

from blink_cli import __version__
from blink_cli.app.control.control_client import ControlClient
from blink_cli.app.control.door_choice import control_door
from blink_cli.commands.chosen_profile import profile_of, telling_where_none_runs
from blink_cli.commands.global_options import GlobalOptions
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort
from blink_cli.runtime.garbage import not_collecting
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


async def connect(options: GlobalOptions) -> ControlClient:
    """Reach the session of the chosen profile.

    Raises:
        NoSessionError: None runs.

    """
    with telling_where_none_runs(options):
        return await ControlClient.connect(control_door(profile_of(options).runtime_dir))


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
    with on_one_thread(), not_collecting():
        from blink_cli.app.session import Session, prepare_process  # noqa: PLC0415 - brings numpy and zeroconf: a third of a second

        prepare_process()
    return Session.open(profile, identity, options, log)
