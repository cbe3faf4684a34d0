"""Which parts of rules tests have tried, and results as JUnit XML."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from smm_rules.rehearsal.testing.coverage import Coverage, RuleCoverage
from smm_rules.rehearsal.testing.files import gather_tests
from smm_rules.rehearsal.testing.junit import junit_xml
from smm_rules.rehearsal.testing.playing import TestResult, play
from tests.rehearsal.files import write

ONE = """
    - name: refilled
      given: {order: {status: Partial, remains: 157}}
      at: {10m: [refill-partial]}
    """
BOTH_WAYS = """
    - name: refused
      given: {order: {status: Partial, remains: 157}}
      answers: {refill: [{refused: no}, accepted]}
      change: {2h: {order: {remains: 0}, service: {refill: false}}, 3h: {order: {status: Completed}}}
      at: {3h: [refill-partial]}
    - name: accepted
      given: {order: {status: Partial, remains: 157}}
      at: {3h: [refill-partial]}
    - name: money
      given: {balance: {amount: 3}}
      change: {7h: {balance: {amount: 30}}}
      at: {0m: [low-balance], 6h: [low-balance], 7h: [low-balance]}
    """


async def covered(directory: Path, tests: str) -> tuple[RuleCoverage, ...]:
    suite, coverage = gather_tests([write(directory, tests)]), Coverage()
    for test in suite.tests:
        result = await play(test, coverage.swept)
        assert result.failures == ()
        coverage.taken(test.rules, result.stage.record.steps)
    return coverage.of(suite.rules)


async def test_what_was_never_tried_is_named_with_its_place(tmp_path: Path) -> None:
    order, balance = await covered(tmp_path, ONE)
    assert (order.covered, order.total) == (4, 8)
    assert [(gap.position.line, gap.position.column, gap.message) for gap in order.gaps] == [
        (4, 11, 'when: `status == "Partial"` was never false'),
        (4, 35, "when: `remains > 0` was never false"),
        (4, 51, "when: `service.refill` was never false"),
        (2, 11, "otherwise: nothing of it was ever done"),
    ]
    assert (balance.covered, balance.total) == (0, 7)


async def test_everything_tried_is_all_covered(tmp_path: Path) -> None:
    assert [(rule.percent, rule.gaps) for rule in await covered(tmp_path, BOTH_WAYS)] == [
        (100.0, ()),
        (100.0, ()),
    ]


async def results(directory: Path, tests: str) -> list[TestResult]:
    return [await play(test) for test in gather_tests([write(directory, tests)]).tests]


async def test_junit_has_a_suite_a_file_and_a_case_a_test(tmp_path: Path) -> None:
    tests = """
        - name: fine
          given: {order: {status: Completed}}
          at: {1h: []}
        - name: "bad <&> \\u0007"
          given: {order: {status: Completed}}
          at: {1h: [refill-partial, low-balance]}
        """
    found = await results(tmp_path, tests)
    root = ET.fromstring(junit_xml(found, [0.25, 0.5]))
    assert {**root.attrib} == {
        "name": "smm-rules",
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
        "time": "0.750",
    }
    (suite,) = root.findall("testsuite")
    good, bad = suite.findall("testcase")
    assert suite.attrib["name"] == str(tmp_path / "rules.yaml")
    assert (good.attrib["name"], good.attrib["time"], list(good)) == ("fine", "0.250", [])
    assert bad.attrib["name"] == "bad <&> \N{REPLACEMENT CHARACTER}"
    (failure,) = bad.findall("failure")
    assert failure.attrib["message"] == "refill-partial was expected and did not come"
    assert "low-balance was expected and did not come" in (failure.text or "")
