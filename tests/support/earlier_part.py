"""Joins runs of pytest into one result: tests that run beside each other, then in pairs, then alone.

pytest -p tests.support.earlier_part --results-to=FILE   ...   writes what became of every test
pytest -p tests.support.earlier_part --results-from=FILE ...   counts that too: in its last line, its failures and its exit code

With both, what is written is what became of the tests of both.
"""

import json
from pathlib import Path
from typing import Final

import pytest

_OF_A_WORKER: Final = ("node", "worker_id", "testrun_uid")
"""What pytest-xdist notes in a report, about a process that is no more."""

_reports: list[pytest.TestReport] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the two options."""
    parser.addoption("--results-to", type=Path, help="write what became of every test")
    parser.addoption("--results-from", type=Path, help="count what became of the tests of an earlier run")


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Count what ran before."""
    config = session.config
    earlier: Path | None = config.getoption("--results-from")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if earlier is None or reporter is None:
        return
    for written in json.loads(earlier.read_text("utf-8") or "[]"):
        data = {name: value for name, value in written.items() if name not in _OF_A_WORKER}
        report = config.hook.pytest_report_from_serializable(config=config, data=data)
        _reports.append(report)
        category = config.hook.pytest_report_teststatus(report=report, config=config)[0]
        reporter.stats.setdefault(category, []).append(report)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep it."""
    _reports.append(report)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what became of the tests; fail if an earlier one failed."""
    config = session.config
    target: Path | None = config.getoption("--results-to")
    if target is not None and not hasattr(config, "workerinput"):
        reports = [
            config.hook.pytest_report_to_serializable(config=config, report=report) for report in _reports
        ]
        target.write_text(json.dumps(reports, default=str), "utf-8")
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if (
        config.getoption("--results-from") is not None
        and reporter is not None
        and (reporter.stats.get("failed") or reporter.stats.get("error"))
        and session.exitstatus == pytest.ExitCode.OK
    ):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
