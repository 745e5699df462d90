"""A session that runs in this process and is open to the other commands of its profile.

    start   lock the profile - open the session - listen on the control socket
    end     stop listening - end the session - free the profile - let go of the clients

The end is not quite the start reversed: clients stay connected while the session ends, so that they hear its last events, and until the
profile is free, so that who waits for the end of `quit` may start the next session at once.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeVar

from blink_cli.app.control_door import control_door, make_private
from blink_cli.app.control_server import ControlServer
from blink_cli.app.profile_lock import ProfileLock
from blink_cli.core.control_protocol import Hello
from blink_cli.core.session_port import SessionPort

S = TypeVar("S", bound=SessionPort)


@asynccontextmanager
async def hosted(
    *,
    profile: str,
    did: str,
    version: str,
    runtime_dir: Path,
    open_session: Callable[[], AbstractAsyncContextManager[S]],
) -> AsyncIterator[S]:
    """Run a session for as long as the context lasts, and let other processes of this user reach it.

    Args:
        profile: Its name.
        did: What the session's clients are told it is.
        version: Of this program.
        runtime_dir: The profile's folder for sockets and locks; made private to this user.
        open_session: Called once the profile is locked.

    Raises:
        StateError: A session of this profile runs already.
        BlinkError: The folder, the lock, the socket or the session cannot be opened.
    """
    make_private(runtime_dir)
    async with ControlServer(control_door(runtime_dir)) as control:
        with ProfileLock.take(runtime_dir / "session.lock", profile=profile):
            async with open_session() as session:
                await control.listen(session, Hello(version=version, profile=profile, did=did, pid=os.getpid()))
                try:
                    yield session
                finally:
                    await control.stop_listening()
