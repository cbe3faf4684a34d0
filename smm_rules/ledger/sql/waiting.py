"""Held actions: which have waited for too long, and which the operator hasn't been told of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.engine.firing import MessageDraft
from smm_rules.engine.guards import GUARD_REASONS
from smm_rules.ledger.codec import to_json, to_micros
from smm_rules.ledger.records import Intent
from smm_rules.ledger.sql.intents import COLUMNS, intent_from
from smm_rules.ledger.sql.outbox import enqueue
from smm_rules.ledger.sql.query import Connection, changed, rows

_EXPIRED = f"""
  SELECT {COLUMNS} FROM intents WHERE state = 'held' AND expires_at IS NOT NULL AND expires_at <= ?
  ORDER BY id LIMIT ?
"""  # noqa: S608 - only constants are put in
_UNTOLD = f"""
  SELECT {COLUMNS} FROM intents WHERE state = 'held' AND told_at IS NULL
    AND reason IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?
"""  # noqa: S608 - as above
_TOLD = "UPDATE intents SET told_at = ? WHERE id IN (SELECT value FROM json_each(?))"


def expired(connection: Connection, now: datetime, limit: int) -> tuple[Intent, ...]:
    return tuple(intent_from(row) for row in rows(connection, _EXPIRED, (to_micros(now), limit)))


def untold(connection: Connection, limit: int) -> tuple[Intent, ...]:
    values = (to_json(sorted(GUARD_REASONS)), limit)
    return tuple(intent_from(row) for row in rows(connection, _UNTOLD, values))


def tell_held(
    connection: Connection, intent_ids: Sequence[int], messages: Sequence[MessageDraft], now: datetime
) -> None:
    for message in messages:
        enqueue(connection, message, now)
    changed(connection, _TOLD, (to_micros(now), to_json(list(intent_ids))))
