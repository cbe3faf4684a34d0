"""Rule files written for tests."""

from __future__ import annotations

from pathlib import Path

from smm_rules.document import Position, Problem
from smm_rules.document.problem import DocumentError
from smm_rules.rules import LoadedRules, Rule, Scope, load_rules
from tests.document.marked import unmarked

SCOPE = Scope(frozenset({"main", "second"}), {"ops": "apprise", "hook": "webhook"})

#: Sound rules to break, by what they watch.
ORDER = """\
rules:
  - name: one
    watch: order
    when: status == "Partial"
    do:
      - refill
    limit: {per_order: 1}
"""
BALANCE = """\
rules:
  - name: low
    watch: balance
    when: amount < 20
    do:
      - notify: {channel: ops, message: low}
"""


def load(tmp_path: Path, text: str, scope: Scope | None = SCOPE) -> LoadedRules:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules([path], scope)


def only_rule(tmp_path: Path, text: str) -> Rule:
    (rule,) = load(tmp_path, text).rules.rules
    return rule


def problems(tmp_path: Path, text: str, scope: Scope | None = SCOPE) -> tuple[Problem, ...]:
    """The problems of a file that must have some."""
    try:
        load(tmp_path, text, scope)
    except DocumentError as error:
        return error.problems
    raise AssertionError("the file loaded")


def marked_problem(tmp_path: Path, text: str) -> tuple[Problem, Position]:
    """The one problem of a file, and where the file's mark says it is."""
    text, line, column = unmarked(text)
    (problem,) = problems(tmp_path, text)
    return problem, Position(tmp_path / "rules.yaml", line, column)
