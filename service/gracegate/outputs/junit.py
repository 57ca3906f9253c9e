"""The report as JUnit's XML, which most CI systems show: each finding is a test that fails."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from gracegate.model import Finding, Problem, Report
from gracegate.outputs.markdown import printable
from gracegate.outputs.phrasing import finding_text, location, object_name, problem_text, sort_findings

_LONG = 2_000


def render(report: Report) -> str:
    """A suite with a test for each finding. Infos pass, what is waived is skipped, what was not evaluated is an error.

    Without any there is one test that passes: CI systems take a suite without tests for a broken one.
    """
    tests = [*_tests(report)] or [_test("gracegate", "no findings")]
    counts = {
        "tests": len(tests),
        "failures": sum(test.find("failure") is not None for test in tests),
        "errors": sum(test.find("error") is not None for test in tests),
        "skipped": sum(test.find("skipped") is not None for test in tests),
    }
    attributes = {"name": "gracegate", **{name: str(count) for name, count in counts.items()}}
    suites = ET.Element("testsuites", attributes)
    ET.SubElement(suites, "testsuite", attributes).extend(tests)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _tests(report: Report) -> Iterator[ET.Element]:
    for finding in sort_findings(finding for finding in report.findings if finding.status != "pre-existing"):
        yield _finding(finding)
    for problem in report.problems:
        if problem.blocks:
            yield _problem(problem)


def _finding(finding: Finding) -> ET.Element:
    name = object_name(finding.object, finding.container)
    test = _test(finding.file, f"{finding.rule}: {name}")
    message = printable(finding_text(finding), _LONG)
    text = f"{printable(location(finding.file, finding.line), _LONG)}: {finding.severity}: {message}"
    if finding.waiver is not None:
        ET.SubElement(test, "skipped", {"message": printable(finding.waiver.reason, _LONG)})
    elif finding.severity == "info":
        ET.SubElement(test, "system-out").text = text
    else:
        ET.SubElement(test, "failure", {"message": message, "type": finding.severity}).text = text
    return test


def _problem(problem: Problem) -> ET.Element:
    test = _test(problem.file or "gracegate", problem.code)
    message = printable(problem_text(problem), _LONG)
    where = f"{printable(location(problem.file, problem.line), _LONG)}: " if problem.file else ""
    ET.SubElement(test, "error", {"message": message, "type": problem.code}).text = f"{where}{message}"
    return test


def _test(group: str, name: str) -> ET.Element:
    return ET.Element("testcase", {"classname": printable(group, _LONG), "name": printable(name, _LONG)})
