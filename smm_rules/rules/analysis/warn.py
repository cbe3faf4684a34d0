"""Every warning about rules that loaded."""

from __future__ import annotations

from collections.abc import Sequence

from smm_rules.document.problem import Problem
from smm_rules.rules.analysis.conditions import condition_warnings, never, until_warnings
from smm_rules.rules.analysis.missing import missing_warnings
from smm_rules.rules.analysis.overlap import overlap_warnings
from smm_rules.rules.checks import WrittenRule
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Rule


def rule_warnings(written: WrittenRule, rule: Rule) -> list[Problem]:
    """What is odd about one rule, each at its own place."""
    when, until = rule.when, rule.until
    if not isinstance(when, CompiledCondition):
        return []
    found = condition_warnings(when, rule.watch, "when")
    if isinstance(until, CompiledCondition):
        found += until_warnings(when, until, rule.watch)
    if not never(when.clauses, rule.watch):
        found += missing_warnings(written, rule)
    return found


def set_warnings(rules: Sequence[Rule]) -> list[Problem]:
    """What is odd about rules beside each other."""
    return list(overlap_warnings(rules))
