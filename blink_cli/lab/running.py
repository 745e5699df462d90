"""Runs cases and returns their report: in virtual time beside each other in processes of their own, real ones one after the other.

Each case runs to its end whatever becomes of the others: one that cannot be run has failed, and says why.
"""

import multiprocessing
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import msgspec
import numpy as np

from blink_cli.audio.opus.library import library_version
from blink_cli.core.errors import BlinkError
from blink_cli.core.progress import Progress
from blink_cli.lab.scenario.case import Case
from blink_cli.lab.scenario.engine_name import EngineName
from blink_cli.lab.scenario.observation import Observation
from blink_cli.lab.verdict.judging import judged, not_run
from blink_cli.lab.verdict.kept_files import write_kept
from blink_cli.lab.verdict.report import CaseResult, LabReport, Versions
from blink_cli.lab.verdict.run_command import RunCommand
from blink_cli.lab.virtual.engine import run_virtual
from blink_cli.lab.voice_metrics import require_pesq

MOST_PROCESSES: Final = 16

RunCase = Callable[[Case], Observation]


class RunWanted(Protocol):
    """An engine, which asks every now and then whether the run is still wanted: the question raises if not."""

    def __call__(self, case: Case, *, wanted: Callable[[], None]) -> Observation:
        """Run a case."""


def run_cases(
    cases: Sequence[Case], command: RunCommand, *, out: Path | None, version: str, progress: Progress
) -> LabReport:
    """Run all of them. Blocks until they are done; for a thread.

    Args:
        cases: In the order of the report.
        command: What makes all of this again; its engine runs them.
        out: Where each case's sounds and decisions go, into a folder of its own; None: they are not kept.
        version: Of the program.
        progress: Told how far it is.

    Raises:
        BlinkError: None of them can be run here: the judge of voices or libopus is missing, or the engine needs what this machine has not.

    """
    require_pesq()
    run = _side_by_side if command.engine == "virtual" else _in_real_time
    results = [
        msgspec.structs.replace(result, command=command.of_case(result.name))
        for result in run(cases, out, progress)
    ]
    failed = sum(1 for result in results if result.outcome == "failed")
    passed = sum(1 for result in results if result.outcome == "passed")
    return LabReport(
        outcome="failed" if failed else "passed" if passed else "skipped",
        command=command.text(),
        cases_passed=passed,
        cases_failed=failed,
        versions=Versions(
            blink=version,
            libopus=library_version(),
            python=platform.python_version(),
            numpy=np.__version__,
            platform=f"{platform.system()} {platform.machine()}",
        ),
        cases=tuple(results),
    )


def _side_by_side(cases: Sequence[Case], out: Path | None, progress: Progress) -> list[CaseResult]:
    processes = min(len(cases), _processors(), MOST_PROCESSES)
    if processes <= 1:
        return _one_by_one(cases, "virtual", run_virtual, out, progress)
    before = set(multiprocessing.active_children())
    # Not forked: this process has threads, and a fork would take their locks with it.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        with _deaf_to_interrupts():
            running = [pool.submit(_virtual, case, out) for case in cases]
        try:
            _wait(running, progress)
        except BaseException:
            for future in running:
                future.cancel()
            # Nobody wants what they make now, and a case takes half a minute.
            for worker in set(multiprocessing.active_children()) - before:
                worker.terminate()
            raise
        return [future.result() for future in running]


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Let processes that are started here, by this thread, not hear Ctrl-C at the terminal: it is for this process, which ends them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait(running: Sequence["Future[CaseResult]"], progress: Progress) -> None:
    left = set(running)
    while left:
        done, left = wait(left, timeout=0.2, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()  # what nobody expected ends the run
        progress(1 - len(left) / len(running))


def _virtual(case: Case, out: Path | None) -> CaseResult:
    return _result_of(case, "virtual", run_virtual, out)


def _in_real_time(cases: Sequence[Case], out: Path | None, progress: Progress) -> list[CaseResult]:
    from blink_cli.lab.real.engine import run_real  # noqa: PLC0415 - sessions, sockets and namespaces

    return _one_by_one(cases, "real", run_real, out, progress)


def _one_by_one(
    cases: Sequence[Case], engine: EngineName, run: RunWanted, out: Path | None, progress: Progress
) -> list[CaseResult]:
    results = []
    for number, case in enumerate(cases, 1):
        before = (number - 1) / len(cases)
        results.append(_result_of(case, engine, partial(run, wanted=partial(progress, before)), out))
        progress(number / len(cases))
    return results


def _result_of(case: Case, engine: EngineName, run: RunCase, out: Path | None) -> CaseResult:
    try:
        try:
            seen = run(case)
        except OSError as error:
            # A program that is missing, a namespace that cannot be made: other cases may fare better.
            raise BlinkError(f"It could not be run: {error.strerror or error}.") from error
        folder = None if out is None else case.file_name
        if out is not None and folder is not None:
            write_kept(seen, out / folder)
        return judged(case, seen, folder=folder)
    except BlinkError as error:
        return not_run(case, engine, " ".join(filter(None, (error.message, error.hint))))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
