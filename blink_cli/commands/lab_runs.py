"""The work behind `blink lab`: scenarios found and read, cases run on a thread, reports written. Loads numpy."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from blink_cli import __version__
from blink_cli.api.documents import LabScenarioRow, LabScenarios
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.work_progress import with_progress
from blink_cli.core.errors import BlinkError, UsageError
from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.core.text.json_text import encode_json
from blink_cli.core.text.path_text import shown
from blink_cli.files.writing import write_over
from blink_cli.lab.running import run_cases
from blink_cli.lab.scenario.case import Case
from blink_cli.lab.scenario.cases import cases_of
from blink_cli.lab.scenario.observation import Engine
from blink_cli.lab.scenario.shipped import find, shipped
from blink_cli.lab.verdict.junit import junit_xml
from blink_cli.lab.verdict.report import LabReport


def all_cases(names: Sequence[str], seeds: int) -> list[Case]:
    """Return the cases of several scenarios.

    Raises:
        NotFoundError: There is no such scenario.
        UsageError: One of them has a mistake, or two have one name.

    """
    sources = [find(name) for name in names]
    for number, source in enumerate(sources):
        if any(source.name == other.name for other in sources[:number]):
            raise UsageError(
                f"Two scenarios are called {source.name}.",
                hint="Rename one of the files, so that the report tells them apart.",
            )
    return [case for source in sources for case in cases_of(source, FIGURES, seeds=seeds)]


async def run_all(
    context: CommandContext, cases: Sequence[Case], engine: Engine, out: Path | None
) -> LabReport:
    """Run them on a thread, with a bar while somebody watches."""
    return await with_progress(
        context,
        "running",
        lambda progress: run_cases(cases, engine, out=out, version=__version__, progress=progress),
    )


def keep_report(report: LabReport, *, out: Path | None, junit: Path | None) -> None:
    """Write what is to be kept.

    Raises:
        BlinkError: It cannot be written.

    """
    try:
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            write_over(out / "report.json", encode_json(msgspec.to_builtins(report)) + b"\n")
        if junit is not None:
            write_over(junit, junit_xml(report))
    except OSError as error:
        place = out if junit is None else junit
        raise BlinkError(
            f"The report cannot be written to {shown(place)}: {error.strerror or error}."
        ) from error


def listed() -> LabScenarios:
    """Return those that come with the program, with how many cases each has."""
    rows = []
    for name in shipped():
        cases = cases_of(find(name), FIGURES)
        rows.append(
            LabScenarioRow(
                name=name,
                about=cases[0].about,
                cases=len(cases),
                participants=max(len(case.people) for case in cases),
                duration_s=cases[0].duration_s,
                expects=tuple(dict.fromkeys(str(one) for case in cases for one in case.expectations)),
            )
        )
    return LabScenarios(scenarios=tuple(rows))
