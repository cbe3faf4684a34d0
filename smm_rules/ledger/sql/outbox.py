"""The outbox: messages are told at least once, and never queued twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from smm_rules.engine.firing import AlertDraft, MessageDraft, Telling
from smm_rules.ledger.alerts import KeptBack, SentAs
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import from_micros, maybe_micros, storable, to_json, to_micros
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.ledger.sql import alerts, audit
from smm_rules.ledger.sql.query import Connection, Row, changed, first, rows, rows_of_each
from smm_rules.ledger.sql.rows import STANDS
from smm_rules.rules.model import StepKind

_COLUMNS = f"""
  id, dedup_key, kind, channel, title, body, level, {STANDS} AS stands, created_at, next_attempt_at, attempts,
  last_error, revived, alert, telling, why
"""
_ENQUEUE = """
  INSERT INTO outbox (
    dedup_key, kind, channel, title, body, level, fallback, state, created_at, next_attempt_at, not_before,
    alert, telling
  ) VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id
"""
_DELIVERABLE = f"""
  SELECT {_COLUMNS} FROM outbox WHERE state = 'pending' AND next_attempt_at <= ?
  ORDER BY next_attempt_at, id LIMIT ?
"""  # noqa: S608 - only constants are put in
_ALL = f"SELECT {_COLUMNS} FROM outbox ORDER BY id DESC LIMIT ?"  # noqa: S608 - as above
_IN_STATES = f"""
  SELECT {_COLUMNS} FROM outbox WHERE {STANDS} IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT ?
"""  # noqa: S608 - as above
#: One that was dropped while it was being delivered was delivered all the same.
_DELIVERED = """
  UPDATE outbox SET
    state = 'delivered', settled_at = ?, last_error = '', dropped_at = NULL, suppressed_at = NULL,
    why = CASE WHEN alert = '' THEN '' ELSE 'sent' END
  WHERE id = ?
"""
_DELIVERED_TOGETHER = """
  UPDATE outbox SET
    state = 'delivered', settled_at = ?, last_error = '', dropped_at = NULL, suppressed_at = NULL,
    why = ?, group_name = ?, sent_as = ?
  WHERE id IN (SELECT value FROM json_each(?))
"""
#: One that was delivered or dropped meanwhile stays as it is.
_KEEP_BACK = """
  UPDATE outbox SET why = ?, next_attempt_at = ?, group_name = ? WHERE id = ? AND state = 'pending'
"""
_SUPPRESS = """
  UPDATE outbox SET state = 'dead', why = ?1, suppressed_at = ?2, dropped_at = ?2, settled_at = ?2
  WHERE id = ?3 AND state = 'pending'
"""
#: The rule's own message to the channel stands in for it.
_DROP_COPY = "DELETE FROM outbox WHERE dedup_key = ? AND state = 'pending'"
_OPEN_SILENCES = "SELECT id FROM silences WHERE ended_at IS NULL"
_TAKE_UP = """
  UPDATE outbox SET next_attempt_at = ?1
  WHERE state = 'pending' AND alert <> '' AND why <> '' AND attempts = 0 AND next_attempt_at > ?1
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
    at = to_micros(now)
    not_before = to_micros(now + message.delay) if message.delay else None
    alert = message.alert
    values = (
        storable(message.dedup_key),
        message.kind.value,
        message.channel,
        storable(message.title),
        storable(message.body),
        message.level,
        storable(message.fallback),
        at,
        at if not_before is None else not_before,
        not_before,
        "" if alert is None else storable(alert.key),
        "" if alert is None else alert.telling.value,
    )
    queued = first(connection, _ENQUEUE, values) is not None
    if queued and alert is not None:
        alerts.note(connection, alert, message.level, now)
        if alert.telling is Telling.RESOLVED:
            _tell_the_escalated(connection, message, alert, now)
    return queued


def _tell_the_escalated(
    connection: Connection, message: MessageDraft, alert: AlertDraft, now: datetime
) -> None:
    """Whoever was told because nobody acknowledged it hears of its end, too; once, if `done` tells them."""
    told = alerts.messages_of(connection, [alert.key]).get(alert.key, ())
    of_the_end = {one.channel for one in told if one.telling == Telling.RESOLVED}
    escalated = {one.channel for one in told if one.telling == Telling.ESCALATED and one.reached}
    for channel in sorted(escalated - of_the_end):
        copy = replace(message, dedup_key=_copy_key(alert, channel), channel=channel)
        enqueue(connection, copy, now)
    if message.dedup_key != _copy_key(alert, message.channel):
        changed(connection, _DROP_COPY, (storable(_copy_key(alert, message.channel)),))


def _copy_key(alert: AlertDraft, channel: str) -> str:
    return f"{alert.key}:{Telling.RESOLVED}:escalated:{channel}"


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


def delivered_together(
    connection: Connection, message_ids: Sequence[int], sent_as: SentAs, now: datetime
) -> None:
    values = (
        to_micros(now),
        sent_as.why,
        storable(sent_as.group),
        storable(sent_as.key),
        to_json(list(message_ids)),
    )
    changed(connection, _DELIVERED_TOGETHER, values)


def keep_back(connection: Connection, kept: Sequence[KeptBack], now: datetime) -> None:
    going_on = {None, *(number for (number,) in rows(connection, _OPEN_SILENCES))}
    waiting = [
        (
            one.why,
            to_micros(one.until if one.silence in going_on else now),
            storable(one.group),
            one.message_id,
        )
        for one in kept
        if one.until is not None
    ]
    rows_of_each(connection, _KEEP_BACK, waiting)
    for one in kept:
        if one.until is None:
            changed(connection, _SUPPRESS, (one.why, to_micros(now), one.message_id))


def take_up_kept_back(connection: Connection, now: datetime) -> int:
    return changed(connection, _TAKE_UP, (to_micros(now),))


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
    attempts, error, revived, alert, telling, why = rest
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
        alert=alert,
        telling=telling,
        why=why,
    )
