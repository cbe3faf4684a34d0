"""Orders that rest: due, and moved on without a look at their facts while the panel repeats itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity
from smm_rules.ledger.codec import decode_memory, duration_to_micros, to_micros
from smm_rules.ledger.records import DueOrder, Observed, Watched
from smm_rules.ledger.sql.query import Connection, changed, list_of, rows
from smm_rules.ledger.sql.rows import key, orders_by_row

_SHORT = "SELECT id, name, last_seen_at, answer, context, rests_until, pace, due_at FROM entities"
_DUE = f"""
  {_SHORT} WHERE kind = 'order' AND panel = ? AND due_at <= ? AND due_at IS NOT NULL AND forgotten_at IS NULL
  ORDER BY due_at LIMIT ?
"""
_DUE_NEXT = _DUE.replace("due_at <= ?", "due_at > ?")
#: Those that something changed since they were found due stay due.
_MOVE_ON = """
  UPDATE entities SET last_seen_at = ?1, due_at = ?1 + pace
  WHERE id IN (SELECT value FROM json_each(?2)) AND answer IS NOT NULL AND forgotten_at IS NULL
"""
_MEMORIES = """
  SELECT e.id, m.rule, m.memory FROM entities e JOIN memories m ON m.entity = e.id
  WHERE e.id IN (SELECT value FROM json_each(?))
"""
_STIR = """
  UPDATE entities SET answer = NULL, changes = changes + 1 WHERE id IN (SELECT value FROM json_each(?))
"""
_STIR_NAMED = """
  UPDATE entities SET answer = NULL, changes = changes + 1 WHERE kind = ? AND panel = ? AND name = ?
"""
_STIR_CHAIN = """
  UPDATE entities SET answer = NULL, changes = changes + 1
  WHERE id IN (SELECT entity FROM orders WHERE root = ?)
"""

#: The columns of a rest, as `columns` gives them, and the count of changes they were found under.
Columns = tuple[int | None, int | None, int | None, int | None, int | None]
NO_REST: Columns = (None, None, None, None, None)


def due_orders(
    connection: Connection, panel: str, now: datetime, limit: int, batch: int = 1
) -> tuple[DueOrder, ...]:
    """The second reading is of the index alone, too: who is due next costs no search."""
    at = to_micros(now)
    found = rows(connection, _DUE, (panel, at, limit))
    room = min(-len(found) % batch, limit - len(found))
    if found and room > 0:
        found += rows(connection, _DUE_NEXT, (panel, at, room))
    return tuple(map(DueOrder._make, found))


def watched_rows(connection: Connection, numbers: Sequence[int]) -> dict[int, Watched]:
    return orders_by_row(connection, list_of(numbers))


def memories_by_row(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, str, Memory]]:
    found = rows(connection, _MEMORIES, (list_of(numbers),))
    return [(row, rule, decode_memory(memory)) for row, rule, memory in found]


def move_on(connection: Connection, numbers: Sequence[int], at: int) -> None:
    """They were seen at `at`, in microseconds, and said what they had said before."""
    if numbers:
        changed(connection, _MOVE_ON, (at, list_of(numbers)))


def columns(observed: Observed) -> Columns:
    """What is stored of the rest that a look found."""
    rest = observed.rest
    if rest is None:
        return NO_REST
    return rest.answer, rest.context, to_micros(rest.until), duration_to_micros(rest.pace), rest.changes


def stir(connection: Connection, numbers: Iterable[int]) -> None:
    """Something about these changed outside a sweep: their next look is a whole one."""
    changed(connection, _STIR, (list_of(numbers),))


def stir_named(connection: Connection, entity: Entity) -> None:
    changed(connection, _STIR_NAMED, key(entity))


def stir_chain(connection: Connection, root: str) -> None:
    """All orders of the chain that begins with `root`, as the ledger writes it."""
    changed(connection, _STIR_CHAIN, (root,))
