"""Every warning about rules that loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smm_rules.document.problem import Problem, in_file_order
from smm_rules.facts import EntityKind
from smm_rules.garbage import nothing_is_garbage
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


class Warnings:
    """What is worth a warning about rules that loaded, worked out when it is first asked for.

    `noted` are warnings known already. Working out the others takes about as long as a fifth of reading the
    rules did, and a daemon has better things to do before it is ready.
    """

    def __init__(
        self, noted: Sequence[Problem], rules: Sequence[tuple[WrittenRule, Rule]], scope: Scope | None
    ) -> None:
        self._told = tuple(noted)
        self._pending: _Oddities | None = _Oddities(tuple(rules), scope)

    def told(self) -> tuple[Problem, ...]:
        """All of them in the order of the file. What they were worked out from is forgotten then."""
        pending = self._pending
        if pending is not None:
            with nothing_is_garbage():
                self._told = tuple(in_file_order([*self._told, *pending.found()]))
            self._pending = None
        return self._told


class _Oddities:
    """Gathers what is odd about rules, one after the other and beside each other."""

    def __init__(self, rules: Sequence[tuple[WrittenRule, Rule]], scope: Scope | None) -> None:
        self._rules = rules
        self._scope = scope
        self._acting: list[Acting] = []
        self._kept = {kind: Kept(kind) for kind in EntityKind}

    def found(self) -> Iterator[Problem]:
        """What is odd about each rule, at its own place, and then about all of them together."""
        for written, rule in self._rules:
            yield from self._of_rule(written, rule)
        yield from overlap_warnings(self._acting)

    def _of_rule(self, written: WrittenRule, rule: Rule) -> list[Problem]:
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

    def _reading(self, rule: Rule, condition: Condition | None) -> Reading | None:
        if isinstance(condition, CompiledCondition):
            return Reading(condition, self._kept[rule.watch])
        return None
