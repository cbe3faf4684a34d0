"""Rules that buy with nothing that bounds what they may spend."""

from __future__ import annotations

from collections.abc import Iterator

from smm_rules.document.problem import Problem
from smm_rules.rules.analysis.conditions import warning
from smm_rules.rules.checks import WrittenRule
from smm_rules.rules.model import Mode, Rule, StepKind
from smm_rules.rules.scope import Scope


def unbounded_spending(written: WrittenRule, rule: Rule, scope: Scope | None) -> Iterator[Problem]:
    """A warning at the name of a rule that reorders, where neither it nor the configuration bounds money.

    `limit` bounds how often it fires for one order, not what a thousand orders come to.
    """
    buys = any(step.kind is StepKind.REORDER for step in (*rule.do, *rule.otherwise))
    if scope is None or scope.spend_guarded is not False or not buys:
        return
    if rule.guards.spend or rule.guards.mode is not Mode.LIVE:
        return
    yield warning(
        written.document.position((*written.trail, "name")),
        "This rule buys, and nothing bounds what it may spend in all",
        "Write for example spend: 20.00/day here, or guards: {spend: 50.00/day} in the configuration",
    )
