"""Orders: how they come to be watched, and the chains that reorders make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from smm_rules.engine.episode import ended
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import (
    decode_memory,
    encode_facts,
    encode_memory,
    encode_texts,
    entity_text,
    maybe_micros,
    storable,
    to_micros,
)
from smm_rules.ledger.records import NewOrder, TrackedOrder
from smm_rules.ledger.sql import audit, counts, rest
from smm_rules.ledger.sql.query import Connection, cell, changed, first, rows, rows_of_each
from smm_rules.ledger.sql.rows import ORDER, key, order_from

_INSERT_ENTITY = """
  INSERT INTO entities (due_at, kind, panel, name) VALUES (?, ?, ?, ?)
  ON CONFLICT DO NOTHING RETURNING id, panel, name
"""
_INSERT_ORDER = """
  INSERT INTO orders (entity, service, parameters, placed_at, tracked_at, label, source, parent, root, depth)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
#: A forgotten order that is tracked again keeps its chain and how it first became known, and what the new
#: word leaves unsaid.
_REVIVE_ENTITY = """
  UPDATE entities SET forgotten_at = NULL, due_at = ?, answer = NULL, changes = changes + 1
  WHERE kind = ? AND panel = ? AND name = ? AND forgotten_at IS NOT NULL
  RETURNING id, panel, name
"""
_REVIVE_ORDER = """
  UPDATE orders SET
    service = coalesce(?, service),
    parameters = CASE ?2 WHEN '{}' THEN parameters ELSE ?2 END,
    placed_at = coalesce(?, placed_at),
    tracked_at = ?,
    label = coalesce(nullif(?, ''), label)
  WHERE entity = ?
"""
_ADOPT = "UPDATE orders SET source = ?, parent = ?, root = ?, depth = ? WHERE entity = ?"
_MOVE_CHAIN = "UPDATE orders SET root = ?, depth = depth + ? WHERE root = ?"
_MOVE_FIRINGS = """
  INSERT INTO chains (root, rule, firings) SELECT ?, rule, firings FROM chains WHERE root = ?
  ON CONFLICT (root, rule) DO UPDATE SET firings = chains.firings + excluded.firings
"""
_DROP_FIRINGS = "DELETE FROM chains WHERE root = ?"
_ENTITY_ID = "SELECT id FROM entities WHERE kind = ? AND panel = ? AND name = ?"
_WATCH_REFILL = """
  INSERT INTO entities (kind, panel, name, due_at, refilled) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (kind, panel, name) DO UPDATE SET
    forgotten_at = NULL, due_at = excluded.due_at, refilled = excluded.refilled,
    first_seen_at = NULL, last_seen_at = NULL
  RETURNING id
"""
_REFILLED = "SELECT id, refilled FROM entities WHERE kind = ? AND panel = ? AND name = ?"
_FORGET_MEMORIES = "DELETE FROM memories WHERE entity = ?"
_MEMORIES = "SELECT rule, memory FROM memories WHERE entity = ?"
_DROP_BLANK_MEMORIES = "DELETE FROM memories WHERE entity = ? AND memory = '{}'"
_SET_MEMORY = "UPDATE memories SET memory = ? WHERE entity = ? AND rule = ?"
_SET_FACTS = """
  INSERT INTO facts (entity, facts) VALUES (?, ?) ON CONFLICT (entity) DO UPDATE SET facts = excluded.facts
"""
_COUNT_REFILL = """
  UPDATE orders SET refills = refills + 1
  WHERE entity = (SELECT id FROM entities WHERE kind = ? AND panel = ? AND name = ?)
"""


#: How many of the orders that somebody gave are named in the record of decisions.
_NAMED_IN_RECORD = 100


class Place(NamedTuple):
    """An order's place in its chain; `root` is None for the first."""

    parent: Entity | None
    root: Entity | None
    depth: int


FIRST = Place(None, None, 0)


def order(connection: Connection, entity: Entity) -> TrackedOrder | None:
    """The order as intake knows it, also when it has been forgotten since."""
    if entity.kind is not EntityKind.ORDER:
        return None
    found = first(connection, ORDER, key(entity)[1:])
    return None if found is None else order_from(found)


def track(connection: Connection, orders: Sequence[NewOrder], now: datetime, *, revive: bool = True) -> int:
    """New orders and those that were forgotten; both count as new. Without `revive` the latter stay so."""
    # The first word on an order counts, as it would had the orders come one by one.
    given: dict[tuple[str, str, str], NewOrder] = {}
    for new in orders:
        _check_order(new)
        given.setdefault(key(new.entity), new)
    at = to_micros(now)
    inserted = rows_of_each(connection, _INSERT_ENTITY, [(at, *name) for name in given])
    added = {("order", panel, name): entity_id for entity_id, panel, name in inserted}
    _add(connection, given, added, at)
    known = [(at, *name) for name in given if revive and name not in added]
    revived = rows_of_each(connection, _REVIVE_ENTITY, known)
    rows_of_each(
        connection,
        _REVIVE_ORDER,
        [_revived(given["order", panel, name], at, entity_id) for entity_id, panel, name in revived],
    )
    counts.watch(connection, len(added) + len(revived))
    return len(added) + len(revived)


def take_in(
    connection: Connection, orders: Sequence[NewOrder], now: datetime, by: str, *, revive: bool = True
) -> int:
    """`track`, asked for by somebody: that is a decision of its own."""
    added = track(connection, orders, now, revive=revive)
    if added:
        first_ones = [entity_text(new.entity) for new in orders[:_NAMED_IN_RECORD]]
        data = {"new": added, "given": len(orders), "orders": first_ones}
        audit.append(connection, now, AuditKind.TRACK, by, "", data)
    return added


def follow(connection: Connection, made: NewOrder, now: datetime) -> None:
    """Watch an order that the daemon itself made.

    Somebody may have tracked it in the moment between, or had it forgotten long ago: it takes its place in
    the chain all the same, or limits over chains could be got around.
    """
    was_known = order(connection, made.entity) is not None
    track(connection, [made], now)
    if not was_known:
        return
    known = order(connection, made.entity)
    if known is None or known.parent is not None or made.parent is None:
        return
    place = _place(connection, made, {})
    if place.parent is None:
        return
    entity_id = cell(connection, _ENTITY_ID, key(made.entity))
    changed(connection, _ADOPT, (made.source.value, *_place_columns(place), entity_id))
    rest.stir(connection, [entity_id])
    _join_chains(connection, made.entity, place)


def watch_refill(connection: Connection, refill: Entity, refilled: Entity, now: datetime) -> None:
    """Watch a refill the panel has just accepted, due at once.

    A panel may give an ID a second time: what was remembered of the refill before is not about this one. For
    a refill of the same order its limits still count, for one of another order nothing does.
    """
    order_id = cell(connection, _ENTITY_ID, key(refilled))
    before = first(connection, _REFILLED, key(refill))
    if before is not None:
        _begin_anew(connection, before[0], same_order=before[1] == order_id)
    values = (*key(refill), to_micros(now), order_id)
    entity_id = cell(connection, _WATCH_REFILL, values)
    facts = encode_facts({"id": refill.id, "requested_at": now})
    changed(connection, _SET_FACTS, (entity_id, facts))


def _begin_anew(connection: Connection, refill_id: int, *, same_order: bool) -> None:
    if not same_order:
        changed(connection, _FORGET_MEMORIES, (refill_id,))
        return
    for rule, text in rows(connection, _MEMORIES, (refill_id,)):
        memory = encode_memory(ended(decode_memory(text)))
        changed(connection, _SET_MEMORY, (memory, refill_id, rule))
    changed(connection, _DROP_BLANK_MEMORIES, (refill_id,))


def count_refill(connection: Connection, entity: Entity) -> None:
    """One more refill accepted for an order; an order nobody tracks has no count."""
    changed(connection, _COUNT_REFILL, key(entity))
    rest.stir_named(connection, entity)


def _check_order(new: NewOrder) -> None:
    if new.entity.kind is not EntityKind.ORDER:
        raise ValueError(f"{new.entity} is not an order and can't be tracked as one")


def _add(
    connection: Connection,
    given: Mapping[tuple[str, str, str], NewOrder],
    added: Mapping[tuple[str, str, str], int],
    at: int,
) -> None:
    fresh = {name: given[name] for name in added}
    places = {name: _place(connection, new, fresh) for name, new in fresh.items() if new.parent}
    rows_of_each(
        connection,
        _INSERT_ORDER,
        [_order_columns(new, places.get(name, FIRST), added[name], at) for name, new in fresh.items()],
    )
    for name, place in places.items():
        _join_chains(connection, fresh[name].entity, place)


def _order_columns(new: NewOrder, place: Place, entity_id: int, at: int) -> tuple[object, ...]:
    return (
        entity_id,
        None if new.service is None else storable(new.service),
        encode_texts(new.parameters),
        maybe_micros(new.placed_at),
        at,
        storable(new.label),
        new.source.value,
        *_place_columns(place),
    )


def _place_columns(place: Place) -> tuple[str | None, str | None, int]:
    parent = None if place.parent is None else entity_text(place.parent)
    root = None if place.root is None else entity_text(place.root)
    return parent, root, place.depth


def _revived(new: NewOrder, at: int, entity_id: int) -> tuple[object, ...]:
    service = None if new.service is None else storable(new.service)
    placed_at = maybe_micros(new.placed_at)
    return service, encode_texts(new.parameters), placed_at, at, storable(new.label), entity_id


def _place(connection: Connection, new: NewOrder, fresh: Mapping[tuple[str, str, str], NewOrder]) -> Place:
    """Where `new` stands: walk up through the orders of the same batch, then look in the ledger.

    A circle, which only a confused panel or file can make, is cut: the order is then its own chain's first.
    """
    if new.parent is None:
        return FIRST
    seen = {new.entity}
    ancestor, depth = new.parent, 1
    while ancestor not in seen:
        seen.add(ancestor)
        older = fresh.get(key(ancestor))
        if older is None:
            stored = order(connection, ancestor)
            if stored is None:
                return Place(new.parent, ancestor, depth)
            return (
                FIRST if stored.root == new.entity else Place(new.parent, stored.root, depth + stored.depth)
            )
        if older.parent is None:
            return Place(new.parent, ancestor, depth)
        ancestor, depth = older.parent, depth + 1
    return FIRST


def _join_chains(connection: Connection, entity: Entity, place: Place) -> None:
    """Orders tracked before their parent was took it for the first of the chain: mend that."""
    if place.root is None:
        return
    old, new = entity_text(entity), entity_text(place.root)
    rest.stir_chain(connection, old)
    changed(connection, _MOVE_CHAIN, (new, place.depth, old))
    changed(connection, _MOVE_FIRINGS, (new, old))
    changed(connection, _DROP_FIRINGS, (old,))
