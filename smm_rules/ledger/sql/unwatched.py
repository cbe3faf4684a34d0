"""Alerts whose rule watches no more: ended with a notice, and gone on with should it come back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.alerts import Alert
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import decode_memory, from_micros, to_json, to_micros
from smm_rules.ledger.sql import audit
from smm_rules.ledger.sql.alerts import alert
from smm_rules.ledger.sql.outbox import enqueue
from smm_rules.ledger.sql.query import Connection, rows

_END = """
  UPDATE alerts SET state = 'resolved', resolved_at = ?1
  WHERE state <> 'resolved' AND id IN (SELECT value FROM json_each(?2)) RETURNING id
"""
_REOPEN = """
  UPDATE alerts SET
    state = CASE WHEN acknowledged_at IS NULL THEN 'firing' ELSE 'acknowledged' END, resolved_at = NULL
  WHERE state = 'resolved' AND id IN (SELECT value FROM json_each(?)) RETURNING id
"""
#: What rules still remember of things of which an alert is over.
_REMEMBERED = """
  SELECT a.id, a.episode, m.memory FROM alerts a
  JOIN entities e ON e.kind = a.kind AND e.panel = a.panel AND e.name = a.name
  JOIN memories m ON m.entity = e.id AND m.rule = a.rule
  WHERE a.state = 'resolved' AND e.forgotten_at IS NULL ORDER BY a.id
"""
_BY = "smm-rules"


def ended_too_soon(connection: Connection) -> tuple[Alert, ...]:
    """Alerts that are over though their episode goes on, the oldest first."""
    found = [
        alert_id
        for alert_id, episode, text in rows(connection, _REMEMBERED)
        if (memory := decode_memory(text)).fired_at is not None and memory.true_since == from_micros(episode)
    ]
    return tuple(one for alert_id in found if (one := alert(connection, alert_id)) is not None)


def end(
    connection: Connection, alert_ids: Sequence[int], notices: Sequence[MessageDraft], why: str, now: datetime
) -> int:
    """End those that go on, with their notices; how many. No notice where all were over already."""
    ended = [one for (one,) in rows(connection, _END, (to_micros(now), to_json(list(alert_ids))))]
    if ended:
        for notice in notices:
            enqueue(connection, notice, now)
        _record(connection, "ended", ended, why, now)
    return len(ended)


def reopen(connection: Connection, alert_ids: Sequence[int], why: str, now: datetime) -> int:
    """resolved → as they stood before; how many."""
    opened = [one for (one,) in rows(connection, _REOPEN, (to_json(list(alert_ids)),))]
    if opened:
        _record(connection, "reopened", opened, why, now)
    return len(opened)


def _record(connection: Connection, what: str, alert_ids: Sequence[int], why: str, now: datetime) -> None:
    data = {"what": what, "alerts": sorted(alert_ids), "reason": why}
    audit.append(connection, now, AuditKind.ALERT, _BY, "alerts", data)
