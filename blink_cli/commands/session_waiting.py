"""Waiting for a session that somebody else is just starting."""

import asyncio
import time
from typing import Final

from blink_cli.commands.command_context import CommandContext
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetStatus
from blink_cli.core.errors import NoSessionError

LOOKED_EVERY_S: Final = 0.05
"""An attempt is one system call where no socket is. A socket that comes is no event that every system tells."""


async def status_of_coming(context: CommandContext, longest_s: float) -> Status:
    """Return the status of the profile's session as soon as it answers. Cancelling is safe.

    Raises:
        NoSessionError: None came in time.
        BlinkError: There is one that cannot be asked.

    """
    deadline_s = time.monotonic() + longest_s
    while True:
        try:
            return await context.ask(GetStatus())
        except NoSessionError as error:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0.0:
                raise NoSessionError(
                    f"{error.message.rstrip('.')} after {longest_s:g} s of waiting.", hint=error.hint
                ) from error
        await asyncio.sleep(min(LOOKED_EVERY_S, left_s))
