"""`smm-rules test` on files that pass, fail and are at fault."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.cli.command import configure, said
from tests.rehearsal.files import write

PASSING = """
    - name: a partial order is refilled
      given: {order: {status: Partial, remains: 157}}
      at: {10m: [refill-partial: [refill, notify]]}
    - name: money runs low
      given: {balance: {amount: 3}}
      at: {0m: [low-balance]}
    """
FAILING = """
    - name: nothing is missing
      given: {order: {status: Partial, remains: 0}}
      at: {10m: [refill-partial: [refill]]}
    """


def test_passing_tests_are_counted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here, PASSING)
    answer = said(capsys, "test", str(path))
    assert (answer.code, answer.err) == (0, "")
    assert answer.out == f"{path}: 2 passed\n2 passed\n"


def test_a_failing_test_says_why(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here, PASSING + FAILING)
    answer = said(capsys, "test", str(path))
    lines = answer.out.splitlines()
    assert (answer.code, lines[0], lines[-1]) == (1, f"{path}: 2 passed, 1 failed", "2 passed, 1 failed")
    assert "at 10m: refill-partial [refill] was expected and did not come" in answer.out
    assert "remains > 0          false    remains = 0" in answer.out


def test_a_faulty_test_is_a_fault_of_the_rules(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here, "- {name: x, given: {order: {remians: 3}}, at: {0m: []}}")
    answer = said(capsys, "test", str(path))
    assert (answer.code, answer.out) == (3, "")
    assert 'Unknown fact of an order "remians". Did you mean "remains"?' in answer.err


def test_no_tests_are_not_a_success(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here, PASSING)
    assert said(capsys, "test", str(path), "-k", "elsewhere").code == 1
    assert (
        said(capsys, "test", str(path), "-k", "elsewhere").out == "There are no tests that match elsewhere.\n"
    )
    assert said(capsys, "test", "nowhere.yaml").code == 2


@pytest.mark.parametrize("pattern", ["MONEY", "money*low", "*[l]ow"])
def test_only_what_matches_is_played(here: Path, capsys: pytest.CaptureFixture[str], pattern: str) -> None:
    path = write(here, PASSING + FAILING)
    answer = said(capsys, "test", str(path), "-v", "-k", pattern)
    assert (answer.code, answer.out.splitlines()[1:]) == (0, ["  passed  money runs low", "1 passed"])


def test_coverage_names_what_no_test_has_tried(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here, PASSING)
    answer = said(capsys, "test", str(path), "--coverage")
    assert answer.code == 0
    assert f"  {path}:4:35: when: `remains > 0` was never false" in answer.out.splitlines()
    short = said(capsys, "test", str(path), "--fail-under", "90")
    assert (short.code, short.out.splitlines()[-2]) == (1, "coverage 46.7 % is below 90 %")
    assert said(capsys, "test", str(path), "--fail-under", "40").code == 0


def test_results_as_json_and_junit(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(here, PASSING + FAILING)
    answer = said(capsys, "test", str(path), "--json", "--junit", "junit.xml")
    document = json.loads(answer.out)
    assert (answer.code, document["ok"], document["passed"], document["failed"]) == (1, False, 2, 1)
    (failure,) = document["tests"][2]["failures"]
    assert (failure["at"], failure["line"], failure["column"]) == ("10m", 30, 16)
    assert document["coverage"]["rules"][0]["rule"] == "refill-partial"
    root = ET.parse("junit.xml").getroot()
    assert (root.attrib["tests"], root.attrib["failures"]) == ("3", "1")


def test_without_paths_the_rules_of_the_configuration_are_tested(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tests = "tests:\n  - {name: x, given: {balance: {amount: 3}}, at: {0m: [low]}}\n"
    configure(here)
    rules = here / "rules" / "rules.yaml"
    rules.write_text(rules.read_text(encoding="utf-8") + tests, encoding="utf-8")
    assert said(capsys, "test").out.splitlines()[-1] == "1 passed"
    rules.write_text(
        rules.read_text(encoding="utf-8").replace("channel: ops", "channel: opps"), encoding="utf-8"
    )
    wrong = said(capsys, "test")
    assert (wrong.code, 'There is no channel "opps"' in wrong.err) == (3, True)
    (here / "smm-rules.yaml").unlink()
    assert said(capsys, "test").code == 0


def test_the_examples_pass_and_are_wholly_covered(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    examples = Path(__file__).parents[2] / "rules"
    answer = said(capsys, "test", str(examples), "--fail-under", "100")
    assert (answer.code, answer.out.splitlines()[-2]) == (0, "coverage 100.0 % reaches 100 %")


BUYING = """\
rules:
  - name: again
    watch: order
    when: status == "Canceled"
    do: [reorder: {}]
    limit: {per_order: 1}
"""
BOUGHT = """
    - name: a canceled order is ordered again
      given: {order: {status: Canceled, rate: 0.80}}
      at: {0m: [again: [reorder]]}
    """
HELD = """
    - name: over the budget
      guards: {spend: 0.50/day}
      given: {order: {status: Canceled}}
      at: {0m: [again: [reorder: {outcome: held, reason: total_spend_per_day}]]}
    """


def _guarded(here: Path, guards: str) -> None:
    path = configure(here)
    path.write_text(path.read_text(encoding="utf-8") + f"guards: {guards}\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("guards", "why"),
    [
        ("{spend: 0.50/day}", "reorder: expected asked of the panel, got held"),
        ("{max_rate_increase: 10%}", "10 % are allowed"),
        ("{max_rate_increase: 30%}", ""),
    ],
)
def test_the_guards_of_the_configuration_hold_when_asked_for(
    here: Path, capsys: pytest.CaptureFixture[str], guards: str, why: str
) -> None:
    _guarded(here, guards)
    path = write(here, BOUGHT, BUYING)
    assert said(capsys, "test", str(path)).code == 0
    answer = said(capsys, "test", "--guards", str(path))
    assert (answer.code, why in answer.out) == (int(bool(why)), True)


def test_a_test_that_states_guards_keeps_its_own(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _guarded(here, "{actions: 1000/day}")
    path = write(here, HELD, BUYING)
    assert said(capsys, "test", str(path)).code == 0
    assert said(capsys, "test", "--guards", str(path)).code == 0


def test_guards_of_no_configuration_are_a_fault(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answer = said(capsys, "test", "--guards", str(write(here, BOUGHT, BUYING)))
    assert (answer.code, "There is no ./smm-rules.yaml" in answer.err) == (3, True)
