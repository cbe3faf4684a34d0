"""What a rule means, as a hash: the same for any layout, spelling of statuses or comments."""

from __future__ import annotations

import hashlib
import json

from smm_rules.rules.model import DOUBLING, NO_RULE_GUARDS, Rule, RuleGuards, Step


def rule_version(rule: Rule, when: str, until: str) -> str:
    """Sixteen hexadecimal digits over the meaning of `rule`. `when` and `until` are canonical texts."""
    limit = rule.limit
    meaning: dict[str, object] = {
        "watch": rule.watch.value,
        "when": when,
        "until": until,
        "hold": rule.hold.total_seconds(),
        "remind": rule.remind.total_seconds() if rule.remind else None,
        "do": _steps(rule.do),
        "otherwise": _steps(rule.otherwise),
        "done": _steps(rule.done),
        "limit": [
            limit.per_order,
            limit.every.total_seconds() if limit.every is not None else None,
            limit.per_chain,
            limit.per_sweep,
        ],
        "first_seen": rule.first_seen.value,
        "panels": None if rule.panels is None else sorted(rule.panels),
    }
    if rule.reminding != DOUBLING:
        meaning["reminding"] = [rule.reminding.factor, rule.reminding.at_most]
    if (
        rule.guards != NO_RULE_GUARDS
    ):  # so that a rule without any keeps the version it had before there were any
        meaning["guards"] = _guards(rule.guards)
    text = json.dumps(meaning, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def _guards(guards: RuleGuards) -> list[object]:
    approval = guards.approval
    return [
        guards.mode.value,
        [str(allowance) for allowance in guards.spend],
        approval
        and [
            None if approval.above is None else format(approval.above, "f"),
            None if approval.expires is None else approval.expires.total_seconds(),
        ],
    ]


def _steps(steps: tuple[Step, ...]) -> list[list[object]]:
    return [[step.kind.value, dict(step.parameters)] for step in steps]
