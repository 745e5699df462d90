"""Commands of the laboratory for test runs that one can repeat."""

import sys
from pathlib import Path
from typing import Annotated, Final, Literal, cast

import msgspec
import typer

from blink_cli.api.documents import LabScenarios
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.errors import UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.verdict.report import LabReport

ENGINES: Final = ("virtual", "real")
MOST_SEEDS: Final = 100


def register(lab: typer.Typer) -> None:
    """Add these commands to the group `lab`."""
    command(lab, "run", prints=LabReport)(run)
    command(lab, "list", prints=LabScenarios)(list_)


async def run(
    context: CommandContext,
    scenarios: Annotated[
        list[str],
        typer.Argument(
            metavar="SCENARIO...",
            help="A TOML file, or the name of one that comes with the program (`blink lab list`).",
            autocompletion=complete_path,
        ),
    ],
    *,
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="WHICH",
            help="virtual: in virtual time; real: sessions as processes, in real time.",
        ),
    ] = "virtual",
    seeds: Annotated[
        int,
        typer.Option("--seeds", metavar="N", help="Run each case with so many seeds, one after the other."),
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            autocompletion=complete_path,
            help="Keep what was said and heard there as WAV, with report.json.",
        ),
    ] = None,
    junit: Annotated[
        Path | None,
        typer.Option(
            "--junit",
            metavar="FILE",
            autocompletion=complete_path,
            help="Write the verdicts as JUnit XML too.",
        ),
    ] = None,
) -> None:
    """Run scenarios and say whether what they expect is so; exit code 6 if not.

    For example `blink lab run two-clean`, `blink lab run office.toml --engine real --out results`, `blink lab run two-lossy --seeds 5 --json`. docs/lab.md explains what a scenario may say.
    """
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine!r}.", hint=f"Choose {' or '.join(ENGINES)}.")
    if not 1 <= seeds <= MOST_SEEDS:
        raise UsageError(f"{seeds} seeds are not possible.", hint=f"Choose 1 to {MOST_SEEDS}.")
    from blink_cli.commands.lab_runs import all_cases, keep_report, run_all  # noqa: PLC0415 - numpy and what it judges with

    cases = all_cases(scenarios, seeds)
    report = await run_all(context, cases, cast("Literal['virtual', 'real']", engine), out)
    keep_report(report, out=out, junit=junit)
    if context.output.json:
        context.output.document(msgspec.to_builtins(report))
    else:
        _show(context, report)
    if report.outcome != "passed":
        raise ExitWith(ExitCode.ASSERTION_FAILED)


async def list_(context: CommandContext) -> None:
    """List the scenarios that come with the program."""
    from blink_cli.commands.lab_runs import listed  # noqa: PLC0415 - as above

    scenarios = listed()
    if context.output.json:
        context.output.document(msgspec.to_builtins(scenarios))
        return
    from blink_cli.commands.lab_text import scenarios_table  # noqa: PLC0415 - as above

    context.output.table(scenarios_table(scenarios))


def _show(context: CommandContext, report: LabReport) -> None:
    from blink_cli.commands.lab_text import case_lines, pairs_table, total_text  # noqa: PLC0415 - as above
    from blink_cli.commands.show.terminal import columns_of  # noqa: PLC0415 - as above

    columns = columns_of(sys.stdout)
    for case in report.cases:
        context.output.lines(case_lines(case, columns))
    context.output.line("")
    context.output.table(pairs_table(report.cases))
    context.output.line("")
    context.output.line(total_text(report))
