"""`smm-rules test --coverage`: what no test has tried is shown where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import said

Capture = pytest.CaptureFixture[str]

RULES = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 0
    for: 10m
    do: [refill]
    limit: {per_order: 3, every: 24h}
tests:
  - name: a partial order is refilled once
    given: {order: {status: Partial, remains: 157}}
    at: {0m: [], 10m: [refill-partial: [refill]], 1h: []}
"""
NEITHER_IS_PARTIAL = """\
  - name: a completed order is left alone
    given: {order: {status: Completed, remains: 0}}
    at: {0m: [], 1h: []}
"""


@pytest.fixture
def rules(here: Path) -> Path:
    path = here / "rules.yaml"
    path.write_text(RULES, encoding="utf-8")
    return path


def test_what_no_test_has_tried_is_shown_at_its_place(rules: Path, capsys: Capture) -> None:
    told = said(capsys, "test", rules.name, "--coverage")
    assert told.code == 0
    assert told.out.partition("Not tried:\n")[2].splitlines()[:2] == [
        '  rules.yaml:4:11: when: `status == "Partial"` was never false',
        "  rules.yaml:4:35: when: `remains > 0` was never false",
    ]


def test_what_a_test_has_tried_is_not_shown(rules: Path, capsys: Capture) -> None:
    rules.write_text(RULES + NEITHER_IS_PARTIAL, encoding="utf-8")
    told = said(capsys, "test", rules.name, "--coverage")
    assert told.code == 0
    assert "was never" not in told.out


def test_too_little_tried_fails(rules: Path, capsys: Capture) -> None:
    assert said(capsys, "test", rules.name, "--fail-under", "60").code == 0
    assert said(capsys, "test", rules.name, "--fail-under", "61").code == 1
