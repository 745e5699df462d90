"""Watching a call for a while: its figures again and again, and who talks meanwhile."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from blink_cli.api.live_figures import Watched, names_in_call
from blink_cli.core.api.events import TalkingStarted, TalkingStopped
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetRtpStatistics, GetStatus
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import NotFoundError, StateError
from blink_cli.core.ids import Did
from blink_cli.runtime.tasks import TaskOwner

READ_EVERY_S: Final = 0.2
"""A reading costs the session up to a millisecond for each peer."""

MOST_READINGS: Final = 3_000
"""Of ten minutes at that pace: who watches for longer reads more seldom, so that a day takes no more memory and no more work."""


async def watch_call(
    session: SessionPort, seconds: float, *, from_its_beginning: bool, is_enough: Callable[[Watched], bool]
) -> Watched:
    """Watch the present call. Cancelling is safe.

    Args:
        session: Which is in it.
        seconds: For how long; 0: one reading.
        from_its_beginning: See `Watched`.
        is_enough: Asked after each reading whether to stop earlier.

    Raises:
        NotFoundError: There is no call, or it ended meanwhile.

    """
    status = await session.ask(GetStatus())
    if status.call is None:
        raise NotFoundError(
            "This session is in no call: there is nothing to look at.",
            hint="`blink wait call_joined` waits for one.",
        )
    begun_s = time.monotonic()
    every_s = max(READ_EVERY_S, seconds / MOST_READINGS)
    watched = Watched(status.did, names_in_call(status.call.participants), from_its_beginning)
    talking = {one.did for one in status.call.participants if one.talking}
    watched.talked.update(dict.fromkeys(talking, 0.0))
    # Who resets the figures meanwhile changes the totals as little as what is between two of them.
    request = GetRtpStatistics(total=not from_its_beginning)
    async with TaskOwner("watching") as tasks:
        if seconds > 0:
            tasks.start(_follow(session, begun_s, watched, talking), name="follow who talks")
        while True:
            at_s = time.monotonic() - begun_s
            try:
                watched.readings.append((at_s, await session.ask(request)))
            except StateError as error:
                raise NotFoundError(
                    f"The call was over after {at_s:.1f} s.", hint="`blink log` tells who left."
                ) from error
            watched.talking.extend((did, at_s) for did in talking)
            left_s = seconds - (time.monotonic() - begun_s)
            if left_s <= 0 or is_enough(watched):
                return watched
            await asyncio.sleep(min(every_s, left_s))


async def _follow(session: SessionPort, begun_s: float, watched: Watched, talking: set[Did]) -> None:
    async with aclosing(session.events()) as events:
        async for happened in events:
            match happened:
                case Status(call=call) if call is not None:
                    for one in call.participants:
                        if one.talking:
                            _begin(one.did, begun_s, watched, talking)
                case TalkingStarted(did=did):
                    _begin(did, begun_s, watched, talking)
                case TalkingStopped(did=did):
                    talking.discard(did)
                case _:
                    pass


def _begin(did: Did, begun_s: float, watched: Watched, talking: set[Did]) -> None:
    talking.add(did)
    watched.talked.setdefault(did, time.monotonic() - begun_s)
