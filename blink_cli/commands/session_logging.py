"""A session of this process, logged: how it began, what happened in it, in the words of its users, and what went wrong."""

import logging
import os
import platform
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from blink_cli import __version__
from blink_cli.app.log.session_log import session_log
from blink_cli.app.profile.known_secrets import known_secrets
from blink_cli.app.profile.profile import Profile
from blink_cli.commands.event_sentences import Narrator
from blink_cli.core.api.events import Event, TalkingStarted, TalkingStopped
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.text.json_text import encode_json
from blink_cli.runtime.tasks import TaskOwner

S = TypeVar("S", bound=SessionPort)

TOO_MANY: Final = (TalkingStarted, TalkingStopped)
"""Some thirty a second in a call of twelve: they would push out what is worth reading."""

_log = logging.getLogger("blink_cli.session")
_events = logging.getLogger("blink_cli.events")


@asynccontextmanager
async def logged_session(
    profile: Profile,
    options: SessionOptions,
    verbosity: int,
    open_session: Callable[[Path | None], AbstractAsyncContextManager[S]],
) -> AsyncIterator[S]:
    """Run a session for as long as the context lasts, with a log.

    Args:
        profile: In whose folder the log is; it is locked for this process.
        options: What the session is started with.
        verbosity: What is said on stderr, too.
        open_session: Told where the log is.

    Raises:
        BlinkError: As `open_session`.

    """
    secrets = known_secrets(profile, options.ice_servers, options.signal_servers)
    with session_log(profile.logs_dir, verbosity=verbosity, secrets=secrets) as path:
        _log.info(
            "blink %s, Python %s on %s, process %d, profile %s",
            __version__,
            platform.python_version(),
            platform.platform(),
            os.getpid(),
            profile.name,
        )
        _log.info("started with %s", options)
        try:
            # The session ends first, so that its last events are noted.
            async with TaskOwner("log") as tasks, open_session(path) as session:
                tasks.start(_follow(session), name="follow events")
                yield session
        except BaseException as failure:
            if not isinstance(failure, GeneratorExit | KeyboardInterrupt):
                _log.info("the session ends by an error: %r", failure)
            raise
        _log.info("the session has ended")


async def _follow(session: SessionPort) -> None:
    narrator = Narrator()
    async with aclosing(session.events()) as events:
        async for happened in events:
            if isinstance(happened, Status):
                narrator.learn(happened)
                _log.info(
                    "%s (%s), input %s, output %s",
                    happened.nickname,
                    happened.did,
                    happened.input,
                    happened.output,
                )
            elif not isinstance(happened, TOO_MANY):
                _note(happened, narrator.tell(happened))


def _note(event: Event, sentence: str | None) -> None:
    fields = msgspec.to_builtins(event)
    name = fields.pop("event")
    _events.info("%s%s %s", name, f": {sentence}" if sentence else "", encode_json(fields).decode())
