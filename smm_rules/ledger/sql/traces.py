"""Kept traces: what a rule came to for an entity, the last few times that changed something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from smm_rules.engine.memory import Memory, Reason
from smm_rules.facts import Entity
from smm_rules.ledger.codec import (
    decode_memory,
    encode_facts,
    encode_memory,
    from_json,
    from_micros,
    to_micros,
)
from smm_rules.ledger.records import TRACES_KEPT, KeptTrace
from smm_rules.ledger.sql.query import Connection, cell, rows, rows_of_each
from smm_rules.ledger.sql.rows import key

_ADD = """
  INSERT INTO traces (entity, rule, at, reason, rule_version, facts, memory) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
#: The newest few of each rule and entity stay.
_CUT = f"""
  DELETE FROM traces WHERE entity = ?1 AND rule = ?2 AND id <= (
    SELECT id FROM traces WHERE entity = ?1 AND rule = ?2 ORDER BY id DESC LIMIT 1 OFFSET {TRACES_KEPT}
  )
"""  # noqa: S608 - only a constant is put in
_LAST_REASON = "SELECT reason FROM traces WHERE entity = ? AND rule = ? ORDER BY id DESC LIMIT 1"
_TRACES = """
  SELECT t.rule, t.at, t.reason, t.rule_version, t.facts, t.memory
  FROM entities e JOIN traces t ON t.entity = e.id
  WHERE e.kind = ?1 AND e.panel = ?2 AND e.name = ?3 AND (?4 IS NULL OR t.rule = ?4)
  ORDER BY t.at DESC, t.id DESC LIMIT ?5
"""

#: What a guard made of a firing in the planning transaction, by rule and entity.
Stops = Mapping[tuple[str, Entity], tuple[Reason, Memory]]


def keep(
    connection: Connection, ids: Mapping[Entity, int], traced: Iterable[KeptTrace], stops: Stops
) -> None:
    """Add the traces of what is watched, and drop the oldest of each rule and entity beyond the few.

    A firing that a guard stopped is traced as stopped, and only when that is news: it comes again at every
    look.
    """
    added: list[tuple[Any, ...]] = []
    for trace in traced:
        entity_id = ids.get(trace.entity)
        if entity_id is None:
            continue
        reason, memory = trace.reason, trace.memory
        stop = stops.get((trace.rule, trace.entity))
        if stop is not None:
            reason, memory = stop
            if cell(connection, _LAST_REASON, (entity_id, trace.rule)) == reason.value:
                continue
        facts: dict[str, Any] = dict.fromkeys(trace.missing) | trace.facts
        added.append(
            (
                entity_id,
                trace.rule,
                to_micros(trace.at),
                reason.value,
                trace.rule_version,
                encode_facts(facts),
                encode_memory(memory),
            )
        )
    if added:
        rows_of_each(connection, _ADD, added)
        rows_of_each(connection, _CUT, [row[:2] for row in added])


def traces(connection: Connection, entity: Entity, rule: str | None, limit: int) -> tuple[KeptTrace, ...]:
    found = rows(connection, _TRACES, (*key(entity), rule, limit))
    return tuple(
        _trace(entity, name, at, reason, version, from_json(facts), memory)
        for name, at, reason, version, facts, memory in found
    )


def _trace(
    entity: Entity, rule: str, at: int, reason: str, version: str, facts: dict[str, Any], memory: str
) -> KeptTrace:
    return KeptTrace(
        rule=rule,
        rule_version=version,
        entity=entity,
        at=from_micros(at),
        reason=Reason(reason),
        facts={name: value for name, value in facts.items() if value is not None},
        missing=tuple(sorted(name for name, value in facts.items() if value is None)),
        memory=decode_memory(memory),
    )
