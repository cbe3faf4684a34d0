"""Rule files for tests, written where a test wants them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent, indent

from smm_rules.rehearsal.testing.files import gather_tests
from smm_rules.rehearsal.testing.playing import TestResult, play

RULES = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 0 and service.refill
    for: 10m
    do:
      - refill
      - notify: {channel: ops, message: "{{ order.id }} lacks {{ remains }}, {{ result }} asked"}
    otherwise:
      - notify: {channel: ops, title: Refused, message: "{{ refusal }}"}
      - reorder: {quantity: "{{ remains }}", max_rate_increase: 10%}
    limit: {per_order: 2, every: 1h}
  - name: low-balance
    watch: balance
    when: amount < 20
    until: amount > 25
    remind: 6h
    do: [{notify: {channel: ops, message: "{{ amount }} left"}}]
    done: [{webhook: {channel: hook, data: {amount: "{{ amount }}", nested: {list: [1, 2]}}}}]
"""


def write(directory: Path, tests: str, rules: str = RULES, name: str = "rules.yaml") -> Path:
    """A rule file with the tests given as the entries below `tests:`; its path."""
    path = directory / name
    path.write_text(f"{rules}tests:\n{indent(dedent(tests).strip(), '  ')}\n", encoding="utf-8")
    return path


async def played(directory: Path, tests: str, rules: str = RULES) -> list[TestResult]:
    """The results of all tests."""
    suite = gather_tests([write(directory, tests, rules)])
    return [await play(test) for test in suite.tests]


async def told(directory: Path, tests: str, rules: str = RULES) -> list[str]:
    """Every failure of all tests in one line, its details joined by a bar."""
    results = await played(directory, tests, rules)
    return [" | ".join((one.message, *one.details)) for result in results for one in result.failures]
