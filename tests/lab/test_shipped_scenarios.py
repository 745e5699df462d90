"""Four of the scenarios that come with the program, in virtual time: what they expect is so."""

import pytest

from blink_cli.core.expectation.vocabulary import FIGURES
from blink_cli.lab.running import run_cases
from blink_cli.lab.scenario.cases import cases_of
from blink_cli.lab.scenario.shipped import find
from blink_cli.lab.verdict.run_command import RunCommand

pytestmark = pytest.mark.no_clock


@pytest.mark.parametrize("name", ["two-clean", "two-untidy", "mute", "two-cameras"])
def test_it_is_as_expected(name: str) -> None:
    report = run_cases(
        cases_of(find(name), dict(FIGURES)),
        RunCommand((name,), "virtual"),
        out=None,
        version="",
        progress=lambda _: None,
    )
    told = [
        f"{one.text}: {one.measured}"
        for case in report.cases
        for one in case.expectations
        if one.outcome == "failed"
    ]
    assert told == []
    assert report.outcome == "passed"
