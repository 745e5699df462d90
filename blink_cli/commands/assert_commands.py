"""The command that holds a running session against what somebody expects of its call."""

from typing import Annotated

import msgspec
import typer

from blink_cli.api.documents import AssertReport
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.impairment_text import impairment_lines
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.shell_completion import complete_expectation
from blink_cli.core.exit_codes import ExitCode
from blink_cli.core.identity.shown_name import printable


def register(app: typer.Typer) -> None:
    """Add this command to the application."""
    command(app, "assert", prints=AssertReport)(assert_)


async def assert_(
    context: CommandContext,
    expectations: Annotated[
        list[str],
        typer.Argument(
            metavar="EXPR...",
            help="Such as 'loss<1%', 'delay_p95<120ms', 'mos(bob)>4', 'talking(bob)', 'not talking(carol)'.",
            autocompletion=complete_expectation,
        ),
    ],
    *,
    seconds: Annotated[
        float | None,
        typer.Option("--for", metavar="S", min=0, help="Look for S seconds, and count what happens in them."),
    ] = None,
) -> None:
    """Check that the call is as it should be: 6, and what was measured, if it is not.

    For example `blink assert 'loss<1%' 'delay_p95<120ms' --for 10`, or `blink assert 'talking(bob) within 5s'`. All must hold, each for everybody whom it is about; the worst is told. `loss(bob)` is of bob's voice here, `loss(me->bob)` of one's own as bob reports it, and `loss` of both. Figures: mos, loss, late, recovered, concealed, bitrate,
    talking, and of pictures frames and frozen; delay, jitter, rtt and level, of which _mean, _median, _min, _max and _p95 can be asked, and which are the median else. Without --for counts are those of the whole call, or since `blink stats reset`,
    and what changes from moment to moment is read for 1 s, or for as long as it may take `within`. 3 without a call.
    """
    from blink_cli.api.checking import check, read_expectations  # noqa: PLC0415 - asyncio: `--help` needs none

    wanted = read_expectations(expectations)
    async with context.source.running() as session:
        report = await check(session, wanted, seconds)
    _show(context, report)
    if not report.ok:
        raise ExitWith(ExitCode.ASSERTION_FAILED)


def _show(context: CommandContext, report: AssertReport) -> None:
    if context.output.json:
        context.output.document(msgspec.to_builtins(report))
        return
    for line in impairment_lines(report.impairment):
        context.output.line(printable(line), hang=4)
    width = max(len(one.text) for one in report.expectations)
    for one in report.expectations:
        word = "ok" if one.outcome == "passed" else "FAILED"
        context.output.line(f"{word:8}{one.text:{width}}  {one.measured}", hang=8)
