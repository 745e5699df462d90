"""The work behind `blink lab`: scenarios found and read, cases run on a thread, reports written. Loads numpy."""

import difflib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from blink_cli import __version__
from blink_cli.api.documents import LabPage, LabScenarioRow, LabScenarios
from blink_cli.commands.command_context import CommandContext
from blink_cli.commands.report_files import make_report_folder, write_report
from blink_cli.commands.work_progress import with_progress
from blink_cli.core.errors import NotFoundError, UsageError
from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.core.text.json_text import encode_json
from blink_cli.lab.html_report.page import html_page
from blink_cli.lab.html_report.run_folder import RunFolder
from blink_cli.lab.running import run_cases
from blink_cli.lab.scenario.case import Case
from blink_cli.lab.scenario.cases import cases_of
from blink_cli.lab.scenario.shipped import find, shipped
from blink_cli.lab.verdict.junit import junit_xml
from blink_cli.lab.verdict.kept_report import REPORT, read_report
from blink_cli.lab.verdict.report import LabReport
from blink_cli.lab.verdict.run_command import RunCommand


def all_cases(command: RunCommand) -> list[Case]:
    """Return the cases of several scenarios.

    Raises:
        NotFoundError: There is no such scenario, or no such case.
        UsageError: One of them has a mistake, or two have one name.

    """
    sources = [find(name) for name in command.scenarios]
    for number, source in enumerate(sources):
        if any(source.name == other.name for other in sources[:number]):
            raise UsageError(
                f"Two scenarios are called {source.name}.",
                hint="Rename one of the files, so that the report tells them apart.",
            )
    cases = [case for source in sources for case in cases_of(source, FIGURES, seeds=command.seeds)]
    names = [case.name for case in cases]
    for name in command.only:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
            raise NotFoundError(
                f"There is no case {name!r} among these {len(names)}.",
                hint=f"Did you mean {close[0]!r}?" if close else None,
            )
    return [case for case in cases if not command.only or case.name in command.only]


async def run_all(
    context: CommandContext, cases: Sequence[Case], command: RunCommand, out: Path | None
) -> LabReport:
    """Run them on a thread, with a bar while somebody watches."""
    return await with_progress(
        context,
        "running",
        lambda progress: run_cases(cases, command, out=out, version=__version__, progress=progress),
    )


@contextmanager
def run_folder(out: Path | None, *, needed: bool) -> Iterator[Path | None]:
    """Give the folder in which sounds and decisions are kept: the one that was asked for, or one for a while if they are needed."""
    if out is not None or not needed:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="blink-lab-") as folder:
        yield Path(folder)


def without_files(report: LabReport) -> LabReport:
    """Return the same report of a run whose files are not kept."""
    return msgspec.structs.replace(
        report,
        cases=tuple(
            msgspec.structs.replace(
                case,
                folder=None,
                participants=tuple(
                    msgspec.structs.replace(one, said_file=None, heard_file=None) for one in case.participants
                ),
                pairs=tuple(
                    msgspec.structs.replace(one, heard_file=None, decisions_file=None) for one in case.pairs
                ),
                recordings=tuple(msgspec.structs.replace(one, file=None) for one in case.recordings),
            )
            for case in report.cases
        ),
    )


async def write_page(context: CommandContext, report: LabReport, folder: Path, path: Path) -> LabPage:
    """Write a report as HTML, on a thread.

    Raises:
        BlinkError: A file of the run cannot be read, or the page not be written.

    """
    page = await with_progress(
        context, "report", lambda progress: html_page(report, RunFolder(folder), progress)
    )
    write_report(path, page.content)
    return LabPage(
        path=str(path),
        bytes=len(page.content),
        cases=len(report.cases),
        sounds=page.sounds,
        sounds_left_out=page.sounds_left_out,
        voices_left_out=page.voices_left_out,
    )


async def page_of_folder(context: CommandContext, folder: Path, path: Path) -> LabPage:
    """Write the report of a run that was kept as HTML. Raises as `read_report` and `write_page`."""
    return await write_page(context, read_report(folder), folder, path)


def keep_report(report: LabReport, *, out: Path | None, junit: Path | None) -> None:
    """Write what is to be kept.

    Raises:
        BlinkError: It cannot be written.

    """
    if out is not None:
        make_report_folder(out)
        write_report(out / REPORT, encode_json(msgspec.to_builtins(report)) + b"\n")
    if junit is not None:
        write_report(junit, junit_xml(report))


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
