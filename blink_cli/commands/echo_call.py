"""A call with an echo peer, and what came back of it."""

from blink_cli.api.documents import reply_document
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.hold import Hold
from blink_cli.commands.holding import hold_call
from blink_cli.commands.parsing import ExitWith
from blink_cli.core.api.replies.echo import EchoDirection, EchoVerdict
from blink_cli.core.api.requests import BeginEchoTest, EndEchoTest, PlaceOffer, StartEcho, StopEcho
from blink_cli.core.api.session_options import SessionOptions
from blink_cli.core.api.session_port import SessionPort
from blink_cli.core.errors import NotFoundError
from blink_cli.core.exit_codes import ExitCode

OWN_LINK_S = 15.0
"""How long an echo peer on this machine may take to be found and connected: half a second on a quiet one."""


async def judged_call(context: CommandContext, session: SessionPort, request: PlaceOffer, hold: Hold) -> None:
    """Call an echo peer, stay, and print what came back.

    Raises:
        BlinkError: It is not there, or was not connected in time.
        ExitWith: The voice did not come back; it has been said why.

    """
    told: list[EchoVerdict] = []
    begun = await session.ask(BeginEchoTest())

    async def judge() -> None:
        told.append(await session.ask(EndEchoTest(test=begun.test)))

    try:
        await hold_call(context, session, request, hold, judge)
    except NotFoundError as error:
        raise NotFoundError(error.message, hint=_how_to_start_one(error.hint)) from error
    (verdict,) = told
    if context.output.json:
        context.output.document(reply_document(verdict))
    else:
        _tell(context, verdict)
    if not verdict.ok:
        raise ExitWith(ExitCode.ASSERTION_FAILED)


async def call_own_echo(
    context: CommandContext, options: SessionOptions, *, stretch_s: float, hold_s: float | None
) -> None:
    """Start an echo peer beside the session, call it, and print what came back.

    Raises:
        BlinkError: It does not start, or cannot be reached.
        ExitWith: As `judged_call`.

    """
    # A second of silence, both beeps, the stretch there and back, and a second for what is under way.
    seconds = hold_s or (2 * stretch_s + 3.0 if stretch_s else 7.0)
    async with context.source.running_or_own(options) as (session, _):
        with context.output.for_now("starting an echo peer…"):
            started = await session.ask(StartEcho(stretch_s=stretch_s))
        try:
            context.output.message(
                f"calling {started.nickname}: after the rising beep speak{f' for {stretch_s:g} s' if stretch_s else ''},"
                " after the falling one listen"
            )
            request = PlaceOffer(peers=(started.did,), wait_s=OWN_LINK_S, withdraw=True)
            await judged_call(context, session, request, Hold(seconds))
        finally:
            await session.ask(StopEcho(pid=started.pid))


def _how_to_start_one(hint: str | None) -> str:
    started = "`blink echo` on any machine of this network starts an echo peer; `blink echo --call` starts one here and calls it."
    return started if hint is None else f"{hint} {started}"


def _tell(context: CommandContext, verdict: EchoVerdict) -> None:
    line = context.output.line
    for name, direction in (("there", verdict.there), ("back", verdict.back)):
        line(f"{name:5}    {_direction_text(direction)}")
    if verdict.sound_round_trip_ms is not None:
        packets = "" if verdict.round_trip_ms is None else f", packets alone {verdict.round_trip_ms:.0f} ms"
        line(f"sound    {verdict.sound_round_trip_ms:.0f} ms there and back{packets}")
    if verdict.level_change_db is not None:
        line(f"level    {verdict.level_change_db:+.1f} dB against what was sent")
    if verdict.pesq_wb is not None:
        line(f"PESQ     {verdict.pesq_wb:.2f} (wideband, both directions together)")
    elif verdict.pesq_why is not None:
        line(f"PESQ     none: {verdict.pesq_why}")
    line(f"{'ok   ' if verdict.ok else 'FAULT'}    {verdict.verdict}")
    if verdict.remedy is not None:
        line(f"         {verdict.remedy}")


def _direction_text(direction: EchoDirection) -> str:
    packets = "" if direction.packets is None else f"; {direction.packets} packets"
    return f"{direction.grade}: {direction.sentence.removesuffix('.')}{packets}"
