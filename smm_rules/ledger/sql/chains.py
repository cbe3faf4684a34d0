"""How often rules fired over what belongs together: an order with its reorders, an order's refills."""

from __future__ import annotations

from smm_rules.engine.firing import Firing, Occasion
from smm_rules.engine.guards import chain_verdict
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import entity_text
from smm_rules.ledger.sql.query import Connection, cell, changed, first
from smm_rules.ledger.sql.rows import key

_ROOT = """
  SELECT o.root FROM entities e JOIN orders o ON o.entity = e.id
  WHERE e.kind = ? AND e.panel = ? AND e.name = ?
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


def verdict(connection: Connection, firing: Firing) -> Reason | None:
    """The limit over more than the firing's own entity that stops it; None when none does.

    Each refill is a thing of its own with a memory of its own, so `per_order` of a rule that watches refills
    is counted here: else an order could be acted on once for every refill it ever had.
    """
    counted_in = _counted_in(connection, firing)
    if counted_in is None:
        return None
    count = cell(connection, _FIRINGS, (counted_in, firing.rule)) or 0
    if firing.entity.kind is EntityKind.ORDER:
        return chain_verdict(firing.limits, count)
    most = firing.limits.per_order
    return Reason.LIMIT_PER_ORDER if most is not None and count >= most else None


def count(connection: Connection, firing: Firing) -> None:
    """Count a firing that was let through."""
    counted_in = _counted_in(connection, firing)
    if counted_in is not None:
        changed(connection, _COUNT, (counted_in, firing.rule))


def _counted_in(connection: Connection, firing: Firing) -> str | None:
    """What the firing counts in, by the ledger's own word where it has one; None when it doesn't count.

    Reminders and ends belong to an episode that has been let through already.
    """
    if firing.occasion is not Occasion.FIRED:
        return None
    if firing.entity.kind is EntityKind.ORDER:
        return _chain(connection, firing)
    return _refills(connection, firing) if firing.entity.kind is EntityKind.REFILL else None


def _chain(connection: Connection, firing: Firing) -> str:
    row = first(connection, _ROOT, key(firing.entity))
    if row is None:
        return entity_text(firing.root)
    return row[0] or entity_text(firing.entity)


def _refills(connection: Connection, firing: Firing) -> str | None:
    """All refills of the order refilled. No chain of orders has such a name, so none takes it along."""
    row = first(connection, _REFILLED, key(firing.entity))
    order_id = firing.facts.get("order.id")
    if row is not None:
        return f"refills of {entity_text(Entity(EntityKind.ORDER, *row))}"
    if not isinstance(order_id, str):
        return None
    return f"refills of {entity_text(Entity(EntityKind.ORDER, firing.entity.panel, order_id))}"
