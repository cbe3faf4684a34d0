"""An explanation as scripts get it."""

from __future__ import annotations

from smm_rules.cli.memories import memory_shape
from smm_rules.cli.shapes import intent_shape
from smm_rules.explanation.model import ClauseOutcome, Explanation, FactRead
from smm_rules.facts import Unknown
from smm_rules.ledger.records import KeptTrace


def explanation_shape(explanation: Explanation) -> dict[str, object]:
    """Everything that was found out, the cause first."""
    records, standing, hold = explanation.records, explanation.standing, explanation.hold
    return {
        "rule": explanation.rule.name,
        "rule_version": explanation.rule.version,
        "entity": explanation.entity,
        "at": explanation.at,
        "cause": explanation.cause,
        "summary": explanation.summary,
        "change": explanation.change,
        "notes": explanation.notes,
        "when": [_clause(clause) for clause in explanation.when],
        "until": [_clause(clause) for clause in explanation.until],
        "hold": None if hold is None else {"for": hold.needed, "since": hold.since, "ends_at": hold.ends_at},
        "seen_at": standing.seen_at if standing else None,
        "due_at": standing.due_at if standing else None,
        "memory": memory_shape(explanation.rule.name, records.memory) if records.memory else None,
        "intents": [intent_shape(intent) for intent in records.intents],
        "traces": [trace_shape(trace) for trace in records.traces],
    }


def trace_shape(trace: KeptTrace) -> dict[str, object]:
    """A kept trace; facts that were not known are null."""
    return {
        "at": trace.at,
        "reason": trace.reason,
        "rule_version": trace.rule_version,
        "facts": {**trace.facts, **dict.fromkeys(trace.missing)},
        "memory": memory_shape(trace.rule, trace.memory),
    }


def _clause(clause: ClauseOutcome) -> dict[str, object]:
    return {
        "text": clause.text,
        "file": clause.position.file,
        "line": clause.position.line,
        "column": clause.position.column,
        "truth": clause.truth,
        "facts": {fact.name: _fact(fact) for fact in clause.facts},
        "wanted": clause.wanted,
    }


def _fact(fact: FactRead) -> dict[str, object]:
    if isinstance(fact.value, Unknown):
        return {"value": None, "known": False, "why": fact.why}
    return {"value": fact.value, "known": True}
