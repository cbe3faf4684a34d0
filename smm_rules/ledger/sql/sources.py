"""How far databases of orders have been read: written with the orders, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.ledger.codec import from_micros, maybe_instant, storable, to_json, to_micros
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sources import BAD_ROWS_KEPT, BadRow, Piece, SourceStanding, Taken
from smm_rules.ledger.sql import orders
from smm_rules.ledger.sql.query import Connection, Row, cell, changed, first, rows

_STANDINGS = """
  SELECT name, watermark, generation, added,
    (SELECT count(*) FROM bad_rows WHERE bad_rows.source = sources.name),
    read_at, due_at, failures, failing_since, error
  FROM sources
"""
_STANDING = f"{_STANDINGS} WHERE name = ?"
_BEGIN = """
  INSERT INTO sources (name, watermark, generation, added, due_at, failures, error)
  VALUES (?, '', 0, 0, ?, 0, '') ON CONFLICT DO NOTHING
"""
_ADD = "UPDATE sources SET added = added + ?, watermark = coalesce(?, watermark) WHERE name = ?"
_END = """
  UPDATE sources SET read_at = ?, due_at = ?, failures = 0, failing_since = NULL, error = '' WHERE name = ?
"""
_FAIL = """
  UPDATE sources SET failures = failures + 1, failing_since = coalesce(failing_since, ?), error = ?,
    due_at = ?
  WHERE name = ?
"""
_SET_BACK = "UPDATE sources SET watermark = ?, generation = generation + 1, due_at = ? WHERE name = ?"
_KNOWN_BAD = "SELECT name FROM bad_rows WHERE source = ? AND name IN (SELECT value FROM json_each(?))"
_COUNT_BAD = "SELECT count(*) FROM bad_rows WHERE source = ?"
_KEEP_BAD = """
  INSERT INTO bad_rows (source, name, at, what, to_do) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (source, name) DO UPDATE SET at = excluded.at, what = excluded.what, to_do = excluded.to_do
"""
_MENDED = "DELETE FROM bad_rows WHERE source = ? AND name IN (SELECT value FROM json_each(?))"
_BAD = "SELECT name, what, to_do, at FROM bad_rows WHERE source = ? ORDER BY at DESC, name LIMIT ?"
_PRUNE_BAD = "DELETE FROM bad_rows WHERE at < ?"


def standing(connection: Connection, name: str) -> SourceStanding | None:
    row = first(connection, _STANDING, (name,))
    return None if row is None else _standing_from(row)


def standings(connection: Connection) -> tuple[SourceStanding, ...]:
    return tuple(_standing_from(row) for row in rows(connection, f"{_STANDINGS} ORDER BY name"))


def bad_rows(connection: Connection, name: str, limit: int) -> tuple[BadRow, ...]:
    found = rows(connection, _BAD, (name, limit))
    return tuple(BadRow(named, what, to_do, from_micros(at)) for named, what, to_do, at in found)


def take(connection: Connection, name: str, generation: int, piece: Piece, now: datetime, by: str) -> Taken:
    """Watch the orders of a piece, keep its bad rows, and note how far that is.

    An order that was forgotten stays so: what is read again and again would bring it back for ever.
    """
    known = _begun(connection, name, now)
    if known.generation != generation:
        raise StateConflict(f"source {name} was set back while it was being read; this read ends here")
    added = orders.take_in(connection, piece.orders, now, by, revive=False) if piece.orders else 0
    if known.bad:
        _mend(connection, name, piece.orders)
    news = _keep_bad(connection, name, piece.bad)
    changed(connection, _ADD, (added, piece.watermark, name))
    if piece.next_at is not None:
        changed(connection, _END, (to_micros(now), to_micros(piece.next_at), name))
    return Taken(added, news)


def fail(connection: Connection, name: str, error: str, next_at: datetime, now: datetime) -> SourceStanding:
    """Note that a read failed and when it is tried again."""
    _begun(connection, name, now)
    changed(connection, _FAIL, (to_micros(now), storable(error), to_micros(next_at), name))
    return _begun(connection, name, now)


def set_back(connection: Connection, name: str, watermark: str, now: datetime) -> SourceStanding:
    """Read on from `watermark`, from the start where it is empty, and at once."""
    _begun(connection, name, now)
    changed(connection, _SET_BACK, (watermark, to_micros(now), name))
    return _begun(connection, name, now)


def prune(connection: Connection, at: int) -> int:
    """Drop bad rows older than `at` (microseconds)."""
    return changed(connection, _PRUNE_BAD, (at,))


def _begun(connection: Connection, name: str, now: datetime) -> SourceStanding:
    """How a source stands, one that was never read included."""
    known = standing(connection, name)
    if known is None:
        changed(connection, _BEGIN, (name, to_micros(now)))
        known = standing(connection, name)
    assert known is not None
    return known


def _mend(connection: Connection, name: str, given: Sequence[NewOrder]) -> None:
    """A row that has become an order is no longer a bad one."""
    names = [storable(f"{order.entity.panel}/{order.entity.id}") for order in given]
    changed(connection, _MENDED, (name, to_json(names)))


def _keep_bad(connection: Connection, name: str, given: Sequence[BadRow]) -> tuple[BadRow, ...]:
    """Keep bad rows, up to as many as are kept of a source; those that weren't known."""
    if not given:
        return ()
    names = to_json([storable(row.name) for row in given])
    known = {named for (named,) in rows(connection, _KNOWN_BAD, (name, names))}
    room = BAD_ROWS_KEPT - int(cell(connection, _COUNT_BAD, (name,)))
    news: list[BadRow] = []
    for row in given:
        named = storable(row.name)
        if named not in known:
            if len(news) >= room:
                continue
            known.add(named)
            news.append(row)
        values = (name, named, to_micros(row.at), storable(row.what), storable(row.to_do))
        changed(connection, _KEEP_BAD, values)
    return tuple(news)


def _standing_from(row: Row) -> SourceStanding:
    name, watermark, generation, added, bad, read_at, due_at, failures, failing_since, error = row
    return SourceStanding(
        name=name,
        watermark=watermark,
        generation=generation,
        added=added,
        bad=bad,
        read_at=maybe_instant(read_at),
        due_at=from_micros(due_at),
        failures=failures,
        failing_since=maybe_instant(failing_since),
        error=error,
    )
