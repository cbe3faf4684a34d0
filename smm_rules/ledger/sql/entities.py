"""What is watched: when it is due, and what is remembered of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import decode_facts, decode_memory, entity_text, from_micros, to_micros
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Observation, Watched
from smm_rules.ledger.sql import alerts, audit, counts
from smm_rules.ledger.sql.query import Connection, changed, first, rows, rows_of_each
from smm_rules.ledger.sql.rows import all_watched, key

_NAMED = "WHERE e.kind = ? AND e.panel = ? AND e.name = ? AND e.forgotten_at IS NULL"
_DUE = """
  WHERE e.kind = ? AND e.panel = ? AND e.due_at <= ? AND e.due_at IS NOT NULL AND e.forgotten_at IS NULL
  ORDER BY e.due_at LIMIT ?
"""
_PAGE = """
  WHERE e.kind = ? AND (e.panel, e.name) > (?, ?) AND e.forgotten_at IS NULL
  ORDER BY e.panel, e.name LIMIT ?
"""
_PAGE_OF_PANEL = """
  WHERE e.kind = ? AND e.panel = ? AND e.name > ? AND e.forgotten_at IS NULL
  ORDER BY e.name LIMIT ?
"""
_PAGE_FROM_START = _PAGE.replace("AND (e.panel, e.name) > (?, ?) ", "")
_PAGE_OF_PANEL_FROM_START = _PAGE_OF_PANEL.replace("AND e.name > ? ", "")

_POSTPONE = (
    "UPDATE entities SET due_at = ? WHERE kind = ? AND panel = ? AND name = ? AND forgotten_at IS NULL"
)
_FORGET = """
  UPDATE entities SET forgotten_at = ?, due_at = NULL
  WHERE kind = ? AND panel = ? AND name = ? AND forgotten_at IS NULL RETURNING id
"""
_FORGET_REFILLS = """
  UPDATE entities SET forgotten_at = ?, due_at = NULL WHERE refilled = ? AND forgotten_at IS NULL
"""
#: CROSS JOIN keeps SQLite to this order: names as given, each looked up once.
_MEMORIES = """
  SELECT m.rule, e.name, m.memory FROM json_each(?) named CROSS JOIN entities e CROSS JOIN memories m
  WHERE e.kind = ? AND e.panel = ? AND e.name = named.value AND m.entity = e.id
"""
_HISTORY_OF_ALL = """
  SELECT e.kind, e.panel, e.name, h.at, h.facts FROM history h JOIN entities e ON e.id = h.entity
  WHERE h.at BETWEEN ? AND ? ORDER BY h.at, h.id LIMIT ?
"""
_HISTORY_OF_ONE = """
  SELECT e.kind, e.panel, e.name, h.at, h.facts FROM entities e JOIN history h ON h.entity = e.id
  WHERE e.kind = ? AND e.panel = ? AND e.name = ? AND h.at BETWEEN ? AND ? ORDER BY h.at LIMIT ?
"""


def watched(connection: Connection, entity: Entity) -> Watched | None:
    found = all_watched(connection, _NAMED, key(entity))
    return found[0] if found else None


def watched_page(
    connection: Connection, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
) -> tuple[Watched, ...]:
    """Ordered by panel, then by the panel's ID as text."""
    if panel is not None:
        if after is None:
            return all_watched(connection, _PAGE_OF_PANEL_FROM_START, (kind.value, panel, limit))
        return all_watched(connection, _PAGE_OF_PANEL, (kind.value, panel, after.id, limit))
    if after is None:
        return all_watched(connection, _PAGE_FROM_START, (kind.value, limit))
    return all_watched(connection, _PAGE, (kind.value, after.panel, after.id, limit))


def due(
    connection: Connection, kind: EntityKind, panel: str, now: datetime, limit: int
) -> tuple[Watched, ...]:
    return all_watched(connection, _DUE, (kind.value, panel, to_micros(now), limit))


def postpone(connection: Connection, entities: Iterable[Entity], due_at: datetime) -> None:
    at = to_micros(due_at)
    rows_of_each(connection, _POSTPONE, [(at, *key(entity)) for entity in entities])


def forget(connection: Connection, entity: Entity, now: datetime, by: str = "") -> bool:
    """Orders and refills; an order's refills go with it.

    What rules remember stays: should the order be tracked again, their limits still hold.
    """
    if entity.kind not in (EntityKind.ORDER, EntityKind.REFILL):
        raise LedgerError(f"{entity} can't be forgotten: only orders and refills can")
    at = to_micros(now)
    forgotten = first(connection, _FORGET, (at, *key(entity)))
    if forgotten is None:
        return False
    if entity.kind is EntityKind.ORDER:
        counts.watch(connection, -1)
        changed(connection, _FORGET_REFILLS, (at, forgotten[0]))
    alerts.forget(connection, entity, now)
    audit.append(connection, now, AuditKind.FORGET, by, entity_text(entity), {})
    return True


def memories(connection: Connection, entities: Sequence[Entity]) -> dict[tuple[str, Entity], Memory]:
    found: dict[tuple[str, Entity], Memory] = {}
    for (kind, panel), names in _by_panel(entities).items():
        for rule, name, memory in rows(connection, _MEMORIES, (json.dumps(names), kind, panel)):
            found[rule, Entity(EntityKind(kind), panel, name)] = decode_memory(memory)
    return found


def _by_panel(entities: Sequence[Entity]) -> dict[tuple[str, str], list[str]]:
    """The names of entities, as the file has them, by kind and panel."""
    names: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, panel, name in map(key, entities):
        names[kind, panel].append(name)
    return names


def history(
    connection: Connection, entity: Entity | None, since: datetime, until: datetime, limit: int
) -> tuple[Observation, ...]:
    """From `since` to `until`, both included."""
    span = (to_micros(since), to_micros(until), limit)
    if entity is None:
        found = rows(connection, _HISTORY_OF_ALL, span)
    else:
        found = rows(connection, _HISTORY_OF_ONE, (*key(entity), *span))
    return tuple(
        Observation(Entity(EntityKind(kind), panel, name), from_micros(at), decode_facts(facts))
        for kind, panel, name, at, facts in found
    )
