"""A session that runs in this process and is open to the other commands of its profile.

    start   lock the profile - open the session - listen on the control socket
    end     stop listening - end the session - free the profile - let go of the clients

The end is not quite the start reversed: clients stay connected while the session ends, so that they hear its last events, and until the
profile is free, so that who waits for the end of `quit` may start the next session at once.
"""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeVar

from blink_cli.app.control.control_server import ControlServer
from blink_cli.app.control.door_choice import control_door
from blink_cli.app.profile.profile import Profile
from blink_cli.app.profile.profile_lock import LOCK_NAME, ProfileLock
from blink_cli.core.api.control_protocol import Hello
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.api.session_port import SessionPort

S = TypeVar("S", bound=SessionPort)


@asynccontextmanager
async def hosted(
    profile: Profile, *, version: str, open_session: Callable[[], AbstractAsyncContextManager[S]]
) -> AsyncIterator[S]:
    """Run a session for as long as the context lasts, and let other processes of this user reach it.

    Args:
        profile: Whose session it is; its folders are made.
        version: Of this program, for the clients.
        open_session: Called once the profile is locked.

    Raises:
        StateError: A session of this profile runs already.
        BlinkError: The folders, the lock, the socket or the session cannot be opened.

    """
    profile.make()
    async with ControlServer(control_door(profile.runtime_dir)) as control:
        with ProfileLock.take(profile.runtime_dir / LOCK_NAME, profile=profile.name):
            async with open_session() as session:
                status = await session.ask(GetStatus())
                assert isinstance(status, Status)  # the promise of `GetStatus`
                hello = Hello(version=version, profile=profile.name, did=status.did, pid=os.getpid())
                await control.listen(session, hello)
                try:
                    yield session
                finally:
                    await control.stop_listening()
