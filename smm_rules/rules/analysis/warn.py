"""Every warning about rules that loaded."""

from __future__ import annotations

from collections.abc import Sequence

from smm_rules.document.problem import Problem
from smm_rules.rules.analysis.conditions import condition_warnings, never, until_warnings
from smm_rules.rules.analysis.missing import missing_warnings
from smm_rules.rules.analysis.overlap import overlap_warnings
from smm_rules.rules.analysis.paying import paid_too_soon
from smm_rules.rules.analysis.settled import settled_warnings
from smm_rules.rules.analysis.spending import unbounded_spending
from smm_rules.rules.checks import WrittenRule
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Rule
from smm_rules.rules.scope import Scope


def rule_warnings(written: WrittenRule, rule: Rule, scope: Scope | None) -> list[Problem]:
    """What is odd about one rule, each at its own place."""
    when, until = rule.when, rule.until
    if not isinstance(when, CompiledCondition):
        return []
    found = condition_warnings(when, rule.watch, "when")
    if isinstance(until, CompiledCondition):
        found += until_warnings(when, until, rule.watch)
    if not never(when.clauses, rule.watch):
        found += missing_warnings(written, rule)
        if scope is not None and scope.settle_after is not None:
            found += settled_warnings(when, rule.watch, scope.settle_after)
    return [*found, *paid_too_soon(written), *unbounded_spending(written, rule, scope)]


def set_warnings(rules: Sequence[Rule]) -> list[Problem]:
    """What is odd about rules beside each other."""
    return list(overlap_warnings(rules))
