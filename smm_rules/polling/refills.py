"""A sweep over a panel's due refills."""

from __future__ import annotations

from datetime import datetime

from smm_rules.engine.refill_facts import observe_refill
from smm_rules.engine.snapshots import complete, related
from smm_rules.facts import EntityKind, Snapshot
from smm_rules.ledger.records import Watched
from smm_rules.panel.answers import RefillState, Refused
from smm_rules.polling.decisions import Look
from smm_rules.polling.watch import PanelWatch
from smm_rules.rules.model import Rule


async def sweep_refills(watch: PanelWatch) -> int:
    """Ask about the most overdue refills and act on the answers; return how many were answered."""
    due = await watch.ledger.due(EntityKind.REFILL, watch.panel, watch.clock.now(), watch.pace.sweep_size)
    if not due:
        return 0
    states = await watch.read("refills", lambda: watch.client.refill_states([item.entity.id for item in due]))
    if states is None:
        return 0
    now = watch.clock.now()
    rules = watch.rules_for(EntityKind.REFILL)
    looks = []
    for item in due:
        answer = states.found.get(item.entity.id)
        if answer is not None:
            looks.append(await _refill_look(watch, item, answer, now, rules))
    missing = [item.entity for item in due if item.entity.id not in states.found]
    if missing:
        await watch.ledger.postpone(missing, now + watch.pace.refills)
    await watch.record(looks, now)
    return len(looks)


async def _refill_look(
    watch: PanelWatch, item: Watched, answer: RefillState | Refused, now: datetime, rules: tuple[Rule, ...]
) -> Look:
    seen = observe_refill(item.facts, answer, item.entity.id, item.first_seen_at, now)
    shared = watch.standing.related_to_service(item.order.service if item.order else None)
    if item.order is not None:
        refilled = await watch.ledger.watched(item.order.entity)
        if refilled is not None:
            shared = shared | related(EntityKind.ORDER, refilled.facts)
    snapshot = Snapshot(
        entity=item.entity,
        facts=complete(EntityKind.REFILL, seen.facts, shared),
        taken_at=now,
        previous_at=item.last_seen_at,
        root=item.order.root if item.order else item.entity,
    )
    return Look(snapshot, seen.facts, seen.changed, rules, watch.pace.refills, watch.pace.settle_after)
