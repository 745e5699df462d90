"""A report as JUnit XML, which CI servers read: a suite for each scenario and engine, a test for each expectation of each case.

Source: the format has no standard; this is what Jenkins' junit plugin, GitLab and GitHub's reporters take in common.
"""

import itertools
from xml.etree import ElementTree as ET

from blink_cli.core.text.path_text import escaped
from blink_cli.lab.verdict.report import CaseResult, ExpectationResult, LabReport


def junit_xml(report: LabReport) -> bytes:
    """Return the document, UTF-8, with its declaration."""
    root = ET.Element("testsuites", name="blink lab")
    suites = itertools.groupby(report.cases, key=lambda case: (case.scenario, case.engine))
    for (scenario, engine), cases in suites:
        suite = ET.SubElement(root, "testsuite", name=f"{scenario} ({engine})")
        for case in cases:
            _add(suite, case)
        _count(suite, list(suite))
    _count(root, [test for suite in root for test in suite])
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add(suite: ET.Element, case: CaseResult) -> None:
    if case.error is not None:
        test = _test(suite, case, "run")
        ET.SubElement(test, "error", message=escaped(case.error))
        return
    for one in case.expectations:
        test = _test(suite, case, one.text)
        if one.outcome == "failed":
            failure = ET.SubElement(test, "failure", message=escaped(f"{one.text}: {one.measured}"))
            failure.text = _findings(one)
        elif one.outcome == "skipped":
            ET.SubElement(test, "skipped", message=escaped(one.measured))


def _test(suite: ET.Element, case: CaseResult, name: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=escaped(f"blink.lab.{case.name}"), name=escaped(name), time="0"
    )


def _findings(one: ExpectationResult) -> str:
    lines = (
        f"{finding.subject or 'the call'}: {finding.measured} {'holds' if finding.holds else 'does not hold'}"
        for finding in one.findings
    )
    return escaped("; ".join(lines))


def _count(element: ET.Element, tests: list[ET.Element]) -> None:
    for attribute, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(sum(1 for test in tests if test.find(kind) is not None)))
    element.set("tests", str(len(tests)))
