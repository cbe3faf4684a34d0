"""A sweep over a panel's due orders."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.order_facts import OrderIntake, observe_order, whole_number
from smm_rules.engine.snapshots import complete
from smm_rules.facts import EntityKind, Snapshot
from smm_rules.ledger.records import OrderSource, TrackedOrder, Watched
from smm_rules.observe import get_logger
from smm_rules.panel.answers import OrderState, Refused
from smm_rules.polling.asking import ask_due, make_looks
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch

log = get_logger(__name__)


async def sweep_orders(watch: PanelWatch) -> int:
    """Ask about the most overdue orders and act on the answers; return how many were answered.

    1. Wait until catalogue and balance are known or have been asked for.
    2. Ask about at most `sweep_size` due orders, in requests of 100.
    3. Evaluate every rule on every order answered, and record all of it in one transaction. Orders that
       were not answered keep their state.
    """
    if not watch.standing.acquainted(watch.clock.now()):
        return 0
    asked = await ask_due(watch, EntityKind.ORDER, "orders", watch.pace.orders, watch.client.order_states)
    if asked is None:
        return 0

    async def make(item: Watched, answer: OrderState | Refused, now: datetime) -> Look:
        return _order_look(watch, item, answer, now)

    looks = await make_looks(watch, asked, watch.pace.orders, make)
    await watch.record(EntityKind.ORDER, looks, asked.now)
    return len(asked.answers)


def _order_look(watch: PanelWatch, item: Watched, answer: OrderState | Refused, now: datetime) -> Look:
    order = item.order
    if order is None:
        raise LookupError(f"{item.entity} is watched, but the ledger has no order of that name")
    seen = observe_order(item.facts, answer, order_intake(order), now)
    if isinstance(answer, OrderState) and not answer.status_known:
        _tell_unknown_status(item, answer.status)
    shared = watch.standing.related_to_service(order.service)
    snapshot = Snapshot(
        entity=item.entity,
        facts=complete(EntityKind.ORDER, seen.facts, shared),
        taken_at=now,
        previous_at=item.last_seen_at,
        root=order.root,
        imported=order.source is OrderSource.TRACKED,
    )
    same = seen.facts is item.facts
    return Look(snapshot, seen.facts, seen.changed, watch.pace.orders, watch.pace.settle_after, same)


def order_intake(order: TrackedOrder) -> OrderIntake:
    """What intake and chain know of an order, as the engine takes it."""
    return OrderIntake(
        id=order.entity.id,
        tracked_at=order.tracked_at,
        placed_at=order.placed_at,
        quantity=whole_number(order.parameters.get("quantity")),
        link=order.parameters.get("link"),
        label=order.label,
        chain_depth=order.depth,
        refills=order.refills,
    )


def _tell_unknown_status(item: Watched, status: str) -> None:
    if item.facts.get("status") != status:
        log.warning("order.status_unknown", panel=item.entity.panel, order_id=item.entity.id, status=status)
