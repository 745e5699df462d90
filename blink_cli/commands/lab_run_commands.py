"""Commands of the laboratory for test runs that one can repeat."""

import sys
from pathlib import Path
from typing import Annotated, Final, cast

import msgspec
import typer

from blink_cli.api.documents import LabPage, LabScenarios
from blink_cli.commands.command import command
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.parsing import ExitWith
from blink_cli.commands.shell_completion import complete_path
from blink_cli.core.errors import UsageError
from blink_cli.core.exit_codes import ExitCode
from blink_cli.lab.scenario.engine_name import EngineName
from blink_cli.lab.verdict.report import LabReport
from blink_cli.lab.verdict.run_command import RunCommand

ENGINES: Final = ("virtual", "real")
MOST_SEEDS: Final = 100


def register(lab: typer.Typer) -> None:
    """Add these commands to the group `lab`."""
    command(lab, "run", prints=LabReport)(run)
    command(lab, "list", prints=LabScenarios)(list_)
    command(lab, "report", prints=LabPage)(report)


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
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--case",
            metavar="NAME",
            help="Run this case of them alone, by its full name; again for another one.",
        ),
    ] = None,
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
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            autocompletion=complete_path,
            help="Write all of it as one page too: figures, plots over time, sounds to listen to. It needs no network.",
        ),
    ] = None,
) -> None:
    """Run scenarios and say whether what they expect is so; exit code 6 if not.

    For example `blink lab run two-clean`, `blink lab run office.toml --engine real --out results`, `blink lab run two-lossy --seeds 5 --html report.html`. docs/lab.md explains what a scenario may say. It needs the extra `lab`: `pip install 'blink-cli[lab]'`.
    """
    if engine not in ENGINES:
        raise UsageError(f"There is no engine {engine!r}.", hint=f"Choose {' or '.join(ENGINES)}.")
    if not 1 <= seeds <= MOST_SEEDS:
        raise UsageError(f"{seeds} seeds are not possible.", hint=f"Choose 1 to {MOST_SEEDS}.")
    from blink_cli.commands.lab_runs import (  # noqa: PLC0415 - numpy and what it judges with
        all_cases,
        keep_report,
        run_all,
        run_folder,
        without_files,
        write_page,
    )
    from blink_cli.commands.report_files import require_places  # noqa: PLC0415 - as above

    wanted = RunCommand(tuple(scenarios), cast("EngineName", engine), seeds, tuple(only or ()))
    cases = all_cases(wanted)
    require_places(out=out, files=[path for path in (html, junit) if path is not None])
    with run_folder(out, needed=html is not None) as folder:
        report = await run_all(context, cases, wanted, folder)
        kept = without_files(report) if out is None else report
        if not context.output.json:
            # Before anything is written: the verdict of an hour is not lost because a disk is full.
            _show(context, kept)
        keep_report(kept, out=out, junit=junit)
        if html is not None and folder is not None:
            await write_page(context, report, folder, html)
    if context.output.json:
        context.output.document(msgspec.to_builtins(kept))
    if report.outcome == "failed":
        raise ExitWith(ExitCode.ASSERTION_FAILED)


async def report(
    context: CommandContext,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", autocompletion=complete_path, help="What `lab run --out DIR` has kept."
        ),
    ],
    *,
    html: Annotated[
        Path,
        typer.Option("--html", metavar="FILE", autocompletion=complete_path, help="The page to write."),
    ],
) -> None:
    """Write the report of a run that was kept as one page of HTML: the same as `lab run --html`.

    For example `blink lab report results --html report.html`. The page needs no network.
    """
    from blink_cli.commands.lab_runs import page_of_folder  # noqa: PLC0415 - as above

    page = await page_of_folder(context, folder, html)
    if context.output.json:
        context.output.document(msgspec.to_builtins(page))
        return
    from blink_cli.commands.lab_text import page_text  # noqa: PLC0415 - as above

    context.output.line(page_text(page))


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
    from blink_cli.commands.lab_text import (  # noqa: PLC0415 - not before there is a report to show
        case_lines,
        pairs_table,
        pictures_table,
        total_text,
    )
    from blink_cli.commands.show.terminal import columns_of  # noqa: PLC0415 - as above

    columns = columns_of(sys.stdout)
    for case in report.cases:
        context.output.lines(case_lines(case, columns))
    context.output.line("")
    context.output.table(pairs_table(report.cases))
    pictures = pictures_table(report.cases)
    if pictures is not None:
        context.output.line("")
        context.output.table(pictures)
    context.output.line("")
    context.output.line(total_text(report))
