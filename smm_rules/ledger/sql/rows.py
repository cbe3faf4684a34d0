"""Watched entities and orders as rows, and back. Every reader of them goes through `WATCHED`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smm_rules.facts import FIELDS, Entity, EntityKind, FactType
from smm_rules.ledger.codec import (
    ORDER_FACTS,
    decode_facts,
    decode_texts,
    entity_from_text,
    from_micros,
    maybe_instant,
    storable,
)
from smm_rules.ledger.records import OrderSource, TrackedOrder, Watched
from smm_rules.ledger.sql.query import Connection, Row, rows

#: The columns of one order: entity's panel and name, then those of `orders`.
_ORDER_COLUMNS = """
  oe.panel, oe.name, o.service, o.parameters, o.placed_at, o.tracked_at, o.label, o.source, o.parent, o.root,
  o.depth, o.refills
"""
#: One order by its entity's panel and name, whether or not it is still watched.
ORDER = f"""
  SELECT {_ORDER_COLUMNS} FROM entities oe JOIN orders o ON o.entity = oe.id
  WHERE oe.kind = 'order' AND oe.panel = ? AND oe.name = ?
"""  # noqa: S608 - only constants are put in
#: Watched entities with their facts and the order they are or refill; a caller adds the WHERE.
WATCHED = f"""
  SELECT e.kind, e.panel, e.name, f.facts, e.first_seen_at, e.last_seen_at, e.due_at, e.changes, e.id,
    {_ORDER_COLUMNS}
  FROM entities e
  LEFT JOIN facts f ON f.entity = e.id
  LEFT JOIN orders o ON o.entity = CASE e.kind WHEN 'order' THEN e.id ELSE e.refilled END
  LEFT JOIN entities oe ON oe.id = o.entity
"""  # noqa: S608 - only constants are put in


def order_fact(column: str, name: str) -> str:
    """SQL for one fact out of a column of an order's facts, NULL where it isn't known.

    A sum of money or a share is its text. Rows of earlier versions name their facts (`codec.encode_facts`).
    """
    place = ORDER_FACTS.index(name)
    path = f'$.{name}."$decimal"' if FIELDS[EntityKind.ORDER][name].type is FactType.MONEY else f"$.{name}"
    return (
        f"CASE WHEN {column} LIKE '[%' THEN json_extract({column}, '$[{place}]') "
        f"ELSE json_extract({column}, '{path}') END"
    )


#: How a message of the outbox stands, by its columns.
STANDS = """
  CASE WHEN suppressed_at IS NOT NULL THEN 'suppressed' WHEN dropped_at IS NOT NULL THEN 'dropped'
  ELSE state END
"""

_WATCHED_WIDTH = 9
#: Watched orders by their rows: fewer joins than `WATCHED`, for each is one itself.
_ORDERS = """
  SELECT e.id, e.panel, e.name, f.facts, e.first_seen_at, e.last_seen_at, e.due_at, e.changes,
    o.service, o.parameters, o.placed_at, o.tracked_at, o.label, o.source, o.parent, o.root, o.depth,
    o.refills
  FROM entities e LEFT JOIN facts f ON f.entity = e.id LEFT JOIN orders o ON o.entity = e.id
  WHERE e.id IN (SELECT value FROM json_each(?)) AND e.forgotten_at IS NULL
"""
_SOURCES = {source.value: source for source in OrderSource}


def key(entity: Entity) -> tuple[str, str, str]:
    """An entity as the three columns that name it."""
    return entity.kind.value, storable(entity.panel), storable(entity.id)


def order_from(row: Row) -> TrackedOrder:
    """A row of `_ORDER_COLUMNS` as a record."""
    panel, name, *columns = row
    return _order(Entity(EntityKind.ORDER, panel, name), columns)


def _order(entity: Entity, columns: Sequence[Any]) -> TrackedOrder:
    """The order `entity` by the columns of `orders`."""
    service, parameters, placed_at, tracked_at, label, source, parent, root, depth, refills = columns
    return TrackedOrder(
        entity,
        service,
        decode_texts(parameters),
        maybe_instant(placed_at),
        from_micros(tracked_at),
        label,
        _SOURCES[source],
        None if parent is None else entity_from_text(parent),
        entity if root is None else entity_from_text(root),
        depth,
        refills,
    )


def watched_from(row: Row) -> Watched:
    """A row of `WATCHED` as a record."""
    kind, panel, name, facts, first_seen_at, last_seen_at, due_at, changes, _ = row[:_WATCHED_WIDTH]
    order = row[_WATCHED_WIDTH:]
    return Watched(
        entity=Entity(EntityKind(kind), panel, name),
        facts={} if facts is None else decode_facts(facts),
        first_seen_at=maybe_instant(first_seen_at),
        last_seen_at=maybe_instant(last_seen_at),
        due_at=maybe_instant(due_at),
        order=None if order[0] is None else order_from(order),
        changes=changes,
    )


def all_watched(connection: Connection, where: str, values: tuple[Any, ...]) -> tuple[Watched, ...]:
    """The watched entities that `where`, a constant, picks."""
    return tuple(watched_from(row) for row in rows(connection, f"{WATCHED} {where}", values))


def orders_by_row(connection: Connection, numbers: str) -> dict[int, Watched]:
    """The watched orders of these rows, a list of numbers in JSON, by row."""
    return {row[0]: _watched_order(row) for row in rows(connection, _ORDERS, (numbers,))}


def _watched_order(row: Row) -> Watched:
    number, panel, name, facts, first_seen_at, last_seen_at, due_at, changes, *order = row
    entity = Entity(EntityKind.ORDER, panel, name)
    return Watched(
        entity,
        {} if facts is None else decode_facts(facts),
        maybe_instant(first_seen_at),
        maybe_instant(last_seen_at),
        maybe_instant(due_at),
        # A row of `orders` always says when the order was tracked.
        None if order[3] is None else _order(entity, order),
        changes,
        number,
    )
