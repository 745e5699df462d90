"""Staying in a call for a while, in the foreground: `offer --hold 10`, `accept --until left`."""

import asyncio
import contextlib
from typing import Final

from blink_cli.commands.desk import Desk, expect
from blink_cli.commands.documents import reply_document
from blink_cli.commands.event_sentences import Narrator
from blink_cli.commands.hold import Hold
from blink_cli.core.errors import BlinkError
from blink_cli.core.events import CallTerminated, EventsMissed, TalkingStarted, TalkingStopped
from blink_cli.core.names import CallId
from blink_cli.core.replies import CallAccepted, OfferPlaced, Status
from blink_cli.core.requests import AcceptCall, GetStatus, LeaveCall, PlaceOffer
from blink_cli.core.session_port import SessionPort

LEAVING_S: Final = 3.0
"""How long leaving may take after Ctrl-C; a session that is stuck must not keep the shell."""


async def hold_call(
    desk: Desk,
    session: SessionPort,
    request: PlaceOffer | AcceptCall,
    kind: type[OfferPlaced] | type[CallAccepted],
    hold: Hold | None,
) -> None:
    """Enter a call, print its id, and stay as long as is held.

    A call that is held is left however this ends: in time, by Ctrl-C (cancelling), or because nobody was connected within `--wait`.

    Raises:
        BlinkError: It could not be entered, or nobody was connected in time.

    """
    if hold is None:
        _print_call(desk, expect(await session.ask(request), kind))
        return
    earlier = await _current_call(session)
    try:
        reply = expect(await session.ask(request), kind)
        _print_call(desk, reply)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(hold.seconds):
                await _until_over(session, reply.call, desk)
    finally:
        await _leave(session, earlier)


def _print_call(desk: Desk, reply: OfferPlaced | CallAccepted) -> None:
    if desk.output.json:
        desk.output.document(reply_document(reply))
    else:
        desk.output.line(reply.call)


async def _until_over(session: SessionPort, call: CallId, desk: Desk) -> None:
    narrator = Narrator()
    async with contextlib.aclosing(session.events()) as events:
        async for event in events:
            if isinstance(event, Status):
                narrator.learn(event)
                # The events continue this snapshot: what it does not show any more will not be told again.
                if event.call is None or event.call.id != call:
                    return
                continue
            if isinstance(event, EventsMissed) and await _current_call(session) != call:
                return
            if not isinstance(event, TalkingStarted | TalkingStopped):
                desk.output.message(narrator.tell(event))
            if isinstance(event, CallTerminated) and event.call_id == call:
                return


async def _current_call(session: SessionPort) -> CallId | None:
    call = expect(await session.ask(GetStatus()), Status).call
    return None if call is None else call.id


async def _leave(session: SessionPort, earlier: CallId | None) -> None:
    """Leave the call that was entered; not one that was there before and stayed because entering failed."""
    # The call may be over, the session gone or stuck: then there is nothing to leave, and nothing to add to how this ended.
    with contextlib.suppress(TimeoutError, BlinkError):
        async with asyncio.timeout(LEAVING_S):
            if await _current_call(session) not in {None, earlier}:
                await session.ask(LeaveCall())
