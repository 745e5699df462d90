"""Staying in a call for a while, in the foreground: `offer --hold 10`, `accept --until left`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from blink_cli.api.documents import reply_document
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.event_sentences import Narrator
from blink_cli.commands.hold import Hold
from blink_cli.commands.live_view import UNTOLD
from blink_cli.commands.names_shown import short_call
from blink_cli.core.api.events import CallTerminated, EventsMissed
from blink_cli.core.api.replies.calls import CallAccepted, OfferPlaced
from blink_cli.core.api.replies.status import Status
from blink_cli.core.api.requests import GetStatus, LeaveCall, PlaceOffer, Request
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import BlinkError
from blink_cli.core.ids import CallId

Entered = TypeVar("Entered", OfferPlaced, CallAccepted)

LEAVING_S: Final = 3.0
"""How long leaving may take after Ctrl-C; a session that is stuck must not keep the shell."""


async def hold_call(
    context: CommandContext,
    session: SessionPort,
    request: Request[Entered],
    hold: Hold | None,
    at_the_end: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Enter a call, print its id, and stay as long as is held; then do what is left to do, and leave.

    A call that is held is left however this ends: in time, by Ctrl-C (cancelling), or because nobody was connected within `--wait`.

    Raises:
        BlinkError: It could not be entered, or nobody was connected in time.

    """
    if hold is None:
        _print_call(context, await session.ask(request))
        return
    earlier = await _current_call(session)
    entered: CallId | None = None
    over = False
    try:
        try:
            reply = await session.ask(request)
        except BlinkError:
            # The session itself has left what nobody took. Who is in a call now has entered another one.
            over = isinstance(request, PlaceOffer) and request.withdraw
            raise
        entered = reply.call
        _print_call(context, reply)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(hold.seconds):
                await _until_over(session, reply.call, context)
        if at_the_end is not None:
            await at_the_end()
    finally:
        if not over:
            await _leave(session, earlier, entered)


def _print_call(context: CommandContext, reply: OfferPlaced | CallAccepted) -> None:
    if context.output.json:
        context.output.document(reply_document(reply))
    else:
        if reply.left is not None:
            context.output.message(f"left call {short_call(reply.left)}")
        context.output.line(reply.call)


async def _until_over(session: SessionPort, call: CallId, context: CommandContext) -> None:
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
            sentence = narrator.tell(event)
            if sentence is not None and not isinstance(event, UNTOLD):
                context.output.message(sentence)
            if isinstance(event, CallTerminated) and event.call_id == call:
                return


async def _current_call(session: SessionPort) -> CallId | None:
    call = (await session.ask(GetStatus())).call
    return None if call is None else call.id


async def _leave(session: SessionPort, earlier: CallId | None, entered: CallId | None) -> None:
    """Leave the call that was entered.

    Not one that was there before and stayed because entering failed, and not one that somebody else entered in its place. Interrupted
    before the session had answered, it is not known which was entered: then it is the one that was not there before.
    """
    # The call may be over, the session gone or stuck: then there is nothing to leave, and nothing to add to how this ended.
    with contextlib.suppress(TimeoutError, BlinkError):
        async with asyncio.timeout(LEAVING_S):
            current = await _current_call(session)
            if current is not None and current == (entered or current) and current != earlier:
                await session.ask(LeaveCall())
