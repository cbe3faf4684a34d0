"""The outbox: messages are told at least once, and never queued twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import from_micros, maybe_micros, storable, to_json, to_micros
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.ledger.sql import audit
from smm_rules.ledger.sql.query import Connection, Row, changed, first, rows
from smm_rules.rules.model import StepKind

_COLUMNS = """
  id, dedup_key, kind, channel, title, body, level,
  CASE WHEN dropped_at IS NULL THEN state ELSE 'dropped' END AS stands, created_at, next_attempt_at, attempts,
  last_error, revived
"""
_ENQUEUE = """
  INSERT INTO outbox (
    dedup_key, kind, channel, title, body, level, fallback, state, created_at, next_attempt_at
  ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', ?8, ?8) ON CONFLICT DO NOTHING RETURNING id
"""
_DELIVERABLE = f"""
  SELECT {_COLUMNS} FROM outbox WHERE state = 'pending' AND next_attempt_at <= ?
  ORDER BY next_attempt_at, id LIMIT ?
"""  # noqa: S608 - only constants are put in
_ALL = f"SELECT {_COLUMNS} FROM outbox ORDER BY id DESC LIMIT ?"  # noqa: S608 - as above
_IN_STATES = f"""
  SELECT {_COLUMNS} FROM outbox
  WHERE CASE WHEN dropped_at IS NULL THEN state ELSE 'dropped' END IN (SELECT value FROM json_each(?))
  ORDER BY id DESC LIMIT ?
"""  # noqa: S608 - as above
#: One that was dropped while it was being delivered was delivered all the same.
_DELIVERED = """
  UPDATE outbox SET state = 'delivered', settled_at = ?, last_error = '', dropped_at = NULL WHERE id = ?
"""
#: A message that another process has delivered meanwhile stays delivered.
_UNDELIVERED = """
  UPDATE outbox SET
    attempts = attempts + 1,
    last_error = ?1,
    next_attempt_at = coalesce(?2, next_attempt_at),
    state = CASE WHEN ?2 IS NULL THEN 'dead' ELSE state END,
    settled_at = CASE WHEN ?2 IS NULL THEN ?3 END
  WHERE id = ?4 AND state = 'pending'
"""
_REVIVE = """
  UPDATE outbox SET
    state = 'pending', attempts = 0, next_attempt_at = ?1, settled_at = NULL, revived = revived + 1
  WHERE state = 'dead' AND dropped_at IS NULL AND (?2 IS NULL OR id IN (SELECT value FROM json_each(?2)))
  RETURNING id, dedup_key
"""
#: Its key stays, so that what it said isn't told anew.
_DROP = """
  UPDATE outbox SET state = 'dead', dropped_at = ?1, settled_at = ?1
  WHERE state IN ('pending', 'dead') AND dropped_at IS NULL AND id IN (SELECT value FROM json_each(?2))
  RETURNING id, dedup_key
"""


def enqueue(connection: Connection, message: MessageDraft, now: datetime) -> bool:
    values = (
        storable(message.dedup_key),
        message.kind.value,
        message.channel,
        storable(message.title),
        storable(message.body),
        message.level,
        storable(message.fallback),
        to_micros(now),
    )
    return first(connection, _ENQUEUE, values) is not None


def deliverable(connection: Connection, now: datetime, limit: int) -> tuple[QueuedMessage, ...]:
    found = rows(connection, _DELIVERABLE, (to_micros(now), limit))
    return tuple(_message_from(row) for row in found)


def messages(connection: Connection, states: Sequence[MessageState], limit: int) -> tuple[QueuedMessage, ...]:
    """Messages in any of these states (all when empty), newest first."""
    if not states:
        found = rows(connection, _ALL, (limit,))
    else:
        names = to_json([state.value for state in states])
        found = rows(connection, _IN_STATES, (names, limit))
    return tuple(_message_from(row) for row in found)


def delivered(connection: Connection, message_id: int, now: datetime) -> None:
    changed(connection, _DELIVERED, (to_micros(now), message_id))


def undelivered(
    connection: Connection, message_id: int, error: str, retry_at: datetime | None, now: datetime
) -> None:
    values = (storable(error), maybe_micros(retry_at), to_micros(now), message_id)
    changed(connection, _UNDELIVERED, values)


def revive(
    connection: Connection, message_ids: Sequence[int] | None, now: datetime, by: str
) -> tuple[int, ...]:
    ids = None if message_ids is None else to_json(list(message_ids))
    return _note(connection, "revived", rows(connection, _REVIVE, (to_micros(now), ids)), now, by)


def drop(connection: Connection, message_ids: Sequence[int], now: datetime, by: str) -> tuple[int, ...]:
    values = (to_micros(now), to_json(list(message_ids)))
    return _note(connection, "dropped", rows(connection, _DROP, values), now, by)


def _note(connection: Connection, what: str, found: list[Row], now: datetime, by: str) -> tuple[int, ...]:
    """One entry in the record of decisions for all that was revived or dropped at once."""
    keys: dict[int, str] = dict(sorted(found))
    if keys:
        told = {str(message_id): key for message_id, key in keys.items()}
        audit.append(connection, now, AuditKind.OUTBOX, by, "outbox", {"what": what, "messages": told})
    return tuple(keys)


def _message_from(row: Row) -> QueuedMessage:
    message_id, dedup_key, kind, channel, title, body, level, state, created_at, due_at, *rest = row
    attempts, error, revived = rest
    return QueuedMessage(
        id=message_id,
        dedup_key=dedup_key,
        kind=StepKind(kind),
        channel=channel,
        title=title,
        body=body,
        level=level,
        state=MessageState(state),
        created_at=from_micros(created_at),
        next_attempt_at=from_micros(due_at),
        attempts=attempts,
        last_error=error,
        revived=revived,
    )
