"""How often rules fired over what belongs together: an order with its reorders, an order's refills."""

from __future__ import annotations

from typing import NamedTuple

from smm_rules.engine.firing import Firing, Occasion
from smm_rules.engine.guards import chain_verdict
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import entity_text
from smm_rules.ledger.sql.query import Connection, cell, first, rows, run
from smm_rules.ledger.sql.rows import key

#: The chain by the ledger's own word; of an order that isn't known, as the firing says.
_OF_CHAIN = """
  SELECT chain.name, coalesce(c.firings, 0) FROM (
    SELECT coalesce((
      SELECT coalesce(o.root, ?4) FROM entities e JOIN orders o ON o.entity = e.id
      WHERE e.kind = ?1 AND e.panel = ?2 AND e.name = ?3
    ), ?5) AS name
  ) chain LEFT JOIN chains c ON c.root = chain.name AND c.rule = ?6
"""
_REFILLED = """
  SELECT o.panel, o.name FROM entities e JOIN entities o ON o.id = e.refilled
  WHERE e.kind = ? AND e.panel = ? AND e.name = ?
"""
_FIRINGS = "SELECT firings FROM chains WHERE root = ? AND rule = ?"
_COUNT = """
  INSERT INTO chains (root, rule, firings) VALUES (?, ?, 1)
  ON CONFLICT (root, rule) DO UPDATE SET firings = chains.firings + 1
"""


class Count(NamedTuple):
    """What firings are counted in, and how many of the rule it has had."""

    name: str
    firings: int


def verdict(firing: Firing, counted_in: Count | None) -> Reason | None:
    """The limit over more than the firing's own entity that stops it; None when none does.

    Each refill is a thing of its own with a memory of its own, so `per_order` of a rule that watches refills
    is counted here: else an order could be acted on once for every refill it ever had.
    """
    if counted_in is None:
        return None
    count = counted_in.firings
    if firing.entity.kind is EntityKind.ORDER:
        return chain_verdict(firing.limits, count)
    most = firing.limits.per_order
    return Reason.LIMIT_PER_ORDER if most is not None and count >= most else None


def count(connection: Connection, firing: Firing, counted_in: Count | None) -> None:
    """Count a firing that was let through."""
    if counted_in is not None:
        run(connection, _COUNT, (counted_in.name, firing.rule))


def counted_in(connection: Connection, firing: Firing) -> Count | None:
    """What the firing counts in, by the ledger's own word where it has one; None when it doesn't count.

    Reminders and ends belong to an episode that has been let through already.
    """
    if firing.occasion is not Occasion.FIRED:
        return None
    if firing.entity.kind is EntityKind.ORDER:
        return _chain(connection, firing)
    return _refills(connection, firing) if firing.entity.kind is EntityKind.REFILL else None


def _chain(connection: Connection, firing: Firing) -> Count:
    where = (*key(firing.entity), entity_text(firing.entity), entity_text(firing.root), firing.rule)
    [(name, firings)] = rows(connection, _OF_CHAIN, where)
    return Count(name, firings)


def _refills(connection: Connection, firing: Firing) -> Count | None:
    name = _name_of_refills(connection, firing)
    if name is None:
        return None
    return Count(name, cell(connection, _FIRINGS, (name, firing.rule)) or 0)


def _name_of_refills(connection: Connection, firing: Firing) -> str | None:
    """All refills of the order refilled. No chain of orders has such a name, so none takes it along."""
    row = first(connection, _REFILLED, key(firing.entity))
    order_id = firing.facts.get("order.id")
    if row is not None:
        return f"refills of {entity_text(Entity(EntityKind.ORDER, *row))}"
    if not isinstance(order_id, str):
        return None
    return f"refills of {entity_text(Entity(EntityKind.ORDER, firing.entity.panel, order_id))}"
