"""Pauses, panics and breakers as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import from_micros, maybe_instant, maybe_micros, storable, to_micros
from smm_rules.ledger.sql import audit
from smm_rules.ledger.sql.outbox import enqueue
from smm_rules.ledger.sql.query import Connection, Row, cell, changed, first, rows
from smm_rules.ledger.stops import TRIPPED, Stop, StopKind, StopScope, concerning

_COLUMNS = "id, kind, scope, name, reason, by, since, until, ended_at, ended_by"
_ACTIVE = f"SELECT {_COLUMNS} FROM stops WHERE ended_at IS NULL ORDER BY id"  # noqa: S608 - only constants
#: The statement that finds those in force, with its values; `stops_from` reads what it found.
ACTIVE = (_ACTIVE, ())
_ALL = f"SELECT {_COLUMNS} FROM stops ORDER BY id DESC LIMIT ?"  # noqa: S608 - as above
_STOP = f"SELECT {_COLUMNS} FROM stops WHERE id = ?"  # noqa: S608 - as above
#: By their IDs, not by the clock: attempts and ends may have been dated by clocks that were ahead.
_NEWEST_ATTEMPT = "(SELECT coalesce(max(id), 0) FROM attempts)"
_REPLACE = f"""
  UPDATE stops SET ended_at = ?, ended_by = ?, last_attempt = {_NEWEST_ATTEMPT}
  WHERE kind = ? AND scope = ? AND name = ? AND ended_at IS NULL
"""  # noqa: S608 - as above
_ADD = """
  INSERT INTO stops (kind, scope, name, reason, by, since, until) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id
"""
_END = f"""
  UPDATE stops SET ended_at = ?, ended_by = ?, last_attempt = {_NEWEST_ATTEMPT}
  WHERE id = ? AND ended_at IS NULL
"""  # noqa: S608 - as above
_REDATE = "UPDATE stops SET since = ?1, until = ?2 WHERE id = ?3 AND ended_at IS NULL AND since > ?1"
_LAST_COUNTED = "SELECT max(last_attempt) FROM stops WHERE kind = 'breaker' AND scope = ? AND name = ?"


def stop(
    connection: Connection,
    kind: StopKind,
    scope: StopScope,
    name: str,
    reason: str,
    by: str,
    now: datetime,
    until: datetime | None,
) -> Stop:
    at = to_micros(now)
    changed(connection, _REPLACE, (at, by, kind.value, scope.value, name))
    values = (kind.value, scope.value, name, storable(reason), by, at, maybe_micros(until))
    row = first(connection, _STOP, (cell(connection, _ADD, values),))
    assert row is not None
    made = _from(row)
    _record(connection, made, "stopped", by, now)
    return made


def _record(connection: Connection, one: Stop, what: str, by: str, now: datetime) -> None:
    """The stop, or its end, in the record of decisions."""
    kind = AuditKind.BREAKER if one.kind in TRIPPED else AuditKind.PAUSE
    data = {
        "stop": one.id,
        "what": what,
        "kind": one.kind.value,
        "scope": one.scope.value,
        "name": one.name,
        "reason": one.reason,
        "until": one.until,
    }
    audit.append(connection, now, kind, by, f"{one.scope} {one.name}".rstrip(), data)


def trip(
    connection: Connection,
    kind: StopKind,
    scope: StopScope,
    name: str,
    reason: str,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """Stop by the program's own doing; what is stopped so already stays as it is."""
    tripped = any((one.kind, one.scope, one.name) == (kind, scope, name) for one in active(connection))
    if not tripped:
        stop(connection, kind, scope, name, reason, "smm-rules", now, until)


def active(connection: Connection) -> tuple[Stop, ...]:
    return stops_from(rows(connection, *ACTIVE))


def stops_from(found: Sequence[Row]) -> tuple[Stop, ...]:
    return tuple(_from(row) for row in found)


def stops(connection: Connection, limit: int | None) -> tuple[Stop, ...]:
    if limit is None:
        return active(connection)
    return tuple(_from(row) for row in rows(connection, _ALL, (limit,)))


def end(connection: Connection, stop_id: int, now: datetime, by: str, message: MessageDraft | None) -> bool:
    ended = changed(connection, _END, (to_micros(now), by, stop_id)) > 0
    return ended and _changed(connection, stop_id, "ended", by, now, message)


def redate(
    connection: Connection,
    stop_id: int,
    now: datetime,
    until: datetime | None,
    by: str,
    message: MessageDraft | None,
) -> bool:
    redated = changed(connection, _REDATE, (to_micros(now), maybe_micros(until), stop_id)) > 0
    return redated and _changed(connection, stop_id, "redated", by, now, message)


def _changed(
    connection: Connection, stop_id: int, what: str, by: str, now: datetime, message: MessageDraft | None
) -> bool:
    row = first(connection, _STOP, (stop_id,))
    assert row is not None
    _record(connection, _from(row), what, by, now)
    if message is not None:
        enqueue(connection, message, now)
    return True


def stopping(connection: Connection, rule: str, panel: str, now: datetime) -> tuple[Stop, ...]:
    """What keeps an action of this rule on this panel from being sent now."""
    return concerning(active(connection), rule, panel, now)


def last_counted(connection: Connection, scope: StopScope, name: str) -> int:
    """The newest attempt when this breaker was last closed; 0 for never."""
    return cell(connection, _LAST_COUNTED, (scope.value, name)) or 0


def _from(row: Row) -> Stop:
    stop_id, kind, scope, name, reason, by, since, until, ended_at, ended_by = row
    return Stop(
        stop_id,
        StopKind(kind),
        StopScope(scope),
        name,
        reason,
        by,
        from_micros(since),
        maybe_instant(until),
        maybe_instant(ended_at),
        ended_by,
    )
