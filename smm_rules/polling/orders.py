"""A sweep over a panel's due orders."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.order_facts import OrderIntake, observe_order, whole_number
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Snapshot
from smm_rules.ledger.records import OrderSource, TrackedOrder, Watched
from smm_rules.observe import get_logger
from smm_rules.panel.answers import OrderState, Refused
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch
from smm_rules.rules.model import Rule

log = get_logger(__name__)


async def sweep_orders(watch: PanelWatch) -> int:
    """Ask about the most overdue orders and act on the answers; return how many were answered.

    1. Take at most `sweep_size` due orders from the ledger.
    2. Ask the panel in batches of 100. A failed call changes nothing but the panel's health.
    3. Orders the panel left out are asked again at the next interval; their state stays frozen.
    4. Evaluate every rule on every order answered, and record all of it in one transaction.
    """
    if not watch.standing.acquainted(watch.clock.now()):
        return 0
    due = await watch.ledger.due(EntityKind.ORDER, watch.panel, watch.clock.now(), watch.pace.sweep_size)
    if not due:
        return 0
    states = await watch.read("orders", lambda: watch.client.order_states([item.entity.id for item in due]))
    if states is None:
        return 0
    now = watch.clock.now()
    rules = watch.rules_for(EntityKind.ORDER)
    looks = []
    for item in due:
        answer = states.found.get(item.entity.id)
        if answer is not None and item.order is not None:
            looks.append(_order_look(watch, item, item.order, answer, now, rules))
    await _postpone_missing(watch, [item.entity for item in due if item.entity.id not in states.found], now)
    await watch.record(looks, now)
    return len(looks)


def _order_look(
    watch: PanelWatch,
    item: Watched,
    order: TrackedOrder,
    answer: OrderState | Refused,
    now: datetime,
    rules: tuple[Rule, ...],
) -> Look:
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
    return Look(
        snapshot,
        seen.facts,
        seen.changed,
        rules,
        watch.pace.orders,
        watch.pace.settle_after,
        same=seen.facts is item.facts,
    )


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


async def _postpone_missing(watch: PanelWatch, missing: list[Entity], now: datetime) -> None:
    if not missing:
        return
    await watch.ledger.postpone(missing, now + watch.pace.orders)
    watch.counters.increment("orders_missing", amount=len(missing), panel=watch.panel)
    log.warning(
        "order.missing", panel=watch.panel, count=len(missing), order_ids=[item.id for item in missing[:20]]
    )


def _tell_unknown_status(item: Watched, status: str) -> None:
    if item.facts.get("status") != status:
        log.warning("order.status_unknown", panel=item.entity.panel, order_id=item.entity.id, status=status)
