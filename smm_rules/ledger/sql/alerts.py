"""Alerts as rows: born with their first message, acknowledged by the operator, over with their episode."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from smm_rules.engine.firing import AlertDraft, Telling
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import Alert, AlertMessage, AlertState
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import (
    decode_memory,
    entity_text,
    from_micros,
    maybe_instant,
    storable,
    to_json,
    to_micros,
)
from smm_rules.ledger.records import MessageState, Remembered
from smm_rules.ledger.sql import audit
from smm_rules.ledger.sql.query import Connection, Row, cell, changed, first, rows, rows_of_each
from smm_rules.ledger.sql.rows import STANDS
from smm_rules.ledger.sql.rows import key as entity_key

COLUMNS = """
  id, key, rule, kind, panel, name, episode, level, state, fired_at, acknowledged_at, acknowledged_by,
  acknowledged_why, resolved_at
"""
_ADD = """
  INSERT INTO alerts (key, rule, kind, panel, name, episode, level, state, fired_at, resolved_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id
"""
_MEMORY = """
  SELECT m.memory FROM memories m JOIN entities e ON e.id = m.entity
  WHERE e.kind = ? AND e.panel = ? AND e.name = ? AND m.rule = ? AND e.forgotten_at IS NULL
"""
_OPEN_OF = """
  SELECT key, rule, kind, panel, name FROM alerts
  WHERE state <> 'resolved' AND name IN (SELECT value FROM json_each(?))
"""
_RESOLVE = "UPDATE alerts SET state = 'resolved', resolved_at = ? WHERE key = ? AND state <> 'resolved'"
_FORGET = """
  UPDATE alerts SET state = 'resolved', resolved_at = ?
  WHERE kind = ? AND panel = ? AND name = ? AND state <> 'resolved'
"""
_ACKNOWLEDGE = """
  UPDATE alerts SET state = 'acknowledged', acknowledged_at = ?, acknowledged_by = ?, acknowledged_why = ?
  WHERE id = ? AND state = 'firing'
"""
_ONE = f"SELECT {COLUMNS} FROM alerts WHERE id = ?"  # noqa: S608 - only constants are put in
_LISTED = f"""
  SELECT {COLUMNS} FROM alerts WHERE state IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?
"""  # noqa: S608 - as above
_MESSAGES = f"""
  SELECT alert, id, channel, telling, {STANDS} AS stands, why, attempts FROM outbox
  WHERE alert <> '' AND alert IN (SELECT value FROM json_each(?)) ORDER BY id
"""  # noqa: S608 - as above
_PRUNE_RESOLVED = "DELETE FROM alerts WHERE state = 'resolved' AND resolved_at < ?"
#: What is looked at no more can't end: an order that stays canceled, say.
_PRUNE_SETTLED = """
  DELETE FROM alerts WHERE state <> 'resolved' AND fired_at < ? AND kind IN ('order', 'refill')
    AND NOT EXISTS (
      SELECT 1 FROM entities e WHERE e.kind = alerts.kind AND e.panel = alerts.panel AND e.name = alerts.name
        AND e.due_at IS NOT NULL
    )
"""


def note(connection: Connection, draft: AlertDraft, level: str, now: datetime) -> None:
    """A message of the alert is being queued: the first makes it, the notice of its end ends it."""
    if draft.telling is Telling.RESOLVED:
        changed(connection, _RESOLVE, (to_micros(now), storable(draft.key)))
        return
    over = not _goes_on(connection, draft)
    values = (
        storable(draft.key),
        draft.rule,
        *entity_key(draft.entity),
        to_micros(draft.episode),
        level,
        (AlertState.RESOLVED if over else AlertState.FIRING).value,
        to_micros(now),
        to_micros(now) if over else None,
    )
    rows(connection, _ADD, values)


def _goes_on(connection: Connection, draft: AlertDraft) -> bool:
    """Whether the episode hasn't ended: a message may follow from an action that took longer."""
    kept = cell(connection, _MEMORY, (*entity_key(draft.entity), draft.rule))
    if kept is None:
        return False
    memory = decode_memory(kept)
    return memory.fired_at is not None and memory.true_since == draft.episode


def end_episodes(connection: Connection, remembered: Iterable[Remembered], now: datetime) -> None:
    """The alerts of these memories that have no fired episode any more are over."""
    over = {(one.rule, entity_key(one.entity)) for one in remembered if one.memory.fired_at is None}
    if not over:
        return
    names = to_json(sorted({name for _, (_, _, name) in over}))
    keys = [
        key
        for key, rule, kind, panel, name in rows(connection, _OPEN_OF, (names,))
        if (rule, (kind, panel, name)) in over
    ]
    rows_of_each(connection, _RESOLVE, [(to_micros(now), key) for key in keys])


def forget(connection: Connection, entity: Entity, now: datetime) -> None:
    """The entity is watched no more: its alerts are over, and their end isn't told."""
    changed(connection, _FORGET, (to_micros(now), *entity_key(entity)))


def acknowledge(
    connection: Connection, alert_id: int, by: str, reason: str, now: datetime
) -> tuple[Alert | None, bool]:
    """The alert as it is now, None where there is none, and whether this changed it."""
    values = (to_micros(now), by, storable(reason), alert_id)
    acknowledged = changed(connection, _ACKNOWLEDGE, values) > 0
    found = alert(connection, alert_id)
    if acknowledged and found is not None:
        data = {"alert": alert_id, "what": "acknowledged", "rule": found.rule, "reason": reason}
        audit.append(connection, now, AuditKind.ALERT, by, entity_text(found.entity), data)
    return found, acknowledged


def alert(connection: Connection, alert_id: int) -> Alert | None:
    row = first(connection, _ONE, (alert_id,))
    return None if row is None else alert_from(row)


def alerts(connection: Connection, states: Sequence[AlertState], limit: int) -> tuple[Alert, ...]:
    """Alerts in any of these states (all when empty), the newest first."""
    names = to_json([state.value for state in states or AlertState])
    return tuple(alert_from(row) for row in rows(connection, _LISTED, (names, limit)))


def messages_of(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[AlertMessage, ...]]:
    """The messages of these alerts, the oldest first."""
    found: defaultdict[str, list[AlertMessage]] = defaultdict(list)
    for key, message_id, channel, telling, state, why, attempts in rows(
        connection, _MESSAGES, (to_json(sorted(keys)),)
    ):
        found[key].append(AlertMessage(message_id, channel, telling, MessageState(state), why, attempts))
    return {key: tuple(messages) for key, messages in found.items()}


def prune(connection: Connection, before: datetime) -> int:
    """Drop alerts that were over before, and older ones that nobody will see the end of; how many."""
    at = (to_micros(before),)
    return changed(connection, _PRUNE_RESOLVED, at) + changed(connection, _PRUNE_SETTLED, at)


def alert_from(row: Row) -> Alert:
    alert_id, key, rule, kind, panel, name, episode, level, state, fired_at, *rest = row
    acknowledged_at, by, why, resolved_at = rest
    return Alert(
        alert_id,
        key,
        rule,
        Entity(EntityKind(kind), panel, name),
        from_micros(episode),
        level,
        AlertState(state),
        from_micros(fired_at),
        maybe_instant(acknowledged_at),
        by,
        why,
        maybe_instant(resolved_at),
    )
