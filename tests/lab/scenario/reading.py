"""Scenarios of tests, as text."""

from pathlib import Path

from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.lab.scenario.case import Case
from blink_cli.lab.scenario.cases import cases_of
from blink_cli.lab.scenario.reading import Source


def cases(text: str, *, folder: Path = Path(), seeds: int = 1) -> tuple[Case, ...]:
    """Read a scenario that stands in a test."""
    return cases_of(Source("trial", folder, text), dict(FIGURES), seeds=seeds)


def one_case(text: str, *, folder: Path = Path()) -> Case:
    """Read one that has no matrix."""
    (case,) = cases(text, folder=folder)
    return case
