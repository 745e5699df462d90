"""A case's result says what was asked, what was found and whether it holds; JUnit says the same."""

from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest
import soundfile

from blink_cli.core.progress import Progress
from blink_cli.core.text.json_text import encode_json
from blink_cli.lab.running import run_cases
from blink_cli.lab.verdict.junit import junit_xml
from blink_cli.lab.verdict.report import LabReport
from blink_cli.lab.verdict.run_command import RunCommand
from tests.lab.scenario.reading import cases

pytestmark = pytest.mark.no_clock

SCENARIO = """
duration = 4
expect = ["loss == 0%", "pesq > 4.64", "heard(alice->bob)", "whole_after < 5s"]

[[participant]]
name = "alice"

[[participant]]
name = "bob"
voice = "tone:600"
"""


def report_of(text: str, out: Path | None = None) -> LabReport:
    told: list[float] = []
    progress: Progress = told.append
    report = run_cases(
        cases(text), RunCommand(("trial.toml",), "virtual"), out=out, version="1", progress=progress
    )
    assert told[-1] == 1.0
    return report


def test_a_report_and_its_files(tmp_path: Path) -> None:
    report = report_of(SCENARIO, tmp_path)
    (case,) = report.cases
    assert (report.outcome, report.cases_passed, report.cases_failed) == ("failed", 0, 1)
    assert [one.outcome for one in case.expectations] == ["passed", "failed", "passed", "skipped"]
    failed = case.expectations[1]
    assert all(not finding.holds for finding in failed.findings)
    assert failed.measured.startswith(failed.findings[0].subject)
    pair = next(one for one in case.pairs if one.speaker == "alice")
    assert pair.packets_sent == sum(sent for _, sent, _ in pair.loss_series) > 190
    # The worst of each of the five seconds that there are readings of.
    assert len(pair.jitter_series) >= 4
    assert [int(at_s) for at_s, _ in pair.jitter_series] == sorted(
        {int(at_s) for at_s, _ in pair.jitter_series}
    )
    assert pair.jitter_ms is not None
    assert max(jitter_ms for _, jitter_ms in pair.jitter_series) == pair.jitter_ms.max
    assert pair.heard_file is not None
    heard = soundfile.info(tmp_path / pair.heard_file)
    assert (heard.samplerate, heard.channels, heard.duration) == (48_000, 1, 5.0)
    names = sorted(path.name for path in (tmp_path / "trial").iterdir())
    assert names == [
        "decisions-alice-by-bob.jsonl",
        "decisions-bob-by-alice.jsonl",
        "heard-alice-by-bob.wav",
        "heard-bob-by-alice.wav",
        "said-alice.wav",
        "said-bob.wav",
        "speaker-alice.wav",
        "speaker-bob.wav",
    ]
    text = encode_json(msgspec.to_builtins(report))
    assert msgspec.json.decode(text, type=LabReport) == report

    root = ET.fromstring(junit_xml(report))
    assert (root.get("tests"), root.get("failures"), root.get("skipped"), root.get("errors")) == (
        "4",
        "1",
        "1",
        "0",
    )
    tests = root.findall("testsuite/testcase")
    assert [one.get("name") for one in tests] == [one.text for one in case.expectations]
    failure = tests[1].find("failure")
    assert failure is not None
    assert "pesq > 4.64" in (failure.get("message") or "")


def test_a_case_that_cannot_be_run_has_failed_and_the_others_run(tmp_path: Path) -> None:
    sound = tmp_path / "noise.wav"
    sound.write_bytes(b"no sound")
    text = f"""
    duration = 2
    expect = ["loss == 0%"]
    [matrix]
    voice = ["{sound}", "tone:500"]
    """
    report = report_of(text)
    assert [case.outcome for case in report.cases] == ["failed", "passed"]
    assert report.cases[0].error is not None
    assert "cannot be read" in report.cases[0].error
    errors = ET.fromstring(junit_xml(report)).findall("testsuite/testcase/error")
    assert [error.get("message") for error in errors] == [report.cases[0].error]


def test_a_run_of_which_nothing_was_judged_has_not_passed() -> None:
    report = report_of('duration = 2\nexpect = ["whole_after < 5s"]\n')
    assert (report.outcome, report.cases_passed, report.cases_failed) == ("skipped", 0, 0)
