"""Every warning about rules that loaded."""

from __future__ import annotations

from smm_rules.document.problem import Problem
from smm_rules.facts import EntityKind
from smm_rules.rules.analysis.conditions import condition_warnings, until_warnings
from smm_rules.rules.analysis.missing import missing_warnings
from smm_rules.rules.analysis.overlap import Acting, overlap_warnings
from smm_rules.rules.analysis.paying import paid_too_soon
from smm_rules.rules.analysis.reading import Kept, Reading
from smm_rules.rules.analysis.settled import settled_warnings
from smm_rules.rules.analysis.spending import unbounded_spending
from smm_rules.rules.checks import WrittenRule
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Condition, Rule
from smm_rules.rules.scope import Scope


class Oddities:
    """Gathers what is odd about rules, one after the other and beside each other."""

    def __init__(self, scope: Scope | None) -> None:
        self._scope = scope
        self._acting: list[Acting] = []
        self._kept = {kind: Kept(kind) for kind in EntityKind}

    def of_rule(self, written: WrittenRule, rule: Rule) -> list[Problem]:
        """What is odd about one rule, each at its own place."""
        when, until = self._reading(rule, rule.when), self._reading(rule, rule.until)
        if when is None:
            return []
        if rule.acts:
            self._acting.append(Acting(rule, when))
        found = condition_warnings(when, "when")
        if until is not None:
            found += until_warnings(when, until)
        if not when.never():
            found += missing_warnings(written, when, until)
            if self._scope is not None and self._scope.settle_after is not None:
                found += settled_warnings(when, self._scope.settle_after)
        return [*found, *paid_too_soon(written), *unbounded_spending(written, rule, self._scope)]

    def of_set(self) -> list[Problem]:
        """What is odd about these rules beside each other."""
        return list(overlap_warnings(self._acting))

    def _reading(self, rule: Rule, condition: Condition | None) -> Reading | None:
        if isinstance(condition, CompiledCondition):
            return Reading(condition, self._kept[rule.watch])
        return None
