"""A sweep: all that one look at a panel brought, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from smm_rules.engine.firing import Firing
from smm_rules.engine.guards import NO_GUARDS, Guards
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import (
    encode_facts,
    encode_limits,
    encode_memory,
    encode_order_facts,
    encode_rule_guards,
    encode_steps,
    entity_text,
    maybe_micros,
    storable,
    to_micros,
)
from smm_rules.ledger.records import Observed, PlannedFiring, Recorded, Remembered, Stopped, Sweep
from smm_rules.ledger.sql import alerts, audit, balances, chains, rest, stops
from smm_rules.ledger.sql.guarding import Guarding
from smm_rules.ledger.sql.intents import Origin, plan
from smm_rules.ledger.sql.outbox import enqueue
from smm_rules.ledger.sql.query import Connection, cell, changed, list_of, rows, rows_of_each
from smm_rules.ledger.sql.rows import key
from smm_rules.ledger.sql.traces import keep
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.rules.model import Mode

_Ids = dict[Entity, int]
_Seen = tuple[int, Observed]

_APPEAR = "INSERT INTO entities (kind, panel, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
#: Forgotten orders are left alone: somebody forgot them while the panel was being asked.
_SEE = """
  UPDATE entities SET
    last_seen_at = ?1, due_at = ?2, first_seen_at = coalesce(first_seen_at, ?1),
    answer = CASE WHEN changes = ?10 THEN CAST(?6 AS BIGINT) END, context = ?7, rests_until = ?8, pace = ?9
  WHERE kind = ?3 AND panel = ?4 AND name = ?5 AND forgotten_at IS NULL
  RETURNING id, kind, panel, name
"""
#: The same by its number, which is found before: what many statements return takes longer than to ask once.
_SEE_ROW = """
  UPDATE entities SET
    last_seen_at = ?1, due_at = ?2, first_seen_at = coalesce(first_seen_at, ?1),
    answer = CASE WHEN changes = ?8 THEN CAST(?4 AS BIGINT) END, context = ?5, rests_until = ?6, pace = ?7
  WHERE id = ?3 AND forgotten_at IS NULL
"""
_STILL_WATCHED = """
  SELECT id FROM entities WHERE id IN (SELECT value FROM json_each(?)) AND forgotten_at IS NULL
"""
#: Writes nothing where nothing changed.
_SET_FACTS = """
  INSERT INTO facts (entity, facts) VALUES (?, ?)
  ON CONFLICT (entity) DO UPDATE SET facts = excluded.facts WHERE facts.facts <> excluded.facts
"""
_ADD_HISTORY = """
  INSERT INTO history (entity, at, facts) VALUES (?, ?, ?)
  ON CONFLICT (entity, at) DO UPDATE SET facts = excluded.facts
"""
_WATCHED_ID = """
  SELECT id FROM entities WHERE kind = ? AND panel = ? AND name = ? AND forgotten_at IS NULL
"""
_IS_SETTLED = """
  SELECT 1 FROM firings WHERE key = ?
  UNION ALL
  SELECT 1 FROM entities WHERE kind = ? AND panel = ? AND name = ? AND forgotten_at IS NOT NULL
"""
_REMEMBER = """
  INSERT INTO memories (entity, rule, memory) VALUES (?, ?, ?)
  ON CONFLICT (entity, rule) DO UPDATE SET memory = excluded.memory WHERE memories.memory <> excluded.memory
"""
_FORGET_MEMORY = "DELETE FROM memories WHERE entity = ? AND rule = ?"
_ADD_FIRING = """
  INSERT INTO firings (
    key, rule, rule_version, entity, root, episode, occasion, ordinal, at, facts, steps, otherwise, limits,
    guards
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""


def record(connection: Connection, sweep: Sweep, guards: Guards = NO_GUARDS) -> Recorded:
    ids = _see(connection, sweep.observed, to_micros(sweep.at))
    rest.move_on(connection, sweep.resting, to_micros(sweep.at))
    _remember(connection, ids, sweep.remembered)
    alerts.end_episodes(connection, sweep.remembered, sweep.at)
    intents: list[int] = []
    messages = 0
    stopped: list[Stopped] = []
    stopped_by: dict[tuple[str, Entity], tuple[Reason, Memory]] = {}
    guarding = Guarding(connection, sweep.at, guards)
    for planned in sweep.firings:
        if _is_settled(connection, planned.firing):
            continue
        counted_in = chains.counted_in(connection, planned.firing)
        reason = chains.verdict(planned.firing, counted_in)
        if reason is not None:
            stopped.append(Stopped(planned.firing, reason))
            firing, memory = planned.firing, _stopped(planned.memory_if_stopped, reason)
            _remember(connection, ids, [Remembered(firing.rule, firing.entity, memory)])
            stopped_by[firing.rule, firing.entity] = (reason, memory)
            continue
        intent, queued = _fire(connection, planned, counted_in, guarding)
        intents += [] if intent is None else [intent]
        messages += queued
    if sweep.traced:
        keep(connection, ids, sweep.traced, stopped_by)
    return Recorded(tuple(intents), messages, tuple(stopped))


def _stopped(memory: Memory, reason: Reason) -> Memory:
    """The memory of a stopped firing, with the limit that did stop it."""
    return memory if memory.stopped_by is None else replace(memory, stopped_by=reason)


def _see(connection: Connection, observed: Sequence[Observed], at: int) -> _Ids:
    """Note what was read; return the IDs of those that are watched."""
    numbered = {one.row: one for one in observed if one.row is not None}
    seen = _see_rows(connection, numbered, at)
    if len(numbered) < len(observed):
        seen += _see_named(connection, [one for one in observed if one.row is None], at)
    facts, news = [], []
    for entity_id, one in seen:
        if one.same:
            continue
        text = _written(one)
        facts.append((entity_id, text))
        if one.changed:
            news.append((entity_id, at, text))
    rows_of_each(connection, _SET_FACTS, facts)
    rows_of_each(connection, _ADD_HISTORY, news)
    return {one.entity: entity_id for entity_id, one in seen}


def _see_rows(connection: Connection, observed: Mapping[int, Observed], at: int) -> list[_Seen]:
    """Note what was read of orders, given by row; those that are watched."""
    if not observed:
        return []
    watched = sorted(row for (row,) in rows(connection, _STILL_WATCHED, (list_of(observed),)))
    seen = [(row, observed[row]) for row in watched]
    looks = [(at, maybe_micros(one.due_at), row, *rest.columns(one)) for row, one in seen]
    rows_of_each(connection, _SEE_ROW, looks)
    return seen


def _see_named(connection: Connection, observed: Sequence[Observed], at: int) -> list[_Seen]:
    """Note what was read of anything, by its name; those that are watched. No order appears with it."""
    keys = {one.entity: key(one.entity) for one in observed}
    new = [name for entity, name in keys.items() if entity.kind is not EntityKind.ORDER]
    rows_of_each(connection, _APPEAR, sorted(new))
    # Rows in one order: two that look at the same things at once could wait for each other otherwise.
    in_order = sorted(observed, key=lambda one: keys[one.entity])
    looks = [(at, maybe_micros(one.due_at), *keys[one.entity], *rest.columns(one)) for one in in_order]
    found = rows_of_each(connection, _SEE, looks)
    by_key = {(kind, panel, name): entity_id for entity_id, kind, panel, name in found}
    seen = [(by_key[keys[one.entity]], one) for one in observed if keys[one.entity] in by_key]
    for _, one in seen:
        if one.entity.kind is EntityKind.BALANCE:
            asked_at = at if one.asked_at is None else to_micros(one.asked_at)
            balances.observe(connection, one.entity.panel, one.facts, asked_at, at)
    return seen


def _written(observed: Observed) -> str:
    """The facts as text; there are many more orders than other things."""
    is_order = observed.entity.kind is EntityKind.ORDER
    return encode_order_facts(observed.facts) if is_order else encode_facts(observed.facts)


def _remember(connection: Connection, ids: _Ids, remembered: Iterable[Remembered]) -> None:
    """Store memories of what is watched; a blank one is no row."""
    kept, blank = [], []
    for one in remembered:
        entity_id = ids.get(one.entity) or _watched_id(connection, one.entity)
        if entity_id is None:
            continue
        ids[one.entity] = entity_id
        if one.memory == BLANK:
            blank.append((entity_id, one.rule))
        else:
            kept.append((entity_id, one.rule, encode_memory(one.memory)))
    rows_of_each(connection, _REMEMBER, kept)
    rows_of_each(connection, _FORGET_MEMORY, blank)


def _watched_id(connection: Connection, entity: Entity) -> int | None:
    if entity.kind is not EntityKind.ORDER:
        changed(connection, _APPEAR, key(entity))
    found: int | None = cell(connection, _WATCHED_ID, key(entity))
    return found


def _is_settled(connection: Connection, firing: Firing) -> bool:
    """Whether the firing is in the ledger already, or is about what was forgotten in the meantime."""
    return bool(rows(connection, _IS_SETTLED, (storable(firing.key), *key(firing.entity))))


def _fire(
    connection: Connection, planned: PlannedFiring, counted_in: chains.Count | None, guarding: Guarding
) -> tuple[int | None, int]:
    """Write the firing and what it asks for first: the intent's ID, and how many messages were new."""
    firing = planned.firing
    firing_id = _add_firing(connection, firing)
    chains.count(connection, firing, counted_in)
    shadow = planned.hold is Reason.SHADOW or firing.guards.mode is Mode.SHADOW
    messages = () if shadow else planned.continuation.messages
    queued = sum(enqueue(connection, message, firing.at) for message in messages)
    draft = planned.continuation.intent
    if draft is None:
        return None, queued
    if planned.hold is Reason.LIMIT_PER_SWEEP and not shadow:
        why = (
            f"it would have acted more often at once than limit.per_sweep ({firing.limits.per_sweep}) allows"
        )
        stops.trip(connection, StopKind.SWEEP, StopScope.RULE, firing.rule, why, guarding.now)
    origin = Origin(firing_id, firing.rule, entity_text(firing.entity), to_micros(firing.episode), firing.key)
    intent_id = plan(connection, draft, origin, firing.at, firing.rule, guarding, firing.guards, planned.hold)
    return intent_id, queued


def _add_firing(connection: Connection, firing: Firing) -> int:
    values = (
        storable(firing.key),
        firing.rule,
        firing.rule_version,
        entity_text(firing.entity),
        entity_text(firing.root),
        to_micros(firing.episode),
        firing.occasion.value,
        firing.ordinal,
        to_micros(firing.at),
        encode_facts(firing.facts),
        encode_steps(firing.steps),
        encode_steps(firing.otherwise),
        encode_limits(firing.limits),
        encode_rule_guards(firing.guards),
    )
    firing_id: int = cell(connection, _ADD_FIRING, values)
    data = {
        "firing": firing.key,
        "rule": firing.rule,
        "rule_version": firing.rule_version,
        "occasion": firing.occasion.value,
        "episode": firing.episode,
        "facts": firing.facts,
    }
    audit.append(connection, firing.at, AuditKind.FIRING, firing.rule, entity_text(firing.entity), data)
    return firing_id
