"""Test results as JUnit XML, which build servers read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from smm_rules.facts import format_duration
from smm_rules.rehearsal.testing.judging import Failure
from smm_rules.rehearsal.testing.playing import TestResult

#: What XML 1.0 can't hold even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[TestResult], seconds: Sequence[float]) -> str:
    """One suite for each file. `seconds` is how long each test took of the machine's time."""
    by_file: defaultdict[str, list[tuple[TestResult, float]]] = defaultdict(list)
    for result, took in zip(results, seconds, strict=True):
        by_file[str(result.test.file)].append((result, took))
    root = ET.Element("testsuites", _totals("smm-rules", list(zip(results, seconds, strict=True))))
    for file, entries in by_file.items():
        suite = ET.SubElement(root, "testsuite", _totals(file, entries))
        for result, took in entries:
            _case(suite, file, result, took)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _totals(name: str, entries: Sequence[tuple[TestResult, float]]) -> dict[str, str]:
    return {
        "name": _clean(name),
        "tests": str(len(entries)),
        "failures": str(sum(not result.passed for result, _ in entries)),
        "errors": "0",
        "skipped": "0",
        "time": f"{sum(took for _, took in entries):.3f}",
    }


def _case(suite: ET.Element, file: str, result: TestResult, took: float) -> None:
    attributes = {
        "classname": _clean(file),
        "name": _clean(result.test.name),
        "file": _clean(file),
        "line": str(result.test.position.line),
        "time": f"{took:.3f}",
    }
    case = ET.SubElement(suite, "testcase", attributes)
    if result.failures:
        # One element a case: more are not everywhere read.
        failure = ET.SubElement(case, "failure", {"message": _clean(result.failures[0].message)})
        failure.text = _clean("\n".join(failure_text(one) for one in result.failures))


def failure_text(failure: Failure) -> str:
    """A failure as plain lines."""
    head = f"{failure.position}: at {format_duration(failure.at)}: {failure.message}"
    return "\n".join((head, *(f"    {line}" for line in failure.details)))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
