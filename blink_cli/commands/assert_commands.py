"""The command that holds a running session against what somebody expects of its call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.documents import AssertedExpectation, AssertedFinding, AssertReport
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.shell_completion import complete_expectation
from blink_cli.core.exit_codes import ExitCode

if TYPE_CHECKING:
    from blink_cli.core.expectation.expectation import Expectation
    from blink_cli.core.expectation.judgement import Judgement

USUAL_S: Final = 1.0
"""For what is a thing of the moment, and changes from one to the next."""


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

    For example `blink assert 'loss<1%' 'delay_p95<120ms' --for 10`, or `blink assert 'talking(bob) within 5s'`. All must hold, each for everybody whom it is about; the worst is told. Figures: mos, loss, late, recovered, concealed, bitrate,
    talking; delay, jitter, rtt and level, of which _mean, _median, _min, _max and _p95 can be asked, and which are the median else. Without --for counts are those of the whole call, or since `blink stats reset`,
    and what changes from moment to moment is read for 1 s, or for as long as it may take `within`. 3 without a call.
    """
    from blink_cli.commands.call_watching import watch_call  # noqa: PLC0415 - asyncio: `--help` needs none
    from blink_cli.commands.live_figures import LIVE_FIGURES, is_decided, judged, meant, names_in_call  # noqa: PLC0415 - as above
    from blink_cli.core.api.requests import GetStatus  # noqa: PLC0415 - as above
    from blink_cli.core.expectation.grammar import parse  # noqa: PLC0415 - as above

    wanted = [parse(text, LIVE_FIGURES, windows=False) for text in expectations]
    async with context.source.running() as session:
        call = (await session.ask(GetStatus())).call
        if call is not None:
            names = names_in_call(call.participants)
            wanted = [meant(one, names) for one in wanted]
        watched = await watch_call(
            session,
            _longest_s(wanted) if seconds is None else seconds,
            from_its_beginning=seconds is None,
            is_enough=lambda so_far: seconds is None and all(is_decided(one, so_far) for one in wanted),
        )
    judgements = [judged(one, watched) for one in wanted]
    _show(context, judgements, round(watched.readings[-1][0], 3))
    if not all(one.holds for one in judgements):
        raise ExitWith(ExitCode.ASSERTION_FAILED)


def _longest_s(wanted: Sequence["Expectation"]) -> float:
    """For how long what is asked for is looked at, if nobody says."""
    from blink_cli.core.expectation.quantity import Kind  # noqa: PLC0415 - as above

    happenings = [one.limit or USUAL_S for one in wanted if one.figure.kind is Kind.HAPPENING]
    series = [USUAL_S for one in wanted if one.figure.is_series]
    return max(happenings + series, default=0.0)


def _show(context: CommandContext, judgements: Sequence["Judgement"], seconds: float) -> None:
    if context.output.json:
        report = AssertReport(
            ok=all(one.holds for one in judgements),
            seconds=seconds,
            expectations=tuple(
                AssertedExpectation(
                    text=str(one.expectation),
                    outcome="passed" if one.holds else "failed",
                    measured=one.sentence,
                    findings=tuple(
                        AssertedFinding(
                            subject=finding.subject, measured=finding.measured, holds=finding.holds
                        )
                        for finding in one.findings
                    ),
                )
                for one in judgements
            ),
        )
        context.output.document(msgspec.to_builtins(report))
        return
    width = max(len(str(one.expectation)) for one in judgements)
    for one in judgements:
        context.output.line(
            f"{'ok' if one.holds else 'FAILED':8}{one.expectation!s:{width}}  {one.sentence}", hang=8
        )
