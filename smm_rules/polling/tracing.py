"""What is kept of an evaluation that changed something, for `explain`."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import UNKNOWN, Facts, Snapshot, Unknown
from smm_rules.ledger.records import KeptTrace
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Rule


def kept_trace(rule: Rule, snapshot: Snapshot, memory: Memory, reason: Reason, now: datetime) -> KeptTrace:
    """The trace of `rule` coming to `reason` on `snapshot`, with the facts its conditions read."""
    known: Facts = {}
    missing: list[str] = []
    for name in sorted(names_read(rule)):
        value = snapshot.facts.get(name, UNKNOWN)
        if isinstance(value, Unknown):
            missing.append(name)
        else:
            known[name] = value
    return KeptTrace(rule.name, rule.version, snapshot.entity, now, reason, known, tuple(missing), memory)


def names_read(rule: Rule) -> frozenset[str]:
    """The stored facts that a rule's conditions read."""
    conditions = (rule.when, rule.until)
    return frozenset().union(
        *(condition.stored_names for condition in conditions if isinstance(condition, CompiledCondition))
    )
