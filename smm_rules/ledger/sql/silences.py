"""Silences as rows."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.alerts import Matcher, Silence
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import from_micros, maybe_instant, storable, to_micros
from smm_rules.ledger.sql import audit, outbox
from smm_rules.ledger.sql.query import Connection, Row, cell, changed, first, rows

_COLUMNS = "id, rule, panel, kind, entity, level, reason, by, since, until, ended_at, ended_by"
_ADD = """
  INSERT INTO silences (rule, panel, kind, entity, level, reason, by, since, until)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_ONE = f"SELECT {_COLUMNS} FROM silences WHERE id = ?"  # noqa: S608 - only constants are put in
_OPEN = f"SELECT {_COLUMNS} FROM silences WHERE ended_at IS NULL ORDER BY id"  # noqa: S608 - as above
_ALL = f"SELECT {_COLUMNS} FROM silences ORDER BY id DESC LIMIT ?"  # noqa: S608 - as above
_END = "UPDATE silences SET ended_at = ?, ended_by = ? WHERE id = ? AND ended_at IS NULL"
_PRUNE = "DELETE FROM silences WHERE ended_at < ?"


def add(
    connection: Connection, matcher: Matcher, reason: str, by: str, now: datetime, until: datetime
) -> Silence:
    patterns = (matcher.rule, matcher.panel, matcher.kind, matcher.entity, matcher.level)
    values = (*(storable(one) for one in patterns), storable(reason), by, to_micros(now), to_micros(until))
    made = _one(connection, cell(connection, _ADD, values))
    _record(connection, made, "added", by, now)
    return made


def silences(connection: Connection, past: int | None) -> tuple[Silence, ...]:
    """Those that haven't ended, the oldest first; with `past` the last so many of all, the newest first."""
    found = rows(connection, _OPEN) if past is None else rows(connection, _ALL, (past,))
    return tuple(_from(row) for row in found)


def in_force(connection: Connection, now: datetime) -> tuple[Silence, ...]:
    return tuple(one for one in silences(connection, None) if one.active(now))


def end(
    connection: Connection, silence_id: int, now: datetime, by: str, message: MessageDraft | None
) -> bool:
    """False when it had ended. What it kept back is due at once, and `message` is queued."""
    if not changed(connection, _END, (to_micros(now), by, silence_id)):
        return False
    _record(connection, _one(connection, silence_id), "ended", by, now)
    outbox.take_up_kept_back(connection, now)
    if message is not None:
        outbox.enqueue(connection, message, now)
    return True


def prune(connection: Connection, before: datetime) -> int:
    return changed(connection, _PRUNE, (to_micros(before),))


def _record(connection: Connection, one: Silence, what: str, by: str, now: datetime) -> None:
    data = {
        "silence": one.id,
        "what": what,
        "matcher": one.matcher.given,
        "reason": one.reason,
        "until": one.until,
    }
    audit.append(connection, now, AuditKind.SILENCE, by, f"silence {one.id}", data)


def _one(connection: Connection, silence_id: int) -> Silence:
    row = first(connection, _ONE, (silence_id,))
    assert row is not None
    return _from(row)


def _from(row: Row) -> Silence:
    silence_id, rule, panel, kind, entity, level, reason, by, since, until, ended_at, ended_by = row
    return Silence(
        silence_id,
        Matcher(rule, panel, kind, entity, level),
        reason,
        by,
        from_micros(since),
        from_micros(until),
        maybe_instant(ended_at),
        ended_by,
    )
